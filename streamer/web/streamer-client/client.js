/** The client, as programs use it. */

import { StreamerError } from './errors.js';
import { EventListeners } from './event-listeners.js';
import { EventQueue } from './event-queue.js';
import { checkName } from './known-names.js';
import { StreamLifecycle } from './lifecycle.js';
import { sleep } from './sleep.js';

/** @import { AudioFormat, ClientEvent, EventOf, Started, State, Stopped } from './messages.js' */
/** @import { ClientOptions } from './options.js' */

/** Milliseconds between two checks whether there is room for more audio. */
const POLL_MS = 20;

/** @type {(keyof ClientOptions)[]} */
const OPTIONS = [
  'interimResults', 'words', 'keyterms', 'vad', 'model', 'token', 'traceparent', 'reconnect',
  'maxBufferedSeconds', 'connectTimeoutMs', 'WebSocket',
];

/** @type {ClientEvent['type'][]} */
const EVENT_TYPES = [
  'started', 'active', 'inactive', 'interim', 'segment', 'flushed', 'warning', 'error', 'stopped',
  'going_away', 'lost', 'connection',
];

/** A stream of audio to the server, and of events back. */
export class StreamerClient {
  #listeners = new EventListeners();
  /** @type {StreamLifecycle} */ #lifecycle;

  /**
   * @param {string | URL} url Of an endpoint, such as `api/v1/segmented`. It may be relative to the
   *   page, and may begin with `http:` or `ws:`.
   * @param {ClientOptions} [options]
   * @throws {TypeError} There is no address, it is not valid, or there is no such option.
   */
  constructor(url, options = {}) {
    if (!url) throw new TypeError("the address is missing; give one such as '/api/v1/segmented'");
    for (const name of Object.keys(options)) checkName('option', name, OPTIONS);
    const address = new URL(url, globalThis.document?.baseURI);
    address.protocol = address.protocol.replace(/^http/, 'ws');
    /** The endpoint's address, absolute. */
    this.url = address.href;
    this.#lifecycle = new StreamLifecycle(() => this.url, options, {
      onMessage: (message) => this.#listeners.call('message', message),
      onEvent: (event) => {
        this.#listeners.call(event.type, event);
        this.#listeners.call('*', event);
      },
    });
  }

  /** @returns {State} */
  get state() {
    return this.#lifecycle.state;
  }

  /** How much audio was offered since `start()`, in seconds. */
  get position() {
    return this.#lifecycle.audio.position;
  }

  /** How much audio waits in the socket, in seconds. */
  get bufferedSeconds() {
    return this.#lifecycle.audio.bufferedSeconds;
  }

  /**
   * Begin a stream, and first connect if necessary. Time restarts at 0. A stream that is open is
   * finished first, as `stop` would. While another `start` or a `stop` waits for its reply, this
   * waits for it too.
   * @param {AudioFormat} format Of the audio that `send` receives.
   * @returns {Promise<Started>} The settings in force. While the server loads its model, this waits.
   * @throws {StreamerError} There is no connection, or the server refuses.
   */
  start(format) {
    return this.#lifecycle.start(format);
  }

  /**
   * Send audio. This never waits; `ready` waits until the network has room.
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio Whole frames in the format of `start`.
   * @returns {boolean} Whether it was sent. Audio that is not sent is reported by a `lost` event.
   * @throws {StreamerError} `not_started`, or `bad_audio`: a frame is split, or it is no
   *   buffer of bytes.
   */
  send(audio) {
    if (!this.#lifecycle.acceptsAudio) {
      throw new StreamerError('not_started', 'audio is sent between start() and stop()');
    }
    return this.#lifecycle.audio.send(audio);
  }

  /**
   * Wait until there is a connection and it has room for more audio.
   * @returns {Promise<void>}
   * @throws {StreamerError} There is no stream any more.
   */
  async ready() {
    while (this.state !== 'streaming' || this.#lifecycle.audio.mustWait) {
      if (!this.#lifecycle.acceptsAudio) {
        throw new StreamerError('not_started', 'there is no stream to send to');
      }
      await sleep(POLL_MS, this.#lifecycle.signal);
    }
  }

  /**
   * End the current segment now, and keep the stream open. Its `segment` has `flushed: true`. Events
   * of audio that is sent afterwards follow the `flushed` event of their channel.
   * @returns {Promise<void>} Resolves when all results of the audio until now have arrived. It
   *   rejects with a `StreamerError` when there is no stream, or the connection breaks before; a
   *   caller that does not wait need not handle that.
   */
  flush() {
    const answered = this.#lifecycle.flush();
    answered.catch(() => {});
    return answered;
  }

  /**
   * End the stream. All pending results arrive first.
   * @param {{disconnect?: boolean}} [options] `disconnect: false` keeps the socket for the next
   *   `start`.
   * @returns {Promise<Stopped>}
   * @throws {StreamerError} The connection broke before the end, or there is no stream.
   */
  async stop({ disconnect = true } = {}) {
    return this.#lifecycle.stop(disconnect);
  }

  /**
   * Make the next attempt to reconnect at once, such as when a person asks for it. It has no effect
   * unless the client waits before an attempt.
   */
  reconnectNow() {
    this.#lifecycle.reconnectNow();
  }

  /** Close the connection at once, without pending results. The client cannot be used again. */
  close() {
    this.#lifecycle.close();
  }

  /**
   * Receive the events of one type.
   * @template {ClientEvent['type']} T
   * @param {T} type
   * @param {(event: EventOf<T>) => void} listener
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} There is no such type.
   */
  on(type, listener) {
    checkName('event', type, EVENT_TYPES);
    return this.#listeners.add(type, listener);
  }

  /**
   * Receive every event.
   * @param {(event: ClientEvent) => void} listener
   * @returns {() => void} Removes the listener.
   */
  onEvent(listener) {
    return this.#listeners.add('*', listener);
  }

  /**
   * Receive every message of the server, unchanged; for logs.
   * @param {(json: string) => void} listener
   * @returns {() => void} Removes the listener.
   */
  onMessage(listener) {
    return this.#listeners.add('message', listener);
  }

  /**
   * Every event from now on, until there is no stream any more: after `stop()` or `close()`, or when
   * the client gives up. Call it before `start()` to receive all events. A reader that is too slow
   * misses interim results, and no other events.
   * @returns {AsyncGenerator<ClientEvent, void, void>}
   */
  events() {
    return new EventQueue((listener) => this.onEvent(listener)).read();
  }

  /** `for await (const event of client)` */
  [Symbol.asyncIterator]() {
    return this.events();
  }
}
