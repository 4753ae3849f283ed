/** One run: from a source through the client, and what came of it. */

import { StreamerClient, StreamerError } from '../streamer-client/streamer-client.js';
import { SendClock } from './clock.js';
import { Recording } from './recording.js';
import { Transcript } from './transcript.js';

/** @typedef {import('../streamer-client/streamer-client.js').ClientEvent} ClientEvent */
/** @typedef {import('../streamer-client/streamer-client.js').ClientOptions} ClientOptions */
/** @typedef {import('./sources.js').Source} Source */

/** How it ends when somebody presses stop while there is no connection. */
const GIVEN_UP = ['closed', 'not_started', 'connection_failed', 'connection_lost'];

export class Run {
  #source;
  #clock = new SendClock();
  #stopping = false;

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
    /** @type {string[]} One for each stream: after a reconnection there is another. */
    this.traceIds = [];
    this.client.on('started', ({ model, trace_id }) => {
      this.model = model;
      this.traceIds.push(trace_id);
    });
  }

  /**
   * Stream until the source ends or `stop` is called; resolves when everything is answered.
   * @param {(error: StreamerError) => void} onSourceGone The microphone has ended by itself.
   * @throws {StreamerError}
   */
  async stream(onSourceGone) {
    try {
      await this.client.start(this.#source.format);
      await this.#source.run({
        take: (pcm) => this.#take(pcm),
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
      if (this.#stopping && GIVEN_UP.includes(code)) return;
      throw error;
    } finally {
      await this.#source.stop();
      this.client.close();
    }
  }

  /** Finish what is there, and end. */
  async stop() {
    this.#stopping = true;
    if (this.client.state === 'connecting') this.client.close();
    await this.#source.stop();
  }

  /** @param {ArrayBuffer} pcm */
  #take(pcm) {
    if (!['connecting', 'streaming', 'reconnecting'].includes(this.client.state)) return;
    this.recording.add(pcm);
    const sent = this.client.send(pcm);
    if (sent) this.#clock.sent(this.client.position, performance.now());
  }
}
