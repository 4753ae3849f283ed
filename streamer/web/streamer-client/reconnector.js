/** Attempts to connect again after the connection was lost. */

import { StreamerError } from './errors.js';
import { sleep } from './sleep.js';

/** @import { Backoff, ClientOptions } from './options.js' */

/** Error codes after which another attempt would fail in the same way. */
const NOT_RETRYABLE = new Set([
  'unauthorized',
  'too_large',
  'idle_timeout',
  'bad_format',
  'bad_message',
]);

/** Milliseconds that a stream lasts to count as a success, which resets the count of attempts. */
const STABLE_MS = 10_000;

/**
 * @typedef {object} ReconnectHandlers
 * @property {(attempt: number, delaySeconds: number) => void} onAttempt An attempt will follow.
 * @property {(signal: AbortSignal) => Promise<unknown>} reconnect Connects and starts a stream.
 * @property {(error: StreamerError) => void} onGiveUp No attempt follows.
 */

/** Repeats attempts with a delay that doubles each time (exponential back-off). */
export class Reconnector {
  /** @type {Required<Backoff>} */ #backoff;
  /** @type {ReconnectHandlers} */ #handlers;
  #attempt = 0;
  #streamStartedMs = 0;
  /** Ends the delay before the next attempt. */
  #skipDelay = () => {};

  /**
   * @param {ClientOptions['reconnect']} options
   * @param {ReconnectHandlers} handlers
   */
  constructor(options, handlers) {
    this.#backoff = { initialMs: 500, maxMs: 30_000, attempts: Infinity, ...options };
    if (options === false) this.#backoff.attempts = 0;
    this.#handlers = handlers;
  }

  /** The next attempt is the first one again. */
  reset() {
    this.#attempt = 0;
  }

  onStreamStarted() {
    this.#streamStartedMs = Date.now();
  }

  /**
   * @param {StreamerError} error
   * @returns {boolean} Whether another attempt is allowed after this error.
   */
  mayRetryAfter(error) {
    return this.#backoff.attempts > 0 && !NOT_RETRYABLE.has(error.code);
  }

  /**
   * Repeat attempts until one succeeds or none is left.
   * @param {AbortSignal} signal
   */
  async run(signal) {
    let error = new StreamerError('connection_lost', 'the connection could not be restored');
    // Only a stable stream resets the count. Otherwise a server that accepts each stream and soon
    // ends it would receive attempts without growing delays.
    if (Date.now() - this.#streamStartedMs >= STABLE_MS) this.reset();
    while (this.#attempt < this.#backoff.attempts && this.mayRetryAfter(error)) {
      this.#attempt += 1;
      const delayMs = this.#nextDelayMs();
      this.#handlers.onAttempt(this.#attempt, delayMs / 1000);
      try {
        await this.#delay(delayMs, signal);
        await this.#handlers.reconnect(signal);
        return;
      } catch (failure) {
        if (signal.aborted) return;
        error = /** @type {StreamerError} */ (failure);
      }
    }
    this.#handlers.onGiveUp(error);
  }

  /** Make the next attempt at once, if one will follow. */
  skipDelay() {
    this.#skipDelay();
  }

  /**
   * @param {number} ms
   * @param {AbortSignal} signal Its reason is thrown when it aborts the delay.
   */
  async #delay(ms, signal) {
    const delay = new AbortController();
    const end = () => delay.abort();
    this.#skipDelay = end;
    signal.addEventListener('abort', end, { once: true });
    await sleep(ms, delay.signal).catch(() => signal.throwIfAborted());
    signal.removeEventListener('abort', end);
    this.#skipDelay = () => {};
  }

  /** A random delay in the upper half, so that many clients do not reconnect at the same moment. */
  #nextDelayMs() {
    const { initialMs, maxMs } = this.#backoff;
    const longestMs = Math.min(maxMs, initialMs * 2 ** (this.#attempt - 1));
    return longestMs * (0.5 + Math.random() / 2);
  }
}
