/** The shape of the audio, for the level meter and the waveform. */

/** Seconds that one peak stands for. */
export const PEAK_SECONDS = 0.01;

/** Number of peaks that are kept at least: two minutes. */
const MIN_PEAKS = 12_000;

/** @typedef {{low: number, high: number}} Peak Lowest and highest sample, between -1 and 1. */

/** Measures the lowest and the highest sample of each short piece of audio. */
export class Peaks {
  #channels;
  #framesPerPeak;
  /** @type {Peak[][]} By channel. */ #peaks;
  /** Number of peaks that are no longer kept. */
  #dropped = 0;
  /** @type {Peak[]} By channel: the peak that is not complete yet. */ #current;
  #framesInCurrent = 0;

  /**
   * @param {number} channels
   * @param {number} sampleRate
   */
  constructor(channels, sampleRate) {
    this.#channels = channels;
    this.#framesPerPeak = Math.round(sampleRate * PEAK_SECONDS);
    this.#peaks = Array.from({ length: channels }, () => []);
    this.#current = this.#newPeaks();
    /** The loudest sample of the last block, by channel. */
    this.levels = new Float32Array(channels);
  }

  /** @param {Int16Array} samples A block, interleaved. */
  add(samples) {
    this.levels.fill(0);
    for (let at = 0; at < samples.length; at += this.#channels) {
      for (let channel = 0; channel < this.#channels; channel += 1) {
        const value = (samples[at + channel] ?? 0) / 32_768;
        const peak = /** @type {Peak} */ (this.#current[channel]);
        if (value < peak.low) peak.low = value;
        if (value > peak.high) peak.high = value;
        const loudness = Math.abs(value);
        if (loudness > (this.levels[channel] ?? 0)) this.levels[channel] = loudness;
      }
      this.#framesInCurrent += 1;
      if (this.#framesInCurrent === this.#framesPerPeak) this.#completeCurrent();
    }
  }

  /**
   * @param {number} channel
   * @param {number} index Counted from the beginning of the audio.
   * @returns {Peak | undefined} Undefined where there is none, or none any more.
   */
  at(channel, index) {
    return this.#peaks[channel]?.[index - this.#dropped];
  }

  #completeCurrent() {
    this.#current.forEach((peak, channel) => this.#peaks[channel]?.push(peak));
    this.#current = this.#newPeaks();
    this.#framesInCurrent = 0;
    if ((this.#peaks[0]?.length ?? 0) <= MIN_PEAKS * 2) return;
    for (const peaks of this.#peaks) peaks.splice(0, MIN_PEAKS);
    this.#dropped += MIN_PEAKS;
  }

  #newPeaks() {
    return Array.from({ length: this.#channels }, () => ({ low: 0, high: 0 }));
  }
}
