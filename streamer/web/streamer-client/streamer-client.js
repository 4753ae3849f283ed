/**
 * Streams audio to a Streamer server and gives back what it observes.
 *
 * `StreamerClient` speaks the protocol and runs wherever there is a WebSocket. `Microphone`
 * captures audio in a browser. Nothing else is needed: no dependencies, no build step.
 */

// ── What goes over the wire ──────────────────────────────────────────────────────────────────────

/**
 * Interleaved little-endian audio.
 * @typedef {object} AudioFormat
 * @property {number} sample_rate In Hz.
 * @property {number} [channels] 1 when absent.
 * @property {8 | 16 | 24 | 32 | 64} [bit_depth] 16 when absent.
 * @property {boolean} [is_float]
 * @property {'pcm' | 'mulaw' | 'alaw'} [encoding] `pcm` when absent.
 */

/**
 * Segmentation settings of a stream; whatever is absent keeps the server's value.
 * @typedef {object} VadOptions
 * @property {number} [threshold]
 * @property {number} [min_silence_ms]
 * @property {number} [min_speech_ms]
 * @property {number} [prefix_padding_ms]
 * @property {number} [max_segment_ms]
 */

/**
 * @typedef {object} Started A stream began with these settings.
 * @property {'started'} type
 * @property {string} session_id
 * @property {string} trace_id
 * @property {string} model
 * @property {number} sample_rate
 * @property {boolean} interim_results
 * @property {Record<string, unknown> | null} vad
 * @property {number} protocol
 */

/**
 * @typedef {object} Active Speech began.
 * @property {'active'} type
 * @property {number} time
 * @property {number} channel
 */

/**
 * @typedef {object} Inactive Speech ended.
 * @property {'inactive'} type
 * @property {number} time
 * @property {number} channel
 */

/**
 * What the model makes of a segment that is still growing; it may be corrected later. A transcriber
 * adds `text`, other models their own fields.
 * @typedef {{type: 'interim', start_time: number, end_time: number, is_final: false,
 *   channel: number, text?: string, [field: string]: unknown}} Interim
 */

/**
 * The model's output for a whole segment.
 * @typedef {{type: 'segment', start_time: number, end_time: number, is_final: true,
 *   channel: number, flushed?: boolean, text?: string, [field: string]: unknown}} Segment
 */

/**
 * @typedef {object} Warned Something to know; nothing is lost.
 * @property {'warning'} type
 * @property {string} code
 * @property {string} message
 */

/**
 * @typedef {object} Failed Something that was asked for is not going to happen.
 * @property {'error'} type
 * @property {string} code
 * @property {string} message
 * @property {boolean} fatal
 * @property {number} [channel]
 * @property {number} [start_time]
 * @property {number} [end_time]
 */

/**
 * @typedef {object} Stopped A stream ended; nothing of it follows.
 * @property {'stopped'} type
 * @property {number} audio_seconds
 * @property {number} segments
 * @property {string} session_id
 */

/**
 * @typedef {object} GoingAway The server is about to end; the client reconnects when it has.
 * @property {'going_away'} type
 * @property {string} message
 * @property {number} deadline_seconds
 */

/**
 * @typedef {object} Lost This much audio was not heard, because of the connection.
 * @property {'lost'} type
 * @property {number} start_time
 * @property {number} end_time
 * @property {'disconnected' | 'outrun'} reason `outrun`: the network was slower than the audio.
 */

/**
 * @typedef {object} Connection How the connection is now.
 * @property {'connection'} type
 * @property {State} state
 * @property {number} [attempt] Of reconnecting, from 1.
 * @property {number} [delay_seconds] Until this attempt.
 */

/**
 * @typedef {'idle' | 'connecting' | 'streaming' | 'stopping' | 'reconnecting' | 'closed'} State
 */

/**
 * Times in seconds since `start()`. They go on after a reconnection, though the server counts anew.
 * @typedef {Started | Active | Inactive | Interim | Segment | Warned | Failed | Stopped |
 *   GoingAway | Lost | Connection} ClientEvent
 */

/**
 * @template {ClientEvent['type']} T
 * @typedef {Extract<ClientEvent, {type: T}>} EventOf
 */

