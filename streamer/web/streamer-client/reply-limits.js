/** How long the client waits for the replies of a server, and what it says of one that does not reply. */

import { StreamerError } from './errors.js';
import { describeSilence, isStreamPath } from './failed-connection.js';

/** @import { Started, Stopped, Warned } from './messages.js' */
/** @import { ClientOptions } from './options.js' */

/** Milliseconds until a connection attempt fails, unless the options set another time. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** Milliseconds in which a server loads its model: the default of its `inference.load_timeout_seconds`. */
const DEFAULT_START_TIMEOUT_MS = 120_000;

/** Milliseconds. Results may be behind minutes of audio, when the audio was faster than the model. */
const DEFAULT_STOP_TIMEOUT_MS = 300_000;

/** Characters of an answer that is not Streamer's, in a message. */
const MAX_SHOWN = 80;

/**
 * @typedef {object} LimitHandlers
 * @property {(event: Warned) => void} onWait There is no reply to `start` yet; this goes on waiting.
 * @property {(error: StreamerError) => void} onNoStart There is no reply to `start`.
 * @property {(error: StreamerError) => void} onNoStop After `stop`, the server sends nothing any more.
 */

/** Limits the wait for the replies to `start` and `stop`. */
export class ReplyLimits {
  /** @type {ClientOptions} */ #options;
  /** @type {() => string} */ #getUrl;
  /** @type {LimitHandlers} */ #handlers;
  /** Begins the time again in which the server may send nothing after `stop`. */
  #restartStop = () => {};

  /**
   * @param {ClientOptions} options
   * @param {() => string} getUrl
   * @param {LimitHandlers} handlers
   */
  constructor(options, getUrl, handlers) {
    this.#options = options;
    this.#getUrl = getUrl;
    this.#handlers = handlers;
  }

  /** @param {Promise<Started>} started */
  limitStart(started) {
    const url = this.#getUrl();
    const warnMs = this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    // Where there is no stream, no model is being loaded.
    const defaultMs = isStreamPath(url) ? DEFAULT_START_TIMEOUT_MS : warnMs;
    const endMs = this.#options.startTimeoutMs ?? defaultMs;
    /** @param {number} ms */
    const silence = (ms) =>
      `the server at ${url} has accepted the connection, and answered nothing for ${ms / 1000} s: ${describeSilence(url)}`;
    limitReply(started, endMs, () => this.#handlers.onNoStart(new StreamerError('connection_failed', silence(endMs))));
    if (endMs <= warnMs) return;
    const message = `${silence(warnMs)}; this waits until ${endMs / 1000} s`;
    limitReply(started, warnMs, () => this.#handlers.onWait({ type: 'warning', code: 'no_answer', message }));
  }

  /** @param {Promise<Stopped>} stopped */
  limitStop(stopped) {
    const ms = this.#options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS;
    const message = `the server has sent nothing for ${ms / 1000} s, and not ended the stream`;
    this.#restartStop = limitReply(stopped, ms, () => {
      this.#handlers.onNoStop(new StreamerError('connection_lost', message));
    });
  }

  /** The server has sent something. */
  onMessage() {
    this.#restartStop();
  }

  /**
   * @param {number} code With which the WebSocket was closed before there was a reply to `start`.
   * @returns {string} For people.
   */
  describeClose(code) {
    const url = this.#getUrl();
    return `the connection was lost (code ${code}) before the server at ${url} had begun the stream: ${describeSilence(url)}`;
  }

  /**
   * @param {string} answer To `start`, which no Streamer gives.
   * @returns {StreamerError}
   */
  errorOfForeign(answer) {
    const shown = JSON.stringify(answer.slice(0, MAX_SHOWN));
    return new StreamerError('connection_failed', `the server at ${this.#getUrl()} is not Streamer: its answer is ${shown}`);
  }
}

/**
 * @param {Promise<unknown>} reply
 * @param {number} ms
 * @param {() => void} onLate Called when there was no reply for this time.
 * @returns {() => void} Begins the time again.
 */
function limitReply(reply, ms, onLate) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isSettled = false;
  const restart = () => {
    clearTimeout(timer);
    if (isSettled) return;
    timer = setTimeout(onLate, ms);
    /** @type {any} */ (timer).unref?.(); // in Node, the timer keeps no process alive
  };
  const end = () => {
    isSettled = true;
    clearTimeout(timer);
  };
  reply.then(end, end);
  restart();
  return restart;
}
