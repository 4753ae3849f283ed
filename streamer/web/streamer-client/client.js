/** The client, as programs use it. */

import { resolveAddress } from './address.js';
import { EventListeners } from './event-listeners.js';
import { EventQueue } from './event-queue.js';
import { checkFormat } from './known-format.js';
import { checkName } from './known-names.js';
import { checkClientOptions } from './known-options.js';
import { StreamLifecycle } from './lifecycle.js';
import { noStreamError } from './no-stream.js';
import { sleep } from './sleep.js';

/** @import { AudioFormat, ClientEvent, ContainerFormat, EventOf, Started, State, Stopped } from './messages.js' */
/** @import { ClientOptions, StreamSettings } from './options.js' */

/** Milliseconds between two checks whether there is room for more audio. */
const POLL_MS = 20;

/** @type {(keyof StreamSettings)[]} */
const SETTINGS = ['interimResults', 'words', 'keyterms', 'vad', 'model', 'eager'];

/** @type {ClientEvent['type'][]} */
const EVENT_TYPES = [
  'started', 'configured', 'active', 'inactive', 'interim', 'resumed', 'segment', 'flushed', 'warning', 'error',
  'stopped', 'going_away', 'lost', 'connection', 'container_needed',
];

/** @type {Record<string, string>} What other programs call an event → what to do. */
const OTHER_EVENTS = Object.fromEntries(
  [
    ['segment', 'final', 'transcript', 'transcription', 'result', 'results'],
    ['interim', 'partial', 'delta'],
    ['connection', 'state', 'open', 'close', 'connected', 'disconnected'],
  ].flatMap(([ours, ...names]) => names.map((name) => [name, `did you mean '${ours}'?`])),
);

/** A stream of audio to the server, and of events back. */
export class StreamerClient {
  #listeners = new EventListeners();
  /** @type {StreamLifecycle} */ #lifecycle;

  /**
   * @param {string | URL} url Of an endpoint, such as `api/v1/segmented`. It may be relative to the
   *   page, and may begin with `http:` or `ws:`.
   * @param {ClientOptions} [options]
   * @throws {TypeError} There is no address, it is not valid, has a fragment or no scheme before its
   *   host, there is no such option, or it may not have this value.
   */
  constructor(url, options = {}) {
    /** The endpoint's address, absolute. */
    this.url = resolveAddress(url);
    checkClientOptions(options);
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
   * @param {AudioFormat | ContainerFormat} format Of the audio that `send` receives.
   * @returns {Promise<Started>} The settings in force. While the server loads its model, this waits:
   *   at most for the option `startTimeoutMs`.
   * @throws {StreamerError} There is no connection, the server does not answer, or it refuses.
   * @throws {TypeError} There is no format, it has no sample rate, or a field that there is not.
   */
  async start(format) {
    return this.#lifecycle.start(checkFormat(format));
  }

  /**
   * Send audio. This never waits; `ready` waits until the network has room.
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio Whole frames in the format of `start`.
   *   An `ArrayBuffer`, a `DataView` and an array of bytes are taken as they are; the elements of
   *   another array are the samples, such as an `Int16Array` for 16-bit integers. With the format
   *   `{encoding: 'auto'}`: the next bytes of a container.
   * @param {number} [seconds] With `auto`: the length of the audio in these bytes, such as the time
   *   slice of a `MediaRecorder`, for `position` and the limit of what waits.
   * @returns {boolean} Whether it was sent. Audio that is not sent is reported by a `lost` event.
   * @throws {StreamerError} `not_started`: there is no stream, also when it has ended by itself.
   *   `bad_audio`: a frame is split, it is no buffer of bytes, or its elements are others than the
   *   samples of the stream.
   */
  send(audio, seconds = 0) {
    if (!this.#lifecycle.acceptsAudio) {
      throw noStreamError('send audio to', this.state);
    }
    return this.#lifecycle.audio.send(audio, seconds);
  }

  /**
   * Wait until there is a connection and it has room for more audio.
   * @returns {Promise<void>}
   * @throws {StreamerError} There is no stream any more.
   */
  async ready() {
    while (this.state !== 'streaming' || this.#lifecycle.audio.mustWait) {
      if (!this.#lifecycle.acceptsAudio) {
        throw noStreamError('send audio to', this.state);
      }
      await sleep(POLL_MS, this.#lifecycle.signal).catch(() => {}); // the state says why it was aborted
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
   * Change settings for what is said later; a segment that has begun keeps its own. They count after
   * a reconnection, too. A `configured` event has the settings in force.
   * @param {StreamSettings} settings What is absent is unchanged.
   * @returns {boolean} Whether they were sent. While there is no connection they are kept for the
   *   next one. A value that the server refuses is reported later, as event `error`.
   * @throws {StreamerError} `not_started`: there is no stream.
   * @throws {TypeError} There is no such setting.
   */
  configure(settings) {
    for (const name of Object.keys(settings)) checkName('setting', name, SETTINGS);
    return this.#lifecycle.configure(settings);
  }

  /**
   * End the stream. All pending results arrive first. This waits as long as the server sends something,
   * and then at most for the option `stopTimeoutMs`.
   * @param {{disconnect?: boolean}} [options] `disconnect: false` keeps the socket for the next
   *   `start`.
   * @returns {Promise<Stopped>}
   * @throws {StreamerError} The connection broke before the end, or there is no stream.
   * @throws {TypeError} There is no such option.
   */
  async stop(options = {}) {
    for (const name of Object.keys(options)) checkName('option', name, ['disconnect']);
    return this.#lifecycle.stop(options.disconnect ?? true);
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
   * @param {(event: EventOf<T>) => void} listener An error of it is reported as uncaught, and changes
   *   nothing else.
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} There is no such type, or the listener is no function.
   */
  on(type, listener) {
    checkName('event', type, EVENT_TYPES, OTHER_EVENTS);
    return this.#listeners.add(type, listener);
  }

  /**
   * Receive every event.
   * @param {(event: ClientEvent) => void} listener As that of `on`.
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} The listener is no function.
   */
  onEvent(listener) {
    return this.#listeners.add('*', listener);
  }

  /**
   * Receive every message of the server, unchanged; for logs.
   * @param {(json: string) => void} listener As that of `on`.
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} The listener is no function.
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
