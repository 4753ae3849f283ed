/** One run: a source of audio, the client that streams it, and the results. */

import { StreamerClient, StreamerError } from '../streamer-client/streamer-client.js';
import { Recording } from './recording.js';
import { SendClock } from './send-clock.js';
import { Transcript } from './transcript.js';

/** @import { ChannelSeconds, ClientOptions } from '../streamer-client/streamer-client.js' */
/** @import { Source } from './sources.js' */

/** Codes of the errors that follow when a person presses Stop while there is no connection. */
const CODES_AFTER_STOP = ['closed', 'not_started', 'connection_failed', 'connection_lost'];

/** States of the client in which it accepts audio. */
const ACCEPTS_AUDIO = ['connecting', 'streaming', 'reconnecting'];

export class Run {
  #source;
  #clock = new SendClock();
  #isStopping = false;

  /**
   * @param {Source} source
   * @param {string} url Of the endpoint.
   * @param {ClientOptions} options
   */
  constructor(source, url, options) {
    this.#source = source;
    this.client = new StreamerClient(url, options);
    this.recording = new Recording(source.format.channels, source.format.sample_rate);
    this.transcript = new Transcript((position) => this.#clock.at(position));
    this.model = '';
    /** @type {string[]} One for each stream; a reconnection begins another. */
    this.traceIds = [];
    /** @type {ChannelSeconds[]} Where the audio went, of each stream that has stopped. */
    this.channelSeconds = [];
    this.client.on('stopped', ({ seconds = [] }) => this.channelSeconds.push(...seconds));
    this.client.on('started', ({ model, trace_id }) => {
      this.model = model;
      this.traceIds.push(trace_id);
    });
  }

  /**
   * Stream until the source ends or `stop` is called. Resolves when all results have arrived.
   * @param {(error: StreamerError) => void} onSourceGone The microphone has ended by itself.
   * @throws {StreamerError}
   */
  async stream(onSourceGone) {
    try {
      await this.client.start(this.#source.format);
      await this.#source.run({
        take: (pcm) => this.#send(pcm),
        ready: () => this.client.ready(),
        ended: (error) => {
          onSourceGone(error);
          void this.#source.stop();
        },
      });
      if (this.client.state === 'streaming' || this.client.state === 'reconnecting') {
        await this.client.stop();
      }
    } catch (error) {
      const { code } = /** @type {StreamerError} */ (error);
      if (this.#isStopping && CODES_AFTER_STOP.includes(code)) return;
      throw error;
    } finally {
      await this.#source.stop();
      this.client.close();
    }
  }

  /** Finish the audio that is there, and end. */
  async stop() {
    this.#isStopping = true;
    if (this.client.state === 'connecting') this.client.close();
    await this.#source.stop();
  }

  /** @param {ArrayBuffer} pcm */
  #send(pcm) {
    if (!ACCEPTS_AUDIO.includes(this.client.state)) return;
    this.recording.add(pcm);
    const isSent = this.client.send(pcm);
    if (isSent) this.#clock.sent(this.client.position, performance.now());
  }
}
