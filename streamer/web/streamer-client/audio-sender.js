/** The audio that a program offers: sent, or held back while the network is too slow. */

import { AudioPosition } from './audio-position.js';
import { beginsContainer } from './container-head.js';
import { StreamerError } from './errors.js';
import { requireSamples } from './sample-type.js';

/** @import { ServerConnection } from './connection.js' */
/** @import { AudioFormat, ContainerFormat } from './messages.js' */
/** @import { ClientOptions } from './options.js' */

/** Seconds of audio in the socket above which it has no room for more. */
const ROOM_SECONDS = 1;

/** Seconds of audio that may wait in the socket, unless the options set another limit. */
const DEFAULT_MAX_BUFFERED_SECONDS = 10;

/**
 * Sends audio, and counts it whether it is sent or not. When audio outruns the network, no audio is
 * sent until the socket is almost empty. The rest of a container of which a part is missing is of no
 * use: then no audio is sent until a new container begins.
 */
export class AudioSender {
  /** @type {ClientOptions} */ #options;
  /** @type {ServerConnection} */ #connection;
  /** @type {(outrunSince: number) => void} */ #onResume;
  #position = new AudioPosition();
  #isOpen = false;
  /** @type {number | null} */ #outrunSince = null;
  /** @type {() => void} */ #onContainerNeeded;
  /** @type {'no' | 'yes' | 'asked'} Whether a new container has to begin. */ #containerNeeded = 'no';

  /**
   * @param {ClientOptions} options
   * @param {ServerConnection} connection
   * @param {(outrunSince: number) => void} onResume Audio will be sent again. It was not sent since
   *   this position, in seconds.
   * @param {() => void} onContainerNeeded A new container has to begin.
   */
  constructor(options, connection, onResume, onContainerNeeded) {
    this.#options = options;
    this.#connection = connection;
    this.#onResume = onResume;
    this.#onContainerNeeded = onContainerNeeded;
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

  /** @param {AudioFormat | ContainerFormat} format Of the audio that follows, which begins at 0 seconds. */
  restart(format) {
    this.#position.restart(format);
    this.#containerNeeded = 'no';
  }

  /** Another stream has begun on a new connection: the old container is of no use there. */
  restartContainer() {
    if (!this.#position.isContainer) return;
    this.#outrunSince ??= this.position;
    this.#containerNeeded = 'yes';
    this.#askForContainer();
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
   * @param {number} seconds The length of the audio, if it is in a container.
   * @returns {boolean} Whether it was sent.
   * @throws {StreamerError} `bad_audio`: it is no buffer, an array of other elements than the samples
   *   of the stream, or a frame is split.
   */
  send(audio, seconds) {
    requireBuffer(audio);
    requireSamples(audio, this.format);
    this.#position.requireWholeFrames(audio.byteLength);
    // A socket that closes takes nothing any more, before it reports that it is closed.
    const isSent = this.#isOpen && this.#connection.isOpen && this.#admit(audio);
    if (isSent) this.#connection.sendAudio(audio);
    this.#position.advance(audio.byteLength, seconds);
    return isSent;
  }

  /**
   * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio
   * @returns {boolean} Whether the socket may take the audio, which is offered now.
   */
  #admit(audio) {
    if (this.#outrunSince === null) {
      const limit = this.#options.maxBufferedSeconds ?? DEFAULT_MAX_BUFFERED_SECONDS;
      if (this.bufferedSeconds <= limit) return true;
      this.#outrunSince = this.position;
      if (this.#position.isContainer) this.#containerNeeded = 'yes';
      return false;
    }
    if (this.mustWait) return false;
    if (this.#containerNeeded !== 'no' && !beginsContainer(audio)) {
      this.#askForContainer();
      return false;
    }
    const since = this.#outrunSince;
    this.#containerNeeded = 'no';
    this.#outrunSince = null;
    this.#onResume(since);
    return this.#isOpen; // a listener may have stopped the stream
  }

  #askForContainer() {
    if (this.#containerNeeded === 'asked') return;
    this.#containerNeeded = 'asked';
    this.#onContainerNeeded();
  }
}

/** @type {Record<string, string>} How to get a buffer from something else. */
const REMEDIES = {
  Array: '; for 16-bit samples: Int16Array.from(...)',
  AudioBuffer: '; it has an array for each channel: buffer.getChannelData(0)',
  Blob: '; for a Blob: await blob.arrayBuffer()',
  Promise: '; wait for it with await',
};

/**
 * @param {unknown} value
 * @param {string} kind The name of its class.
 */
function nameOf(value, kind) {
  if (value === undefined || value === null) return String(value);
  const name = typeof value === 'object' ? kind : typeof value;
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** @param {unknown} audio */
function requireBuffer(audio) {
  if (ArrayBuffer.isView(audio) || Object.prototype.toString.call(audio) === '[object ArrayBuffer]') {
    return;
  }
  const kind = Object.prototype.toString.call(audio).slice(8, -1);
  throw new StreamerError(
    'bad_audio',
    `audio is ${nameOf(audio, kind)}; allowed: an ArrayBuffer, a typed array or a DataView${REMEDIES[kind] ?? ''}`,
  );
}
