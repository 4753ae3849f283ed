/** The audio that a program offers: sent, or held back while the network is too slow. */

import { AudioPosition } from './audio-position.js';
import { StreamerError } from './errors.js';

/** @import { ServerConnection } from './connection.js' */
/** @import { AudioFormat } from './messages.js' */
/** @import { ClientOptions } from './options.js' */

/** Seconds of audio in the socket above which it has no room for more. */
const ROOM_SECONDS = 1;

/** Seconds of audio that may wait in the socket, unless the options set another limit. */
const DEFAULT_MAX_BUFFERED_SECONDS = 10;

/**
 * Sends audio, and counts it whether it is sent or not. When audio outruns the network, no audio is
 * sent until the socket is almost empty.
 */
export class AudioSender {
  /** @type {ClientOptions} */ #options;
  /** @type {ServerConnection} */ #connection;
  /** @type {(outrunSince: number) => void} */ #onResume;
  #position = new AudioPosition();
  #isOpen = false;
  /** @type {number | null} */ #outrunSince = null;

  /**
   * @param {ClientOptions} options
   * @param {ServerConnection} connection
   * @param {(outrunSince: number) => void} onResume Audio will be sent again. It was not sent since
   *   this position, in seconds.
   */
  constructor(options, connection, onResume) {
    this.#options = options;
    this.#connection = connection;
    this.#onResume = onResume;
  }

  get format() {
    return this.#position.format;
  }

  /** How much audio was offered, in seconds. */
  get position() {
    return this.#position.seconds;
  }

  /** How much audio waits in the socket, in seconds. */
  get bufferedSeconds() {
    return this.#position.secondsOf(this.#connection.bufferedBytes);
  }

  get mustWait() {
    return this.bufferedSeconds > ROOM_SECONDS;
  }

  /** Position since which audio outruns the network and is not sent; null while it does not. */
  get outrunSince() {
    return this.#outrunSince;
  }

  /** @param {AudioFormat} format Of the audio that follows, which begins at 0 seconds. */
  restart(format) {
    this.#position.restart(format);
  }

  /** A stream is requested: audio may follow. */
  open() {
    this.#isOpen = true;
  }

  /** The stream ends: no audio may follow. */
  close() {
    this.#isOpen = false;
  }

  /** Audio no longer outruns the network, because the stream is over. */
  clearOutrun() {
    this.#outrunSince = null;
  }

  /**
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio
   * @returns {boolean} Whether it was sent.
   * @throws {StreamerError} `bad_audio`: it is no buffer of bytes, or a frame is split.
   */
  send(audio) {
    requireBuffer(audio);
    this.#position.requireWholeFrames(audio.byteLength);
    // A socket that closes takes nothing any more, before it reports that it is closed.
    const isSent = this.#isOpen && this.#connection.isOpen && this.#admit();
    if (isSent) this.#connection.sendAudio(audio);
    this.#position.advance(audio.byteLength);
    return isSent;
  }

  /** @returns {boolean} Whether the socket may take the audio that is offered now. */
  #admit() {
    if (this.#outrunSince === null) {
      const limit = this.#options.maxBufferedSeconds ?? DEFAULT_MAX_BUFFERED_SECONDS;
      if (this.bufferedSeconds <= limit) return true;
      this.#outrunSince = this.position;
      return false;
    }
    if (this.mustWait) return false;
    this.#onResume(this.#outrunSince);
    this.#outrunSince = null;
    return true;
  }
}

/** @param {unknown} audio */
function requireBuffer(audio) {
  if (ArrayBuffer.isView(audio) || Object.prototype.toString.call(audio) === '[object ArrayBuffer]') {
    return;
  }
  const kind = Object.prototype.toString.call(audio).slice(8, -1);
  throw new StreamerError(
    'bad_audio',
    `audio is ${kind}; allowed: an ArrayBuffer, a typed array or a DataView`,
  );
}
