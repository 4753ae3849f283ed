/** The position in the audio of a stream, counted in samples, or as the recorder of a container says. */

import { StreamerError } from './errors.js';

/** @import { AudioFormat, ContainerFormat } from './messages.js' */

/** Bytes in a second of a container, until its recorder has said more: Opus at 32 kbit/s. */
const USUAL_BYTES_PER_SECOND = 4000;

/** Counts the audio that was offered, and converts bytes to seconds. */
export class AudioPosition {
  /** @type {Required<AudioFormat> | ContainerFormat | null} */ #format = null;
  #bytesPerFrame = 2;
  #offeredBytes = 0;
  #containerSeconds = 0;

  /** The complete format of the audio; null before the first `restart`. */
  get format() {
    return this.#format;
  }

  /** Whether only the bytes themselves say what the audio is. */
  get isContainer() {
    return this.#format?.encoding === 'auto';
  }

  /** How much audio was offered, in seconds. */
  get seconds() {
    return this.isContainer ? this.#containerSeconds : this.secondsOf(this.#offeredBytes);
  }

  /** @param {AudioFormat | ContainerFormat} format Of the audio that follows. */
  restart(format) {
    this.#offeredBytes = 0;
    this.#containerSeconds = 0;
    if (format.encoding === 'auto') {
      this.#format = /** @type {ContainerFormat} */ (format);
      this.#bytesPerFrame = 1;
      return;
    }
    const complete = { channels: 1, bit_depth: /** @type {const} */ (16), is_float: false };
    this.#format = { ...complete, encoding: 'pcm', ...format };
    this.#bytesPerFrame = (this.#format.channels * this.#format.bit_depth) / 8;
  }

  /**
   * @param {number} bytes
   * @throws {StreamerError} `bad_audio`: a frame is split.
   */
  requireWholeFrames(bytes) {
    if (bytes % this.#bytesPerFrame === 0) return;
    const message = `a message holds whole frames, each of ${this.#bytesPerFrame} bytes`;
    throw new StreamerError('bad_audio', message);
  }

  /**
   * @param {number} bytes That were offered now.
   * @param {number} seconds The audio in them, if it is in a container.
   */
  advance(bytes, seconds) {
    this.#offeredBytes += bytes;
    this.#containerSeconds += seconds;
  }

  /** @param {number} bytes */
  secondsOf(bytes) {
    if (this.#format === null) return 0;
    if (this.#format.encoding !== 'auto') return bytes / this.#bytesPerFrame / this.#format.sample_rate;
    const isKnown = this.#containerSeconds > 1;
    return bytes / (isKnown ? this.#offeredBytes / this.#containerSeconds : USUAL_BYTES_PER_SECOND);
  }
}
