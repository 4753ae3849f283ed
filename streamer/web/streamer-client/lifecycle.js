/** The states of a client, from `start()` to the end of the stream. */

import { AudioSender } from './audio-sender.js';
import { ServerConnection } from './connection.js';
import { StreamerError } from './errors.js';
import { noStreamError } from './no-stream.js';
import { StreamProtocol } from './protocol.js';
import { Reconnector } from './reconnector.js';
import { ReplyLimits } from './reply-limits.js';

/** @import { AudioFormat, ClientEvent, ContainerFormat, Connection, Lost, Started, State, Stopped } from './messages.js' */
/** @import { ClientOptions, StreamSettings } from './options.js' */

/** @type {State[]} The states in which audio is accepted. */
const ACCEPTS_AUDIO = ['connecting', 'streaming', 'reconnecting'];

/** Begins and ends streams, restores them on a new connection, and reports the audio that is lost. */
export class StreamLifecycle {
  /** @type {State} */ #state = 'idle';
  /** @type {() => string} */ #getUrl;
  /** @type {(event: ClientEvent) => void} */ #emit;
  /** @type {ServerConnection} */ #connection;
  /** @type {StreamProtocol} */ #protocol;
  /** @type {Reconnector} */ #reconnector;
  /** @type {AudioSender} */ #audio;
  /** @type {number | null} Position since which audio has no result, while there is no stream. */
  #disconnectedSince = null;
  /** Whether the server closes the connection after the present stream, as requested. */
  #isEnding = false;
  /** @type {Promise<void> | null} Settled when the last `start` or `stop` has its reply. */
  #pending = null;
  /** @type {ReplyLimits} */ #limits;
  /** Ends what the client waits for: a connection attempt, or the delay before the next. */
  #abortController = new AbortController();

