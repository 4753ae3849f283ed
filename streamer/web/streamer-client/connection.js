/** The WebSocket to the server. */

import { StreamerError } from './errors.js';
import { describeFailedConnection, describeForbiddenConnection, forbids } from './failed-connection.js';
import { DEFAULT_CONNECT_TIMEOUT_MS } from './reply-limits.js';
import { unlessAborted } from './sleep.js';

/** @import { ClientOptions, WebSocketConstructor } from './options.js' */

/** Milliseconds without a request after which a `keep_alive` is sent. */
const KEEP_ALIVE_MS = 10_000;

/** Bytes of a message at most, until the server says its limit. */
const DEFAULT_MAX_MESSAGE_BYTES = 262_144;

/** The code of a connection that ended without a closing handshake (RFC 6455, section 7.1.5). */
const ABNORMAL_CLOSURE = 1006;

/** `WebSocket.OPEN`. */
const OPEN = 1;

/**
 * @typedef {object} ConnectionHandlers
 * @property {(message: string) => void} onMessage The server sent this text.
 * @property {(code: number) => void} onClose The socket is closed, whether it was open or not.
 * @property {() => boolean} needsKeepAlive Whether a stream is open.
 */

/** Opens the WebSocket, sends through it and keeps it alive. */
export class ServerConnection {
  /** @type {ClientOptions} */ #options;
  /** @type {WebSocketConstructor} */ #WebSocket;
  /** @type {ConnectionHandlers} */ #handlers;
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {string | undefined} */ #token;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #keepAliveTimer;
  #lastRequestMs = 0;
  /** The server's limit of a message, in bytes. */
  maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES;

  /**
   * @param {ClientOptions} options
   * @param {ConnectionHandlers} handlers
   */
  constructor(options, handlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (!this.#WebSocket) throw new TypeError('no WebSocket here: give one in options.WebSocket');
  }

  get isOpen() {
    return this.#socket?.readyState === OPEN;
  }

  /** How many bytes wait in the socket. */
  get bufferedBytes() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /**
   * The token for the `start` request. A wrong token in a subprotocol would be refused before the
   * socket opens, and browsers hide why; a wrong token in `start` is answered with an error.
   */
  get token() {
    return this.#token;
  }

  /**
   * @param {string} url
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   * @throws {StreamerError} `connection_failed`, or what the option `token` throws.
   */
  async open(url, signal) {
    this.#token = await unlessAborted(resolveToken(this.#options.token).catch(throwTokenError), signal);
    const socket = this.#newSocket(url);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#onMessage(socket, data));
    await this.#untilOpen(socket, url, signal);
    signal.throwIfAborted();
    this.#keepAliveTimer = setInterval(() => this.#keepAlive(), KEEP_ALIVE_MS / 2);
    /** @type {any} */ (this.#keepAliveTimer).unref?.(); // in Node, the timer keeps no process alive
  }

  /**
   * @param {string} url
   * @throws {StreamerError} `connection_failed`: the browser does not let this page connect to it.
   */
  #newSocket(url) {
    try {
      return new this.#WebSocket(url);
    } catch (cause) {
      throw new StreamerError('connection_failed', describeFailedConnection(url), { cause });
    }
  }

  /**
   * @param {object} request Fields that are undefined are left out.
   * @returns {boolean} Whether there is a connection to send it on.
   */
  sendRequest(request) {
    if (this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(request));
    this.#lastRequestMs = Date.now();
    return true;
  }

  /**
   * Send audio, in several messages if it is longer than one may be.
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio
   */
  sendAudio(audio) {
    if (audio.byteLength <= this.maxMessageBytes) {
      this.#socket?.send(audio);
      return;
    }
    const bytes = bytesOf(audio);
    for (let at = 0; at < bytes.length; at += this.maxMessageBytes) {
      this.#socket?.send(bytes.subarray(at, at + this.maxMessageBytes));
    }
  }

  close() {
    this.#socket?.close(1000);
  }

  /** Close the socket that there is, without a report. Nothing that it still receives matters. */
  drop() {
    clearInterval(this.#keepAliveTimer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /**
   * @param {WebSocket} socket
   * @param {string} url
   * @param {AbortSignal} signal
   */
  #untilOpen(socket, url, signal) {
    return new Promise((resolve, reject) => {
      /** @type {string | undefined} Of the environment. A browser gives none. */
      let reason;
      // `close` follows, with a code.
      socket.addEventListener('error', (event) => (reason ??= /** @type {ErrorEvent} */ (event).message));
      /** @param {number} code */
      const fail = (code, message = describeFailedConnection(url, undefined, statusIn(reason))) => {
        settle();
        this.#onClose(socket, code);
        // This has no effect after `open`.
        reject(new StreamerError('connection_failed', message));
      };
      const abandon = () => {
        settle();
        socket.close();
        reject(signal.reason);
      };
      /** @param {SecurityPolicyViolationEvent} event A browser tells the document, and not the socket. */
      const onViolation = (event) => {
        if (forbids(event, url)) fail(ABNORMAL_CLOSURE, describeForbiddenConnection(url));
      };
      globalThis.document?.addEventListener('securitypolicyviolation', onViolation);
      const timer = setTimeout(() => {
        socket.close();
        fail(ABNORMAL_CLOSURE); // a browser may not report the end of a connection that it blocked
      }, this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abandon);
        globalThis.document?.removeEventListener('securitypolicyviolation', onViolation);
      };
      signal.addEventListener('abort', abandon, { once: true });
      socket.addEventListener('open', () => {
        settle();
        resolve(undefined);
      });
      socket.addEventListener('close', ({ code }) => fail(code));
    });
  }

  /**
   * @param {WebSocket} socket
   * @param {unknown} data
   */
  #onMessage(socket, data) {
    if (socket === this.#socket && typeof data === 'string') this.#handlers.onMessage(data);
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code
   */
  #onClose(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#keepAliveTimer);
    this.#handlers.onClose(code);
  }

  /** Audio may pause. Without requests, the server would end the connection. */
  #keepAlive() {
    const isDue = Date.now() - this.#lastRequestMs >= KEEP_ALIVE_MS;
    if (isDue && this.#handlers.needsKeepAlive()) this.sendRequest({ request: 'keep_alive' });
  }
}

/** @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio */
const bytesOf = (audio) =>
  ArrayBuffer.isView(audio)
    ? new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength)
    : new Uint8Array(audio);

/**
 * @param {string | undefined} reason Such as `Unexpected server response: 404`, of the package `ws`.
 * @returns {number | undefined} The HTTP status with which the server did not open the WebSocket.
 */
function statusIn(reason) {
  const [, status] = /response: (\d{3})$/.exec(reason ?? '') ?? [];
  return status === undefined ? undefined : Number(status);
}

/** @param {ClientOptions['token']} token */
const resolveToken = async (token) => (typeof token === 'function' ? token() : token);

/**
 * @param {any} cause The error of a function that should return a token.
 * @returns {never}
 */
function throwTokenError(cause) {
  if (cause instanceof StreamerError) throw cause;
  const message = `there is no token to connect with: ${cause?.message ?? cause}`;
  throw new StreamerError('connection_failed', message, { cause });
}
