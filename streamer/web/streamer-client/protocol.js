/** The requests of the protocol, and the server's messages. */

import { StreamerError } from './errors.js';
import { reportUncaught } from './event-listeners.js';
import { PendingFlushes } from './pending-flushes.js';
import { PendingReply } from './pending-reply.js';
import { StreamTimeline } from './stream-timeline.js';

/** @import { AudioFormat, ClientEvent, ContainerFormat, Failed, Flushed, Started, Stopped } from './messages.js' */
/** @import { ClientOptions, StreamSettings } from './options.js' */
/** @import { ServerConnection } from './connection.js' */

/** Codes of errors that refuse a `start`, besides all fatal errors. */
const START_REFUSALS = new Set(['bad_format', 'bad_message']);

/** Codes of errors with which the server may end a stream, and not the connection. */
const STREAM_ENDS = new Set(['bad_audio', 'overloaded', 'internal_error']);

/**
 * @typedef {object} ProtocolHandlers
 * @property {(event: ClientEvent) => void} onEvent With times since `start()`.
 * @property {(offset: number | null) => void} onStreamStarted A stream began at this time since
 *   `start()`. The server may have sent this without a request, then the time is null.
 * @property {() => void} onStartReply The stream is the one that `start` waits for.
 * @property {() => void} onStopped The stream ended as requested.
 * @property {(message: string) => void} onForeign The server has sent what no Streamer sends.
 * @property {(error: StreamerError) => void} onBrokenOff The server has ended the stream, which cannot
 *   go on; the connection is as before.
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
  /** @type {Failed | null} With which the server ends the stream. */ #streamError = null;
  /** @type {StreamSettings[]} Sent, and neither confirmed nor refused yet. */ #unconfirmed = [];

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
    this.#unconfirmed.splice(0).forEach((settings) => this.#keep(settings));
  }

  /**
   * @param {AudioFormat | ContainerFormat | null} format
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
   * @param {AudioFormat | ContainerFormat | null} format
   * @param {number} position Where the stream begins, in seconds since `start()`.
   */
  requestStream(format, position) {
    const { interimResults, words, keyterms, vad, model, eager } = this.#options;
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
      eager,
      trace_id: this.#traceparent(),
      token: this.#connection.token,
    });
  }

  /** @returns {string | undefined} Undefined also when there is an error: a stream goes without a trace. */
  #traceparent() {
    const { traceparent } = this.#options;
    if (typeof traceparent !== 'function') return traceparent;
    try {
      return traceparent();
    } catch (error) {
      reportUncaught(error);
      return undefined;
    }
  }

  get isStarting() {
    return this.#startReply.isPending;
  }

  /** @returns {Promise<void>} Settled when every channel has answered. */
  flush() {
    const answered = this.#flushes.expect(this.#channels);
    const isSent = this.#connection.sendRequest({ request: 'flush' });
    if (!isSent) this.rejectFlushes(new StreamerError('connection_lost', 'there is no connection'));
    return answered;
  }

  /**
   * Change settings of the open stream, and of those that are requested later.
   * @param {StreamSettings} settings
   * @returns {boolean} Whether they were sent.
   */
  configure(settings) {
    const { interimResults, words, keyterms, vad, model, eager } = settings;
    const isSent = this.#connection.sendRequest({
      request: 'configure',
      interim_results: interimResults,
      words,
      keyterms,
      vad,
      model,
      eager,
    });
    if (isSent) this.#unconfirmed.push(settings);
    else this.#keep(settings);
    return isSent;
  }

  /** @param {StreamSettings} settings For the streams that are requested later. */
  #keep({ vad, ...others }) {
    this.#options = {
      ...this.#options,
      ...others,
      vad: vad ? { ...this.#options.vad, ...vad } : this.#options.vad,
    };
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
    const event = parseEvent(message);
    if (event === null) {
      this.#handlers.onForeign(message);
      return;
    }
    const rebased = this.#timeline.apply(event);
    if (event.type === 'error' && event.fatal) this.#fatalError = event;
    this.#handlers.onEvent(rebased);
    if (event.type === 'started') this.#onStarted(event);
    else if (event.type === 'stopped') this.#onStopped(event);
    else if (event.type === 'flushed') this.#onFlushed(event);
    else if (event.type === 'configured') this.#onConfigured();
    else if (event.type === 'error') this.#onError(event);
  }

  #onConfigured() {
    const settings = this.#unconfirmed.shift();
    if (settings) this.#keep(settings);
  }

  /** @param {Started} event */
  #onStarted(event) {
    if (event.max_message_bytes > 0) this.#connection.maxMessageBytes = event.max_message_bytes;
    const offset = this.#timeline.currentOffset;
    // The state comes first: a page that clears what it shows when the connection is back would clear
    // the loss, too.
    if (this.#startReply.isPending) this.#handlers.onStartReply();
    this.#handlers.onStreamStarted(offset);
    this.#startReply.resolve(event);
  }

  /** @param {Stopped} event */
  #onStopped(event) {
    const streamError = this.#streamError;
    this.#streamError = null;
    if (streamError && !this.#stopReply.isPending && !this.#timeline.hasRequested) {
      this.#handlers.onBrokenOff(new StreamerError(streamError.code, streamError.message));
      return;
    }
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
  #onError(event) {
    const { fatal, code, message } = event;
    if (!fatal && STREAM_ENDS.has(code) && event.start_time === undefined) this.#streamError = event;
    // With no `start` that waits, it is a `configure` that was refused: nothing else can be.
    if (code === 'bad_message' && !this.#startReply.isPending) this.#unconfirmed.shift();
    const isRefusal = fatal || START_REFUSALS.has(code);
    if (!isRefusal || !this.#startReply.isPending) return;
    this.#timeline.dropLastRequest();
    this.#startReply.reject(new StreamerError(code, message));
  }
}

/** What the server's message about a token leaves out: the places that it names are those of other clients. */
const TOKEN_OPTION = " (with this client: in the option 'token')";

/**
 * @param {string} message
 * @returns {any} An event of the server; null: it is none.
 */
function parseEvent(message) {
  try {
    const event = JSON.parse(message);
    if (typeof event?.type !== 'string') return null;
    if (event.type === 'error' && event.code === 'unauthorized') event.message += TOKEN_OPTION;
    return event;
  } catch {
    return null;
  }
}