  /**
   * @param {() => string} getUrl The address to connect to.
   * @param {ClientOptions} options
   * @param {{onMessage: (message: string) => void, onEvent: (event: ClientEvent) => void}} handlers
   *   `onMessage` receives what the server sends, unchanged.
   */
  constructor(getUrl, options, { onMessage, onEvent }) {
    this.#getUrl = getUrl;
    this.#emit = onEvent;
    this.#connection = new ServerConnection(options, {
      onMessage: (message) => {
        this.#limits.onMessage();
        onMessage(message);
        this.#protocol.receive(message);
      },
      onClose: (code) => this.#onConnectionLost(code),
      needsKeepAlive: () => this.#state === 'streaming',
    });
    this.#protocol = new StreamProtocol(options, this.#connection, {
      onEvent,
      onStreamStarted: (offset) => this.#onStreamStarted(offset),
      onStartReply: () => this.#onStartReply(),
      onStopped: () => this.#setState('idle'),
      // A stream that has begun does not end with such a message.
      onForeign: (message) => {
        if (this.#protocol.isStarting) this.#abandonStart(this.#limits.errorOfForeign(message));
      },
      onBrokenOff: (error) => this.#finish('idle', error),
    });
    this.#limits = new ReplyLimits(options, getUrl, {
      onWait: onEvent,
      onNoStart: (error) => this.#abandonStart(error),
      onNoStop: (error) => {
        this.#connection.drop();
        this.#giveUp(error);
      },
    });
    this.#reconnector = new Reconnector(options.reconnect, {
      onAttempt: (attempt, delay_seconds) => this.#setState('reconnecting', { attempt, delay_seconds }),
      reconnect: (signal) => this.#reconnect(signal),
      onGiveUp: (error) => this.#giveUp(error),
    });
    this.#audio = new AudioSender(
      options,
      this.#connection,
      (since) => this.#resumeAudio(since),
      () => this.#emit({ type: 'container_needed', time: this.#audio.position }),
    );
  }

  get state() {
    return this.#state;
  }

  get acceptsAudio() {
    return ACCEPTS_AUDIO.includes(this.#state);
  }

  get audio() {
    return this.#audio;
  }

  /** Aborted when the stream ends, or when another `start` replaces it. */
  get signal() {
    return this.#abortController.signal;
  }

  /**
   * One after another: a `start` waits for the reply to the `start` or `stop` before it.
   * @param {AudioFormat | ContainerFormat} format
   * @returns {Promise<Started>}
   */
  start(format) {
    const pending = this.#pending;
    const started = pending === null ? this.#start(format) : pending.then(() => this.#start(format));
    return this.#track(started);
  }

  /**
   * @param {AudioFormat | ContainerFormat} format
   * @returns {Promise<Started>}
   */
  async #start(format) {
    if (this.#state === 'closed') throw closedError();
    const isReusable =
      this.#connection.isOpen && !this.#isEnding && this.#protocol.fatalError === null;
    this.#reset();
    this.#reconnector.reset();
    this.#audio.restart(format);
    this.#disconnectedSince = 0; // audio may come before the stream has begun
    this.#setState('connecting');
    try {
      if (!isReusable) await this.#connect(this.signal);
      return await this.#requestStream();
    } catch (error) {
      if (this.#state === 'connecting') this.#finish('idle');
      throw error;
    }
  }

  /** @returns {Promise<void>} */
  async flush() {
    if (!this.acceptsAudio) throw noStreamError('flush', this.#state);
    return this.#protocol.flush();
  }

  /**
   * @param {StreamSettings} settings
   * @returns {boolean} Whether they were sent.
   */
  configure(settings) {
    if (!this.acceptsAudio) throw noStreamError('configure', this.#state);
    return this.#protocol.configure(settings);
  }

  /**
   * @param {boolean} disconnect Whether the server then closes the connection.
   * @returns {Promise<Stopped>}
   */
  async stop(disconnect) {
    if (this.#state === 'reconnecting') {
      this.#finish('idle');
      throw new StreamerError('connection_lost', 'stopped while there was no connection');
    }
    if (this.#state !== 'streaming') {
      throw noStreamError('stop', this.#state);
    }
    const { outrunSince, position } = this.#audio;
    this.#audio.clearOutrun();
    this.#audio.close();
    this.#state = 'stopping'; // a listener of the loss cannot stop the stream once more
    if (outrunSince !== null) this.#reportLost('outrun', outrunSince, position);
    if (this.state !== 'stopping') throw noStreamError('stop', this.#state);
    const stopped = this.#protocol.stop(disconnect);
    this.#isEnding = disconnect;
    this.#limits.limitStop(stopped);
    this.#emit({ type: 'connection', state: 'stopping' });
    return this.#track(stopped);
  }

  /** Make the next attempt to reconnect at once. */
  reconnectNow() {
    this.#reconnector.skipDelay();
  }

  close() {
    if (this.#state === 'closed') return;
    this.#finish('closed');
    this.#connection.close();
  }

  /**
   * @template T
   * @param {Promise<T>} reply The next `start` waits for it.
   * @returns {Promise<T>}
   */
  #track(reply) {
    const settled = reply.then(() => {}, () => {}).then(() => {
      if (this.#pending === settled) this.#pending = null;
    });
    this.#pending = settled;
    return reply;
  }

  /** Reset everything that belongs to an earlier stream. */
  #reset() {
    this.#abortController.abort(closedError());
    this.#abortController = new AbortController();
    this.#audio.close();
    this.#audio.clearOutrun();
    this.#disconnectedSince = null;
    this.#protocol.clearFatalError();
  }

  /** @param {AbortSignal} signal */
  #connect(signal) {
    this.#connection.drop();
    this.#isEnding = false;
    this.#protocol.clearStreams();
    return this.#connection.open(this.#getUrl(), signal);
  }

  /** @returns {Promise<Started>} */
  #requestStream() {
    const started = this.#protocol.start(this.#audio.format, this.#audio.position);
    this.#audio.open();
    this.#limits.limitStart(started);
    return started;
  }

  /** @param {StreamerError} error Why no stream begins on this connection. */
  #abandonStart(error) {
    this.#audio.close();
    this.#connection.drop();
    this.#protocol.rejectStart(error);
  }

  /** @param {AbortSignal} signal */
  async #reconnect(signal) {
    this.#protocol.clearFatalError();
    await this.#connect(signal);
    await this.#requestStream();
    this.#audio.restartContainer();
  }

  /**
   * The audio that was not sent is lost. A new stream begins after it, because the server counts the
   * time of a stream in the samples that it receives.
   * @param {number} outrunSince
   */
  #resumeAudio(outrunSince) {
    const { format, position } = this.#audio;
    this.#protocol.requestStream(format, position);
    this.#reportLost('outrun', outrunSince, position);
  }

  /** @param {number | null} offset Where the stream begins, in seconds since `start()`. */
  #onStreamStarted(offset) {
    if (this.#disconnectedSince === null || offset === null) return;
    this.#reportLost('disconnected', this.#disconnectedSince, offset);
    this.#disconnectedSince = null;
  }

  #onStartReply() {
    this.#reconnector.onStreamStarted();
    this.#setState('streaming');
  }

  /** @param {number} code With which the WebSocket was closed. */
  #onConnectionLost(code) {
    this.#audio.close();
    const { fatalError } = this.#protocol;
    const message = fatalError?.message ?? this.#describeClose(code);
    const error = new StreamerError(fatalError?.code ?? 'connection_lost', message);
    if (this.#state !== 'idle') this.#disconnectedSince ??= this.#unansweredSince();
    if (this.#state === 'streaming' && this.#reconnector.mayRetryAfter(error)) {
      void this.#reconnector.run(this.signal);
    } else if (this.#state === 'streaming' || this.#state === 'stopping') {
      this.#giveUp(error);
    }
    this.#protocol.rejectStart(error);
    this.#protocol.rejectFlushes(error);
  }

  /** @param {number} code With which the WebSocket was closed. */
  #describeClose(code) {
    return this.#protocol.isStarting ? this.#limits.describeClose(code) : `the connection was lost (code ${code})`;
  }

  /** @param {StreamerError} error Reported as an event, unless the server has already sent one. */
  #giveUp(error) {
    const { code, message } = error;
    const isReported = this.#protocol.fatalError !== null;
    this.#finish('idle', error, isReported ? null : { type: 'error', code, message, fatal: true });
  }

  /**
   * End the stream and all attempts to reconnect.
   * @param {'idle' | 'closed'} state
   * @param {StreamerError} [error] Rejects the replies that are pending.
   * @param {ClientEvent | null} [report] Of the error. It comes before the state, because with `idle` the
   *   events end for those who read them in a loop.
   */
  #finish(state, error = closedError(), report = null) {
    const isOpen = this.#state === 'streaming' || this.#state === 'stopping';
    const lostSince = this.#disconnectedSince ?? (isOpen ? this.#unansweredSince() : null);
    const { signal } = this;
    const { position } = this.#audio;
    // A listener may begin another stream, or close the client.
    const isReplaced = () => signal.aborted && state === 'idle';
    this.#protocol.abandon(error);
    if (lostSince !== null) {
      this.#disconnectedSince = position; // what is reported here is not reported again
      this.#reportLost('disconnected', lostSince, position);
    }
    if (report !== null && !isReplaced()) this.#emit(report);
    if (isReplaced()) return;
    this.#reset();
    this.#setState(state);
  }

  /** @returns {number} Position since which audio has no result. */
  #unansweredSince() {
    return this.#protocol.unansweredSince(this.#audio.outrunSince ?? this.#audio.position);
  }

  /**
   * @param {State} state
   * @param {Pick<Connection, 'attempt' | 'delay_seconds'>} [details]
   */
  #setState(state, details = {}) {
    if (state === this.#state && state !== 'reconnecting') return;
    this.#state = state;
    this.#emit({ type: 'connection', state, ...details });
  }

  /**
   * @param {Lost['reason']} reason
   * @param {number} start_time
   * @param {number} end_time
   */
  #reportLost(reason, start_time, end_time) {
    if (end_time > start_time) this.#emit({ type: 'lost', start_time, end_time, reason });
  }
}

const closedError = () => new StreamerError('closed', 'the client was closed');