/**
 * @typedef {object} Backoff
 * @property {number} [initialMs] Before the first attempt to reconnect; doubled for each further.
 * @property {number} [maxMs] The longest wait.
 * @property {number} [attempts] Then the client gives up. A stream of ten seconds begins the count anew.
 */

/**
 * @typedef {object} ClientOptions
 * @property {boolean} [interimResults]
 * @property {VadOptions} [vad]
 * @property {string} [model] One of the server's models; its first when absent.
 * @property {string | (() => string | Promise<string>)} [token] Asked for anew for each connection,
 *   so that it can be a ticket, which serves once.
 * @property {string | (() => string | undefined)} [traceparent] W3C trace context of the page's own
 *   tracing; asked for anew for each stream.
 * @property {Backoff | false} [reconnect] False: a lost connection is the end.
 * @property {number} [maxBufferedSeconds] Audio that may wait in the socket. More is not sent, and
 *   reported as `lost`.
 * @property {number} [connectTimeoutMs]
 * @property {WebSocketConstructor} [WebSocket] For where there is no global one.
 */

/** @typedef {new (url: string, protocols?: string[]) => WebSocket} WebSocketConstructor */

/** Why something could not be done; `code` is for programs, `message` for people. */
export class StreamerError extends Error {
  /**
   * @param {string} code The server's, or `connection_failed`, `connection_lost`, `not_started`,
   *   `bad_audio`, `closed`; from a microphone `microphone_refused`, `microphone_absent`,
   *   `microphone_busy`, `microphone_unplugged`, `insecure_page`, `worklet_failed`.
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = 'StreamerError';
    this.code = code;
  }
}

// ── The protocol ─────────────────────────────────────────────────────────────────────────────────

/** Connecting again would end the same way. */
const HOPELESS = new Set(['unauthorized', 'too_large', 'idle_timeout', 'bad_format', 'bad_message']);

/** What else answers a `start` that cannot be carried out. */
const REFUSALS = new Set(['bad_format', 'bad_message']);

const SUBPROTOCOL = 'streamer.v1';

/** What a WebSocket subprotocol may consist of (RFC 9110, token). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const KEEP_ALIVE_MS = 10_000;
const POLL_MS = 20;
const READY_SECONDS = 1;
const OPEN = 1;

/** A stream that lasted so long was no failed attempt. */
const STABLE_MS = 10_000;

/** Longer ago than this, speech would have been announced; there was none. */
const UNHEARD_SECONDS = 5;

/** An iterator that is this far behind is not given interim results. */
const PATIENT_EVENTS = 256;

/** One stream on the server, and how far it has been answered. */
class Stream {
  /** @param {number} offset Where it begins, in seconds since `start()`. */
  constructor(offset) {
    this.offset = offset;
    /** The last time that the server has said anything about. */
    this.heard = 0;
    /** @type {number | undefined} Its length, once the server has finished it. */
    this.finished = undefined;
    /** @type {Map<number, number[]>} By channel: beginnings of speech whose result is owed. */
    this.owed = new Map();
  }

  /** @param {any} event Not yet rebased. */
  note(event) {
    if (event.type === 'stopped') {
      this.finished = event.audio_seconds;
    } else if (event.type === 'active') {
      this.owed.set(event.channel, [...(this.owed.get(event.channel) ?? []), event.time]);
    } else if (event.type === 'segment' || event.type === 'error') {
      this.owed.get(event.channel)?.shift();
    }
    this.heard = Math.max(this.heard, event.time ?? 0, event.end_time ?? 0);
  }

  /**
   * From when on nothing of this stream was answered, in seconds since `start()`.
   * @param {number} sent How much was offered, in seconds since `start()`.
   */
  unanswered(sent) {
    if (this.finished !== undefined) return this.offset + this.finished;
    const owed = Math.min(...[...this.owed.values()].map((times) => times[0] ?? Infinity));
    if (owed < Infinity) return this.offset + owed;
    return Math.max(this.offset + this.heard, sent - UNHEARD_SECONDS);
  }

