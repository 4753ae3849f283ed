/** The flushes that callers wait for. */

/** @import { StreamerError } from './errors.js' */

/**
 * @typedef {object} PendingFlush
 * @property {Set<number>} channels Those that have not answered.
 * @property {() => void} resolve
 * @property {(error: StreamerError) => void} reject
 */

/** The server answers each flush once for each channel, and each channel in order. */
export class PendingFlushes {
  /** @type {PendingFlush[]} In the order of the requests. */
  #pending = [];

  /**
   * @param {number} channels Of the stream.
   * @returns {Promise<void>}
   */
  expect(channels) {
    return new Promise((resolve, reject) => {
      this.#pending.push({ channels: new Set(Array(channels).keys()), resolve, reject });
    });
  }

  /** @param {number} channel That has answered its oldest flush. */
  answer(channel) {
    this.#pending.find(({ channels }) => channels.has(channel))?.channels.delete(channel);
    while (this.#pending[0]?.channels.size === 0) this.#pending.shift()?.resolve();
  }

  /** All results have arrived. */
  resolveAll() {
    for (const { resolve } of this.#pending.splice(0)) resolve();
  }

  /** @param {StreamerError} error */
  rejectAll(error) {
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}
