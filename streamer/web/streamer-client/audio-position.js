/** The position in the audio of a stream, counted in samples. */

import { StreamerError } from './errors.js';

/** @import { AudioFormat } from './messages.js' */

/** Counts the audio that was offered, and converts bytes to seconds. */
export class AudioPosition {
  /** @type {Required<AudioFormat> | null} */ #format = null;
  #bytesPerFrame = 2;
  #offeredBytes = 0;

  /** The complete format of the audio; null before the first `restart`. */
  get format() {
    return this.#format;
  }

  /** How much audio was offered, in seconds. */
  get seconds() {
    return this.secondsOf(this.#offeredBytes);
  }

  /** @param {AudioFormat} format Of the audio that follows. */
  restart(format) {
    this.#format = { channels: 1, bit_depth: 16, is_float: false, encoding: 'pcm', ...format };
    this.#bytesPerFrame = (this.#format.channels * this.#format.bit_depth) / 8;
    this.#offeredBytes = 0;
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

  /** @param {number} bytes That were offered now. */
  advance(bytes) {
    this.#offeredBytes += bytes;
  }

  /** @param {number} bytes */
  secondsOf(bytes) {
    return this.#format === null ? 0 : bytes / this.#bytesPerFrame / this.#format.sample_rate;
  }
}
