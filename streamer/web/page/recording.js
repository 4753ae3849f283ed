/** The audio that was sent. */

import { Peaks } from './peaks.js';

/** @import { Peak } from './peaks.js' */

/** Keeps the audio for a while, to play it again, and its peaks, to draw it. */
export class Recording {
  /** @type {Array<{frame: number, samples: Int16Array<ArrayBuffer>}>} Interleaved. */ #blocks = [];
  #bytes = 0;
  #frames = 0;
  #peaks;

  /**
   * @param {number} channels
   * @param {number} sampleRate
   */
  constructor(channels, sampleRate) {
    this.channels = channels;
    this.sampleRate = sampleRate;
    this.#peaks = new Peaks(channels, sampleRate);
  }

  /** Length in seconds, including audio that is no longer kept. */
  get seconds() {
    return this.#frames / this.sampleRate;
  }

  /** Bytes of audio that are kept. */
  get bytes() {
    return this.#bytes;
  }

  /** The loudest sample of the last block, by channel. */
  get levels() {
    return this.#peaks.levels;
  }

  /** @param {ArrayBuffer} pcm Interleaved 16-bit samples. */
  add(pcm) {
    const samples = new Int16Array(pcm);
    this.#blocks.push({ frame: this.#frames, samples });
    this.#bytes += samples.byteLength;
    this.#peaks.add(samples);
    this.#frames += samples.length / this.channels;
  }

  /** @returns {number} Bytes of audio that were dropped. */
  dropOldest() {
    const dropped = this.#blocks.shift()?.samples.byteLength ?? 0;
    this.#bytes -= dropped;
    return dropped;
  }

  /**
   * @param {number} start In seconds.
   * @returns {boolean} Whether audio from then on is still kept.
   */
  keeps(start) {
    const first = this.#blocks[0];
    return first !== undefined && first.frame <= Math.max(0, start) * this.sampleRate;
  }

  /**
   * @param {number} channel
   * @param {number} start In seconds.
   * @param {number} end In seconds.
   * @returns {Float32Array<ArrayBuffer>} The part of that audio that is kept.
   */
  slice(channel, start, end) {
    const first = Math.max(this.#blocks[0]?.frame ?? 0, Math.round(start * this.sampleRate));
    const last = Math.min(this.#frames, Math.round(end * this.sampleRate));
    const out = new Float32Array(Math.max(0, last - first));
    for (const { frame, samples } of this.#blocks) {
      const length = samples.length / this.channels;
      const from = Math.max(first, frame);
      const to = Math.min(last, frame + length);
      for (let at = from; at < to; at += 1) {
        out[at - first] = (samples[(at - frame) * this.channels + channel] ?? 0) / 32_768;
      }
    }
    return out;
  }

  /**
   * @param {number} channel
   * @param {number} index Of the peak, counted from the beginning.
   * @returns {Peak | undefined} Undefined where there is none, or none any more.
   */
  peak(channel, index) {
    return this.#peaks.at(channel, index);
  }
}
