/** The streams of a connection on one timeline. */

import { Stream } from './stream.js';

/** @import { ClientEvent } from './messages.js' */

/** Places the streams that were requested one after another on the timeline of `start()`. */
export class StreamTimeline {
  /** @type {Stream[]} Requested and not started yet, in order. */ #requested = [];
  /** @type {Stream | null} */ #current = null;

  get hasRequested() {
    return this.#requested.length > 0;
  }

  /** Where the current stream begins, in seconds since `start()`; null without a stream. */
  get currentOffset() {
    return this.#current?.offset ?? null;
  }

  /** @param {number} offset Where the new stream begins, in seconds since `start()`. */
  request(offset) {
    this.#requested.push(new Stream(offset));
  }

  /** The server refused the last request. */
  dropLastRequest() {
    this.#requested.pop();
  }

  /** The current stream is over. */
  endCurrent() {
    this.#current = null;
  }

  /** All streams ended with their connection. */
  clear() {
    this.#requested = [];
    this.#current = null;
  }

  /**
   * @param {any} event As the server sent it.
   * @returns {ClientEvent} The same event with times since `start()`.
   */
  apply(event) {
    if (event.type === 'started') this.#current = this.#requested.shift() ?? null;
    this.#current?.update(event);
    return this.#current?.rebase(event) ?? event;
  }

  /**
   * @param {number} sent End of the audio that was sent, in seconds since `start()`.
   * @returns {number} Since when audio has no result, in seconds since `start()`.
   */
  unansweredSince(sent) {
    return this.#current?.unansweredSince(sent) ?? this.#requested[0]?.offset ?? sent;
  }
}