  /**
   * Put its times on the timeline of `start()`.
   * @param {any} event
   * @returns {ClientEvent}
   */
  rebase(event) {
    const moved = { ...event };
    for (const key of ['time', 'start_time', 'end_time']) {
      if (typeof moved[key] === 'number') moved[key] += this.offset;
    }
    return moved;
  }
}

/** A stream of audio to the server, and of events back. */
export class StreamerClient {
  /** @type {ClientOptions} */ #options;
  /** @type {Required<Backoff>} */ #backoff;
  /** @type {WebSocketConstructor} */ #WebSocket;
  /** @type {State} */ #state = 'idle';
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {string | undefined} A token with characters that no subprotocol may have. */
  #tokenInStart;
  /** @type {Required<AudioFormat> | null} */ #format = null;
  #bytesPerFrame = 2;
  #offeredBytes = 0;
  /** Whether audio goes out: from asking for a stream until its end. */
  #sending = false;
  /** @type {Stream[]} Asked for, and not yet started. */ #asked = [];
  /** @type {Stream | null} */ #stream = null;
  /** @type {number | null} Since when audio outruns the network. */ #outrunSince = null;
  /** @type {number | null} Since when nothing was answered, while there is no stream. */
  #lostSince = null;
  /** @type {Failed | null} What the server said before it closed. */ #fatal = null;
  #askedLastMs = 0;
  #attempt = 0;
  #begunMs = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #keepAlive;
  /** Ends whatever waits: a connection attempt, a pause before the next. */
  #run = new AbortController();
  /** @type {Waiter<Started> | null} */ #starting = null;
  /** @type {Waiter<Stopped> | null} */ #stopping = null;
  /** @type {Map<string, Set<(event: any) => void>>} */ #listeners = new Map();

