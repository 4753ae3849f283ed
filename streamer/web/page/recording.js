/** The audio that was sent: kept for a while to be played again, and its shape to be drawn. */

/** 64 MiB: half an hour of 16 kHz mono. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Time that one peak stands for. */
export const PEAK_SECONDS = 0.01;

/** What the waveform can show: two minutes. */
const MAX_PEAKS = 12_000;

/** @typedef {{low: number, high: number}} Peak Between -1 and 1. */

export class Recording {
  /** @type {Array<{frame: number, samples: Int16Array<ArrayBuffer>}>} Interleaved. */ #blocks = [];
  #bytes = 0;
  #frames = 0;
  /** @type {Peak[][]} By channel. */ #peaks;
  /** @type {Peak[]} */ #growing;
  #inGrowing = 0;
  #framesPerPeak;
  #firstPeak = 0;
  /** @type {Float32Array} Loudest of the last block, by channel. */ levels;

  /**
   * @param {number} channels
   * @param {number} sampleRate
   */
  constructor(channels, sampleRate) {
    this.channels = channels;
    this.sampleRate = sampleRate;
    this.levels = new Float32Array(channels);
    this.#framesPerPeak = Math.round(sampleRate * PEAK_SECONDS);
    this.#peaks = Array.from({ length: channels }, () => []);
    this.#growing = this.#flat();
  }

  /** Its length in seconds, whether all of it is still kept or not. */
  get seconds() {
    return this.#frames / this.sampleRate;
  }

  /** @param {ArrayBuffer} pcm Interleaved 16-bit samples. */
  add(pcm) {
    const samples = new Int16Array(pcm);
    this.#blocks.push({ frame: this.#frames, samples });
    this.#bytes += samples.byteLength;
    while (this.#bytes > MAX_BYTES) this.#bytes -= this.#blocks.shift()?.samples.byteLength ?? 0;
    this.#measure(samples);
    this.#frames += samples.length / this.channels;
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
   * @returns {Float32Array<ArrayBuffer>} As much of that as is kept.
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
    return this.#peaks[channel]?.[index - this.#firstPeak];
  }

  /** @param {Int16Array} samples */
  #measure(samples) {
    this.levels.fill(0);
    for (let at = 0; at < samples.length; at += this.channels) {
      for (let channel = 0; channel < this.channels; channel += 1) {
        const value = (samples[at + channel] ?? 0) / 32_768;
        const peak = /** @type {Peak} */ (this.#growing[channel]);
        if (value < peak.low) peak.low = value;
        if (value > peak.high) peak.high = value;
        const loud = Math.abs(value);
        if (loud > (this.levels[channel] ?? 0)) this.levels[channel] = loud;
      }
      this.#inGrowing += 1;
      if (this.#inGrowing === this.#framesPerPeak) this.#nextPeak();
    }
  }

  #nextPeak() {
    this.#growing.forEach((peak, channel) => this.#peaks[channel]?.push(peak));
    this.#growing = this.#flat();
    this.#inGrowing = 0;
    if ((this.#peaks[0]?.length ?? 0) <= MAX_PEAKS * 2) return;
    for (const peaks of this.#peaks) peaks.splice(0, MAX_PEAKS);
    this.#firstPeak += MAX_PEAKS;
  }

  #flat() {
    return Array.from({ length: this.channels }, () => ({ low: 0, high: 0 }));
  }
}
