/** The waveform of one channel. It scrolls, and shades speech and gaps. */

import { fitCanvas, styleValue } from './canvas.js';
import { make } from './dom.js';
import { formatTime } from './format.js';
import { PEAK_SECONDS } from './peaks.js';

/** @import { Recording } from './recording.js' */
/** @import { Region, Transcript } from './transcript.js' */

/** Pixels that one second of audio takes. */
const PIXELS_PER_SECOND = 48;

/** Pixels from one bar to the next. */
const BAR_PIXELS = 3;

/** Pixels below the waveform for the scale of times. */
const SCALE_PIXELS = 16;

/** Seconds from one time on the scale to the next. */
const SCALE_SECONDS = 2;

/** Pixels that a time on the scale needs. */
const LABEL_PIXELS = 36;

/** Amplitude up to which the waveform does not fill its lane: 0 to 1. */
const QUIET = 0.08;

/**
 * @typedef {object} View What the canvas shows now. Times in seconds, sizes in pixels.
 * @property {CanvasRenderingContext2D} context
 * @property {number} width
 * @property {number} height
 * @property {number} bottom Of the waveform.
 * @property {number} from
 * @property {number} now
 * @property {(time: number) => number} x
 */

export class Waveform {
  #channel;

  /** @param {number} channel */
  constructor(channel) {
    this.#channel = channel;
    this.element = make('canvas', { role: 'img' });
    this.element.setAttribute('aria-label', `Waveform of channel ${channel + 1}`);
  }

  /**
   * @param {Recording | null} recording
   * @param {Transcript | null} transcript
   */
  draw(recording, transcript) {
    const place = fitCanvas(this.element);
    if (place === null) return;
    const now = recording?.seconds ?? 0;
    const from = Math.max(0, now - place.width / PIXELS_PER_SECOND);
    /** @type {(time: number) => number} */
    const x = (time) => (time - from) * PIXELS_PER_SECOND;
    const view = { ...place, bottom: place.height - SCALE_PIXELS, from, now, x };
    const regions = (transcript?.regions ?? []).filter(
      (one) => one.channel === this.#channel && (one.end ?? now) >= from,
    );
    for (const { start, end } of regions) shade(view, start, end ?? now, 'speech');
    for (const { start, end } of transcript?.gaps ?? []) {
      if (end >= from) shade(view, start, end, 'gap');
    }
    drawScale(view);
    if (recording !== null) this.#drawBars(view, recording, regions);
  }

  /**
   * @param {View} view
   * @param {Recording} recording
   * @param {Region[]} regions
   */
  #drawBars({ context, bottom, from, now, x }, recording, regions) {
    const speech = styleValue('wave-speech');
    const silence = styleValue('wave');
    const middle = bottom / 2;
    const peaksPerBar = Math.max(1, Math.round(BAR_PIXELS / PIXELS_PER_SECOND / PEAK_SECONDS));
    const first = Math.floor(from / PEAK_SECONDS / peaksPerBar);
    const last = Math.floor(now / PEAK_SECONDS / peaksPerBar);
    const bars = Array.from({ length: Math.max(0, last - first) }, (_, index) =>
      this.#extent(recording, (first + index) * peaksPerBar, peaksPerBar),
    );
    const gain = 1 / bars.reduce((most, [low, high]) => Math.max(most, -low, high), QUIET);
    for (const [index, [low, high]] of bars.entries()) {
      const bar = first + index;
      const time = bar * peaksPerBar * PEAK_SECONDS;
      const isSpeech = regions.some((one) => time >= one.start && time < (one.end ?? now));
      context.fillStyle = isSpeech ? speech : silence;
      const top = middle - Math.max(0.75, emphasizeQuiet(high * gain) * middle);
      const foot = middle + Math.max(0.75, emphasizeQuiet(-low * gain) * middle);
      context.fillRect(x(time), top, BAR_PIXELS - 1, foot - top);
    }
  }

  /**
   * @param {Recording} recording
   * @param {number} first
   * @param {number} count
   * @returns {[number, number]} Lowest and highest sample of these peaks.
   */
  #extent(recording, first, count) {
    let [low, high] = [0, 0];
    for (let index = first; index < first + count; index += 1) {
      const peak = recording.peak(this.#channel, index);
      if (peak === undefined) continue;
      low = Math.min(low, peak.low);
      high = Math.max(high, peak.high);
    }
    return [low, high];
  }
}

/**
 * @param {View} view
 * @param {number} start
 * @param {number} end
 * @param {string} name Of the colour.
 */
function shade({ context, bottom, from, x }, start, end, name) {
  const left = x(Math.max(from, start));
  context.fillStyle = styleValue(name);
  context.fillRect(left, 0, Math.max(1, x(end) - left), bottom);
}

/** @param {View} view */
function drawScale({ context, width, height, bottom, from, x }) {
  context.fillStyle = styleValue('soft');
  context.font = `11px ${styleValue('sans')}`;
  for (let time = Math.ceil(from / SCALE_SECONDS) * SCALE_SECONDS; x(time) < width; time += SCALE_SECONDS) {
    context.fillRect(Math.round(x(time)), bottom, 1, 4);
    const label = formatTime(time).slice(0, -2);
    if (x(time) + LABEL_PIXELS < width) context.fillText(label, x(time) + 4, height - 4);
  }
}

/** @param {number} amplitude Part of the loudest, 0 to 1. */
const emphasizeQuiet = (amplitude) => 0.94 * Math.max(0, amplitude) ** 0.7;