  /**
   * @param {string | URL} url Of an endpoint, such as `api/v1/segmented`; relative to the page, and
   *   with `http:` or `ws:` as you like.
   * @param {ClientOptions} [options]
   */
  constructor(url, options = {}) {
    const address = new URL(url, globalThis.document?.baseURI);
    address.protocol = address.protocol.replace(/^http/, 'ws');
    /** The endpoint's address, absolute. */
    this.url = address.href;
    this.#options = options;
    this.#backoff = { initialMs: 500, maxMs: 30_000, attempts: Infinity, ...options.reconnect };
    if (options.reconnect === false) this.#backoff.attempts = 0;
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (!this.#WebSocket) throw new TypeError('no WebSocket here: give one in options.WebSocket');
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /** How much audio was offered since `start()`, in seconds. */
  get position() {
    return this.#seconds(this.#offeredBytes);
  }

  /** How much audio waits in the socket, in seconds. */
  get bufferedSeconds() {
    return this.#seconds(this.#socket?.bufferedAmount ?? 0);
  }

  /**
   * Begin a stream, and first connect if need be. Time restarts at 0. A stream that is open is
   * finished first, as `stop` would.
   * @param {AudioFormat} format Of the audio that `send` will be given.
   * @returns {Promise<Started>} The settings in force. While the server loads its model, this waits.
   * @throws {StreamerError} There is no connection, or the server refuses.
   */
  async start(format) {
    if (this.#state === 'closed') throw closed();
    this.#renew();
    this.#attempt = 0;
    this.#format = { channels: 1, bit_depth: 16, is_float: false, encoding: 'pcm', ...format };
    this.#bytesPerFrame = (this.#format.channels * this.#format.bit_depth) / 8;
    this.#offeredBytes = 0;
    this.#become('connecting');
    try {
      if (this.#socket === null) await this.#connect();
      return await this.#begin();
    } catch (error) {
      if (this.#state === 'connecting') this.#finish('idle');
      throw error;
    }
  }

  /**
   * Send audio. This never waits: `ready` does, until the network has room.
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio Whole frames in the format of `start`.
   * @returns {boolean} Whether it was sent. What is not sent is reported by a `lost` event.
   * @throws {StreamerError} `not_started`, or `bad_audio`: a frame is split.
   */
  send(audio) {
    if (!['connecting', 'streaming', 'reconnecting'].includes(this.#state)) {
      throw new StreamerError('not_started', 'audio is sent between start() and stop()');
    }
    if (audio.byteLength % this.#bytesPerFrame !== 0) {
      const message = `a message holds whole frames, each of ${this.#bytesPerFrame} bytes`;
      throw new StreamerError('bad_audio', message);
    }
    const sent = this.#sending && this.#hasRoom();
    if (sent) this.#socket?.send(audio);
    this.#offeredBytes += audio.byteLength;
    return sent;
  }

  /**
   * Wait until the connection stands and has room for more.
   * @returns {Promise<void>}
   * @throws {StreamerError} There is no stream any more.
   */
  async ready() {
    while (this.#state !== 'streaming' || this.bufferedSeconds > READY_SECONDS) {
      if (!['connecting', 'streaming', 'reconnecting'].includes(this.#state)) {
        throw new StreamerError('not_started', 'there is no stream to send to');
      }
      await sleep(POLL_MS, this.#run.signal);
    }
  }

  /** End the current segment now, and keep the stream open. Its `segment` has `flushed: true`. */
  flush() {
    this.#ask({ request: 'flush' });
  }

  /**
   * End the stream. Everything that is still owed comes first.
   * @param {{disconnect?: boolean}} [options] `disconnect: false` keeps the socket for the next
   *   `start`.
   * @returns {Promise<Stopped>}
   * @throws {StreamerError} The connection broke before the end, or there is no stream.
   */
  async stop({ disconnect = true } = {}) {
    if (this.#state === 'reconnecting') {
      this.#finish('idle');
      throw new StreamerError('connection_lost', 'stopped while there was no connection');
    }
    if (this.#state !== 'streaming') {
      throw new StreamerError('not_started', 'there is no stream to stop');
    }
    if (this.#outrunSince !== null) this.#report('outrun', this.#outrunSince, this.position);
    this.#sending = false;
    this.#ask({ request: 'stop', disconnect });
    /** @type {Promise<Stopped>} */
    const stopped = new Promise((resolve, reject) => (this.#stopping = { resolve, reject }));
    this.#become('stopping');
    return stopped;
  }

  /** Close the connection at once, whatever is still owed. The client cannot be used again. */
  close() {
    if (this.#state === 'closed') return;
    const socket = this.#socket;
    this.#finish('closed');
    socket?.close(1000);
  }

  /**
   * Be told of events of one type.
   * @template {ClientEvent['type']} T
   * @param {T} type
   * @param {(event: EventOf<T>) => void} listener
   * @returns {() => void} Call it to be told no more.
   */
  on(type, listener) {
    return this.#listen(type, listener);
  }

  /**
   * Be told of every event.
   * @param {(event: ClientEvent) => void} listener
   * @returns {() => void} Call it to be told no more.
   */
  onEvent(listener) {
    return this.#listen('*', listener);
  }

  /**
   * Be told of every message of the server, as it came; for logs.
   * @param {(json: string) => void} listener
   * @returns {() => void} Call it to be told no more.
   */
  onMessage(listener) {
    return this.#listen('message', listener);
  }

  /**
   * Every event from now on, until there is no stream any more: after `stop()` or `close()`, or when
   * the client gives up. To miss nothing, call it before `start()`. A reader that does not keep up
   * is spared interim results, and nothing else.
   * @returns {AsyncGenerator<ClientEvent, void, void>}
   */
  events() {
    /** @type {ClientEvent[]} */
    const waiting = [];
    let wake = () => {};
    let over = false;
    const off = this.onEvent((event) => {
      if (over || (event.type === 'interim' && waiting.length >= PATIENT_EVENTS)) return;
      waiting.push(event);
      over = event.type === 'connection' && (event.state === 'idle' || event.state === 'closed');
      wake();
    });
    return (async function* () {
      try {
        while (true) {
          for (let event = waiting.shift(); event; event = waiting.shift()) yield event;
          if (over) return;
          await new Promise((resolve) => (wake = () => resolve(undefined)));
        }
      } finally {
        off();
      }
    })();
  }

  /** `for await (const event of client)` */
  [Symbol.asyncIterator]() {
    return this.events();
  }

  /** @param {number} bytes */
  #seconds(bytes) {
    return this.#format === null ? 0 : bytes / this.#bytesPerFrame / this.#format.sample_rate;
  }

  // ── Connecting, and connecting again ──

  /** Forget everything about streams before. */
  #renew() {
    this.#run.abort(closed());
    this.#run = new AbortController();
    this.#sending = false;
    this.#outrunSince = null;
    this.#lostSince = null;
    this.#fatal = null;
  }

  /** @returns {Promise<void>} */
  async #connect() {
    const { signal } = this.#run;
    const token = await call(this.#options.token).catch((cause) => {
      if (cause instanceof StreamerError) throw cause;
      const message = `there is no token to connect with: ${cause?.message ?? cause}`;
      throw new StreamerError('connection_failed', message, { cause });
    });
    signal.throwIfAborted();
    const fits = token !== undefined && TOKEN.test(token);
    this.#tokenInStart = fits ? undefined : token;
    // Without a token no subprotocol is offered: whatever stands between may not pass one on.
    const protocols = fits ? [SUBPROTOCOL, `token.${token}`] : [];
    const socket = new this.#WebSocket(this.url, protocols);
    this.#socket = socket;
    this.#asked = [];
    this.#stream = null;
    socket.addEventListener('message', ({ data }) => this.#heard(socket, data));
    socket.addEventListener('error', () => {}); // `close` follows and tells more
    await new Promise((resolve, reject) => {
      const giveUp = () => socket.close();
      const timer = setTimeout(giveUp, this.#options.connectTimeoutMs ?? 10_000);
      signal.addEventListener('abort', giveUp);
      socket.addEventListener('open', () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(undefined);
      });
      socket.addEventListener('close', ({ code }) => {
        clearTimeout(timer);
        this.#lost(socket, code);
        // Without effect after `open`.
        reject(new StreamerError('connection_failed', `there is no connection to ${this.url}`));
      });
    });
    signal.throwIfAborted();
    this.#keepAlive = setInterval(() => this.#stayAlive(), KEEP_ALIVE_MS / 2);
    /** @type {any} */ (this.#keepAlive).unref?.(); // in Node: not a reason to stay
  }

  /**
   * A socket is closed, whether it was open or not.
   * @param {WebSocket} socket
   * @param {number} code
   */
  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#sending = false;
    clearInterval(this.#keepAlive);
    const message = this.#fatal?.message ?? `the connection was lost (code ${code})`;
    const error = new StreamerError(this.#fatal?.code ?? 'connection_lost', message);
    if (this.#state !== 'idle') this.#lostSince ??= this.#unanswered();
    if (this.#state === 'streaming' && this.#maySucceed(error)) {
      void this.#reconnect(this.#run.signal);
    } else if (this.#state === 'streaming' || this.#state === 'stopping') {
      this.#giveUp(error);
    }
    this.#starting?.reject(error);
    this.#starting = null;
  }

  /** @param {StreamerError} error */
  #maySucceed(error) {
    return this.#backoff.attempts > 0 && !HOPELESS.has(error.code);
  }

  /** @param {AbortSignal} signal */
  async #reconnect(signal) {
    const { initialMs, maxMs, attempts } = this.#backoff;
    let error = new StreamerError('connection_lost', 'the connection could not be restored');
    // A server that accepts and gives up again soon is not asked more and more often.
    if (Date.now() - this.#begunMs >= STABLE_MS) this.#attempt = 0;
    while (this.#attempt < attempts && this.#maySucceed(error)) {
      const attempt = (this.#attempt += 1);
      // Somewhere in the upper half, so that many clients do not come back at the same moment.
      const delayMs = Math.min(maxMs, initialMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
      this.#become('reconnecting', { attempt, delay_seconds: delayMs / 1000 });
      try {
        await sleep(delayMs, signal);
        this.#fatal = null;
        await this.#connect();
        await this.#begin();
        return;
      } catch (failure) {
        if (signal.aborted) return;
        error = /** @type {StreamerError} */ (failure);
      }
    }
    this.#giveUp(error);
  }

  /** @param {StreamerError} error */
  #giveUp(error) {
    const said = this.#fatal !== null;
    this.#finish('idle', error);
    if (said) return;
    this.#emit({ type: 'error', code: error.code, message: error.message, fatal: true });
  }

  /**
   * There is no stream any more, and none will follow by itself.
   * @param {'idle' | 'closed'} state
   * @param {StreamerError} [error]
   */
  #finish(state, error = closed()) {
    const open = this.#state === 'streaming' || this.#state === 'stopping';
    const since = this.#lostSince ?? (open ? this.#unanswered() : null);
    if (since !== null) this.#report('disconnected', since, this.position);
    this.#renew();
    this.#starting?.reject(error);
    this.#stopping?.reject(error);
    this.#starting = this.#stopping = null;
    this.#stream = null;
    this.#become(state);
  }

  // ── Streams ──

  /** @returns {Promise<Started>} */
  #begin() {
    /** @type {Promise<Started>} */
    const started = new Promise((resolve, reject) => (this.#starting = { resolve, reject }));
    this.#askForStream();
    this.#sending = true;
    return started;
  }

  #askForStream() {
    const { interimResults, vad, model, traceparent } = this.#options;
    this.#asked.push(new Stream(this.position));
    this.#ask({
      request: 'start',
      format: this.#format,
      interim_results: interimResults,
      vad,
      model,
      trace_id: typeof traceparent === 'function' ? traceparent() : traceparent,
      token: this.#tokenInStart,
    });
  }

  /** @param {object} request Fields that are undefined are left out. */
  #ask(request) {
    if (this.#socket?.readyState !== OPEN) return;
    this.#socket.send(JSON.stringify(request));
    this.#askedLastMs = Date.now();
  }

  /** Audio may pause; the server should not think that the client is gone. */
  #stayAlive() {
    const due = Date.now() - this.#askedLastMs >= KEEP_ALIVE_MS;
    if (this.#state === 'streaming' && due) this.#ask({ request: 'keep_alive' });
  }

  /**
   * Whether the socket may take more. Once audio has outrun the network, what comes is not sent
   * until the socket is almost empty; then a new stream begins, so that times stay right.
   */
  #hasRoom() {
    if (this.#outrunSince === null) {
      if (this.bufferedSeconds <= (this.#options.maxBufferedSeconds ?? 10)) return true;
      this.#outrunSince = this.position;
      return false;
    }
    if (this.bufferedSeconds > READY_SECONDS) return false;
    this.#report('outrun', this.#outrunSince, this.position);
    this.#outrunSince = null;
    this.#askForStream();
    return true;
  }

  /** Since when nothing was answered, in seconds since `start()`. */
  #unanswered() {
    const sent = this.#outrunSince ?? this.position;
    return this.#stream?.unanswered(sent) ?? this.#asked[0]?.offset ?? sent;
  }

  /**
   * @param {WebSocket} socket
   * @param {unknown} data
   */
  #heard(socket, data) {
    if (socket !== this.#socket || typeof data !== 'string') return;
    for (const listener of [...(this.#listeners.get('message') ?? [])]) listener(data);
    const event = JSON.parse(data);
    if (event.type === 'started') this.#stream = this.#asked.shift() ?? null;
    this.#stream?.note(event);
    if (event.type === 'error' && event.fatal) this.#fatal = event;
    this.#emit(this.#stream?.rebase(event) ?? event);
    if (event.type === 'started') this.#onStarted(event);
    if (event.type === 'stopped') this.#onStopped(event);
    if (event.type === 'error' && (event.fatal || REFUSALS.has(event.code))) this.#refused(event);
  }

  /** @param {Started} event */
  #onStarted(event) {
    if (this.#lostSince !== null && this.#stream !== null) {
      this.#report('disconnected', this.#lostSince, this.#stream.offset);
      this.#lostSince = null;
    }
    if (this.#starting === null) return; // goes on after audio had outrun the network
    this.#begunMs = Date.now();
    this.#become('streaming');
    this.#starting.resolve(event);
    this.#starting = null;
  }

  /** @param {Stopped} event */
  #onStopped(event) {
    if (this.#stopping === null || this.#asked.length > 0) return;
    this.#stopping.resolve(event);
    this.#stopping = null;
    this.#stream = null;
    this.#become('idle');
  }

  /** @param {Failed} event */
  #refused({ code, message }) {
    if (this.#starting === null) return;
    this.#asked.pop();
    this.#starting.reject(new StreamerError(code, message));
    this.#starting = null;
  }

  // ── Telling ──

  /**
   * @param {State} state
   * @param {{attempt?: number, delay_seconds?: number}} [details]
   */
  #become(state, details = {}) {
    if (state === this.#state && state !== 'reconnecting') return;
    this.#state = state;
    this.#emit({ type: 'connection', state, ...details });
  }

  /**
   * @param {Lost['reason']} reason
   * @param {number} start_time
   * @param {number} end_time
   */
  #report(reason, start_time, end_time) {
    if (end_time > start_time) this.#emit({ type: 'lost', start_time, end_time, reason });
  }

  /**
   * @param {string} type
   * @param {(event: any) => void} listener
   */
  #listen(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** @param {ClientEvent} event */
  #emit(event) {
    for (const type of [event.type, '*']) {
      for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(event);
    }
  }
}

/**
 * @template T
 * @typedef {{resolve: (value: T) => void, reject: (error: Error) => void}} Waiter
 */

const closed = () => new StreamerError('closed', 'the client was closed');

/** @param {ClientOptions['token']} token */
const call = async (token) => (typeof token === 'function' ? token() : token);

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return void reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}

// ── The microphone ───────────────────────────────────────────────────────────────────────────────

/**
 * @typedef {object} MicrophoneOptions
 * @property {string} [deviceId] One of `navigator.mediaDevices.enumerateDevices()`.
 * @property {number} [channels] As many as wanted; a device may have fewer. 1 when absent.
 * @property {number} [sampleRate] In Hz; the device's own when absent. The browser resamples.
 * @property {number} [messageMs] Length of a message. 20 when absent.
 * @property {boolean} [processing] Echo cancellation, noise suppression and automatic gain. Off when
 *   absent: models want the sound as it is.
 * @property {string | URL} [workletUrl] Of `capture-worklet.js`; beside this module when absent.
 */

/**
 * A microphone, captured on the audio thread as 16-bit PCM.
 *
 *     const microphone = await Microphone.open();
 *     await client.start(microphone.format);
 *     microphone.onAudio((pcm) => client.send(pcm));
 */
export class Microphone {
  #context;
  #media;
  #node;
  #closing = false;
  /** @type {Set<(pcm: ArrayBuffer) => void>} */ #audioListeners = new Set();
  /** @type {Set<(reason: StreamerError) => void>} */ #endListeners = new Set();

  /**
   * Ask for the microphone and begin to capture.
   * @param {MicrophoneOptions} [options]
   * @returns {Promise<Microphone>}
   * @throws {StreamerError} `insecure_page`, `microphone_refused`, `microphone_absent`,
   *   `microphone_busy`, `worklet_failed`.
   */
  static async open(options = {}) {
    const { channels = 1, messageMs = 20 } = options;
    const workletUrl = options.workletUrl ?? new URL('./capture-worklet.js', import.meta.url);
    const media = await getMedia(options);
    /** @type {AudioContext | undefined} */
    let context;
    try {
      const [track] = media.getAudioTracks();
      const count = Math.min(channels, track?.getSettings().channelCount ?? channels);
      const opened = openContext(media, options.sampleRate);
      context = opened.context;
      await addWorklet(context, workletUrl);
      const node = new AudioWorkletNode(context, 'streamer-capture', {
        numberOfOutputs: 0,
        channelCount: count,
        channelCountMode: 'explicit',
        processorOptions: { channels: count, messageMs },
      });
      opened.source.connect(node);
      await context.resume();
      return new Microphone(context, media, node, count);
    } catch (error) {
      for (const track of media.getTracks()) track.stop();
      await context?.close();
      throw error;
    }
  }

  /**
   * @private Use `Microphone.open`.
   * @param {AudioContext} context
   * @param {MediaStream} media
   * @param {AudioWorkletNode} node
   * @param {number} channels
   */
  constructor(context, media, node, channels) {
    this.#context = context;
    this.#media = media;
    this.#node = node;
    /** What `onAudio` gives, for `StreamerClient.start`. */
    this.format = /** @type {const} */ ({
      sample_rate: context.sampleRate,
      channels,
      bit_depth: 16,
      is_float: false,
    });
    const [track] = media.getAudioTracks();
    /** What the browser calls the device. */
    this.label = track?.label ?? '';
    track?.addEventListener('ended', () => this.#ended());
    node.port.onmessage = ({ data }) => {
      for (const listener of this.#audioListeners) listener(data);
    };
  }

  /**
   * Be given the audio: interleaved 16-bit samples, some tens of milliseconds at a time.
   * @param {(pcm: ArrayBuffer) => void} listener
   * @returns {() => void} Call it to be given no more.
   */
  onAudio(listener) {
    this.#audioListeners.add(listener);
    return () => void this.#audioListeners.delete(listener);
  }

  /**
   * Be told when the microphone ends by itself: unplugged, or its permission withdrawn.
   * @param {(reason: StreamerError) => void} listener
   * @returns {() => void} Call it to be told no more.
   */
  onEnded(listener) {
    this.#endListeners.add(listener);
    return () => void this.#endListeners.delete(listener);
  }

  /** Hand out what was captured up to now, and let go of the device. */
  async close() {
    if (this.#closing) return;
    this.#closing = true;
    const drained = new Promise((resolve) => {
      const { port } = this.#node;
      const give = port.onmessage;
      port.onmessage = (message) => {
        if (message.data === null) resolve(undefined);
        else give?.call(port, message);
      };
      port.postMessage('stop');
      setTimeout(resolve, DRAIN_MS); // a context that the browser has suspended does not answer
    });
    await drained;
    for (const track of this.#media.getTracks()) track.stop();
    await this.#context.close();
  }

  #ended() {
    const reason = new StreamerError('microphone_unplugged', 'the microphone was disconnected');
    for (const listener of this.#endListeners) listener(reason);
  }
}

const DRAIN_MS = 300;

/** @type {Record<string, [string, string]>} What the browser says, and what that means. */
const MEDIA_ERRORS = {
  NotAllowedError: ['microphone_refused', 'the page may not use the microphone'],
  SecurityError: ['microphone_refused', 'the page may not use the microphone'],
  NotFoundError: ['microphone_absent', 'no microphone was found'],
  OverconstrainedError: ['microphone_absent', 'this microphone is not there any more'],
  NotReadableError: ['microphone_busy', 'the microphone cannot be read; is it in use elsewhere?'],
};

/**
 * @param {MicrophoneOptions} options
 * @returns {Promise<MediaStream>}
 */
async function getMedia({ deviceId, channels = 1, processing = false }) {
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices) {
    const message = 'browsers give the microphone only to pages over https, or on localhost';
    throw new StreamerError('insecure_page', message);
  }
  const audio = {
    channelCount: { ideal: channels },
    echoCancellation: processing,
    noiseSuppression: processing,
    autoGainControl: processing,
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  };
  try {
    return await devices.getUserMedia({ audio });
  } catch (error) {
    const { name, message } = /** @type {DOMException} */ (error);
    const [code, meaning] = MEDIA_ERRORS[name] ?? ['microphone_busy', message];
    throw new StreamerError(code, meaning, { cause: error });
  }
}

/**
 * @param {AudioContext} context
 * @param {string | URL} url
 */
async function addWorklet(context, url) {
  try {
    await context.audioWorklet.addModule(url);
  } catch (error) {
    throw new StreamerError('worklet_failed', `cannot load ${url}`, { cause: error });
  }
}

/**
 * @param {MediaStream} media
 * @param {number | undefined} sampleRate
 */
function openContext(media, sampleRate) {
  const context = new AudioContext(sampleRate ? { sampleRate } : {});
  try {
    return { context, source: context.createMediaStreamSource(media) };
  } catch (error) {
    // Some browsers do not resample a microphone; then its own rate is used.
    void context.close();
    if (sampleRate) return openContext(media, undefined);
    throw error;
  }
}
