/** The requests of the protocol, and the server's messages. */

import { StreamerError } from './errors.js';
import { PendingFlushes } from './pending-flushes.js';
import { PendingReply } from './pending-reply.js';
import { StreamTimeline } from './stream-timeline.js';

/** @import { AudioFormat, ClientEvent, Failed, Flushed, Started, Stopped } from './messages.js' */
/** @import { ClientOptions } from './options.js' */
/** @import { ServerConnection } from './connection.js' */

/** Codes of errors that refuse a `start`, besides all fatal errors. */
const START_REFUSALS = new Set(['bad_format', 'bad_message']);

/**
 * @typedef {object} ProtocolHandlers
 * @property {(event: ClientEvent) => void} onEvent With times since `start()`.
 * @property {(offset: number | null) => void} onStreamStarted A stream began at this time since
 *   `start()`. The server may have sent this without a request, then the time is null.
 * @property {() => void} onStartReply The stream is the one that `start` waits for.
 * @property {() => void} onStopped The stream ended as requested.
 */

/** Requests streams from the server, and follows its messages about them. */
export class StreamProtocol {
  /** @type {ClientOptions} */ #options;
  /** @type {ServerConnection} */ #connection;
  /** @type {ProtocolHandlers} */ #handlers;
  #timeline = new StreamTimeline();
  /** @type {PendingReply<Started>} */ #startReply = new PendingReply();
  /** @type {PendingReply<Stopped>} */ #stopReply = new PendingReply();
  #flushes = new PendingFlushes();
  /** Of the stream that was requested last. */ #channels = 1;
  /** @type {Failed | null} */ #fatalError = null;

  /**
   * @param {ClientOptions} options
   * @param {ServerConnection} connection
   * @param {ProtocolHandlers} handlers
   */
  constructor(options, connection, handlers) {
    this.#options = options;
    this.#connection = connection;
    this.#handlers = handlers;
  }

  /** The error with which the server ended the connection; null when it sent none. */
  get fatalError() {
    return this.#fatalError;
  }

  clearFatalError() {
    this.#fatalError = null;
  }

  /** All streams ended with their connection. */
  clearStreams() {
    this.#timeline.clear();
  }

  /**
   * @param {AudioFormat | null} format
   * @param {number} position Where the stream begins, in seconds since `start()`.
   * @returns {Promise<Started>}
   */
  start(format, position) {
    const started = this.#startReply.expect();
    this.requestStream(format, position);
    return started;
  }

  /**
   * Request a stream without waiting for the reply.
   * @param {AudioFormat | null} format
   * @param {number} position Where the stream begins, in seconds since `start()`.
   */
  requestStream(format, position) {
    const { interimResults, words, keyterms, vad, model, traceparent } = this.#options;
    this.#timeline.request(position);
    this.#channels = format?.channels ?? 1;
    this.#connection.sendRequest({
      request: 'start',
      format,
      interim_results: interimResults,
      words,
      keyterms,
      vad,
      model,
      trace_id: typeof traceparent === 'function' ? traceparent() : traceparent,
      token: this.#connection.token,
    });
  }

  /** @returns {Promise<void>} Settled when every channel has answered. */
  flush() {
    const answered = this.#flushes.expect(this.#channels);
    const isSent = this.#connection.sendRequest({ request: 'flush' });
    if (!isSent) this.rejectFlushes(new StreamerError('connection_lost', 'there is no connection'));
    return answered;
  }

  /**
   * @param {boolean} disconnect Whether the server then closes the connection.
   * @returns {Promise<Stopped>}
   */
  stop(disconnect) {
    this.#connection.sendRequest({ request: 'stop', disconnect });
    return this.#stopReply.expect();
  }

  /** @param {StreamerError} error */
  rejectStart(error) {
    this.#startReply.reject(error);
  }

  /** @param {StreamerError} error */
  rejectFlushes(error) {
    this.#flushes.rejectAll(error);
  }

  /**
   * The stream is over. No reply follows.
   * @param {StreamerError} error Rejects the replies that are pending.
   */
  abandon(error) {
    this.#startReply.reject(error);
    this.#stopReply.reject(error);
    this.#flushes.rejectAll(error);
    this.#timeline.endCurrent();
  }

  /**
   * @param {number} sent End of the audio that was sent, in seconds since `start()`.
   * @returns {number} Since when audio has no result, in seconds since `start()`.
   */
  unansweredSince(sent) {
    return this.#timeline.unansweredSince(sent);
  }

  /** @param {string} message Of the server. */
  receive(message) {
    const event = JSON.parse(message);
    const rebased = this.#timeline.apply(event);
    if (event.type === 'error' && event.fatal) this.#fatalError = event;
    this.#handlers.onEvent(rebased);
    if (event.type === 'started') this.#onStarted(event);
    else if (event.type === 'stopped') this.#onStopped(event);
    else if (event.type === 'flushed') this.#onFlushed(event);
    else if (event.type === 'error') this.#onError(event);
  }

  /** @param {Started} event */
  #onStarted(event) {
    if (event.max_message_bytes > 0) this.#connection.maxMessageBytes = event.max_message_bytes;
    this.#handlers.onStreamStarted(this.#timeline.currentOffset);
    if (!this.#startReply.isPending) return;
    this.#handlers.onStartReply();
    this.#startReply.resolve(event);
  }

  /** @param {Stopped} event */
  #onStopped(event) {
    if (!this.#stopReply.isPending || this.#timeline.hasRequested) return;
    this.#flushes.resolveAll();
    this.#stopReply.resolve(event);
    this.#timeline.endCurrent();
    this.#handlers.onStopped();
  }

  /** @param {Flushed} event */
  #onFlushed({ channel }) {
    this.#flushes.answer(channel);
  }

  /** @param {Failed} event */
  #onError({ fatal, code, message }) {
    const isRefusal = fatal || START_REFUSALS.has(code);
    if (!isRefusal || !this.#startReply.isPending) return;
    this.#timeline.dropLastRequest();
    this.#startReply.reject(new StreamerError(code, message));
  }
}
