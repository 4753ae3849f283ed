/** One run: a source of audio, the client that streams it, and the results. */

import { StreamerClient, StreamerError } from '../streamer-client/streamer-client.js';
import { Recording } from './recording.js';
import { SendClock } from './send-clock.js';
import { Transcript } from './transcript.js';

/** @import { ChannelSeconds, ClientOptions } from '../streamer-client/streamer-client.js' */
/** @import { FilePace } from './file-pace.js' */
/** @import { Source } from './sources.js' */

/** Codes of the errors that follow when a person presses Stop while there is no connection. */
const CODES_AFTER_STOP = ['closed', 'not_started', 'connection_failed', 'connection_lost'];

/** States of the client in which it accepts audio. */
const ACCEPTS_AUDIO = ['connecting', 'streaming', 'reconnecting'];

/**
 * Milliseconds, the most that there are. The page's server is Streamer, and the page says that its model is
 * loading; Stop ends the wait.
 */
const START_TIMEOUT_MS = 2 ** 31 - 1;

/** Milliseconds between two checks whether more of a recording may be sent. */
const POLL_MS = 10;

export class Run {
  #source;
  #pace;
  #clock = new SendClock();
  #isStopping = false;

  /**
   * @param {Source} source
   * @param {string} url Of the endpoint.
   * @param {ClientOptions} options
   * @param {FilePace | null} pace Null: the source gives its audio in real time.
   */
  constructor(source, url, options, pace) {
    this.#source = source;
    this.#pace = pace;
    this.client = new StreamerClient(url, { startTimeoutMs: START_TIMEOUT_MS, ...options });
    this.recording = new Recording(source.format.channels, source.format.sample_rate);
    this.transcript = new Transcript((position) => this.#clock.at(position));
    this.model = '';
    /** Whether the source has ended. */
    this.isOver = false;
    /** @type {string[]} One for each stream; a reconnection begins another. */
    this.traceIds = [];
    /** @type {ChannelSeconds[]} Where the audio went, of each stream that has stopped. */
    this.channelSeconds = [];
    this.client.on('stopped', ({ seconds = [] }) => this.channelSeconds.push(...seconds));
    this.client.on('started', ({ model, trace_id }) => {
      this.model = model;
      this.traceIds.push(trace_id);
    });
    this.client.on('container_needed', () => this.#source.restart?.());
    this.client.on('connection', ({ state }) => {
      if (state === 'idle' && !this.isOver) void this.#source.stop(); // the server has ended the stream
    });
    this.client.onEvent((event) => pace?.onEvent(event, performance.now()));
  }

  /**
   * Stream until the source ends or `stop` is called. Resolves when all results have arrived.
   * @param {(error: StreamerError) => void} onSourceGone The microphone has ended by itself.
   * @throws {StreamerError}
   */
  async stream(onSourceGone) {
    try {
      await this.client.start(this.#source.sentFormat ?? this.#source.format);
      await this.#source.run({
        take: (pcm) => this.#take(pcm),
        takeContainer: (bytes, seconds) => this.#send(bytes, seconds),
        ready: () => this.#untilRoom(),
        ended: (error) => {
          onSourceGone(error);
          void this.#source.stop();
        },
      });
      this.isOver = true;
      if (this.client.state === 'streaming' || this.client.state === 'reconnecting') {
        await this.client.stop();
      }
    } catch (error) {
      const { code } = /** @type {StreamerError} */ (error);
      if (this.#isStopping && CODES_AFTER_STOP.includes(code)) return;
      throw error;
    } finally {
      this.isOver = true;
      await this.#source.stop();
      this.client.close();
    }
  }

  get #isCompressed() {
    return this.#source.sentFormat?.encoding === 'auto';
  }

  /** Finish the audio that is there, and end. */
  async stop() {
    this.#isStopping = true;
    if (this.client.state === 'connecting') this.client.close();
    await this.#source.stop();
  }

  /** Wait until the network has room and, for a recording, until the server has dealt with enough. */
  async #untilRoom() {
    await this.client.ready();
    while (!this.#isStopping && this.#pace?.hasRoom(this.client.position, performance.now()) === false) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      await this.client.ready();
    }
  }

  /** @param {ArrayBuffer} pcm */
  #take(pcm) {
    if (!ACCEPTS_AUDIO.includes(this.client.state)) return;
    this.recording.add(pcm);
    if (!this.#isCompressed) this.#send(pcm);
  }

  /**
   * @param {ArrayBuffer} audio
   * @param {number} [seconds] Of audio in a container.
   */
  #send(audio, seconds) {
    if (!ACCEPTS_AUDIO.includes(this.client.state)) return;
    const isSent = this.client.send(audio, seconds);
    if (isSent) this.#clock.sent(this.client.position, performance.now());
  }
}
