/** One channel as it is heard: level, and a scrolling waveform with the speech in it shaded. */

import { clock, colour, fit, make } from './dom.js';
import { PEAK_SECONDS } from './recording.js';

/** @typedef {import('./recording.js').Recording} Recording */
/** @typedef {import('./transcript.js').Transcript} Transcript */

const PIXELS_PER_SECOND = 48;
const BAR = 3;
const QUIETEST_DB = -60;
const FALL_PER_FRAME = 0.015;

/** The waveform fills its lane, unless nothing is louder than this. */
const QUIET = 0.08;

export class Lane {
  #canvas = make('canvas', { role: 'img' });
  #bar = make('i');
  #hearing = make('span', { className: 'hearing' });
  #level = make('span', { className: 'level', role: 'meter' }, this.#bar);
  #shown = 0;
  #channel;

  /**
   * @param {number} channel
   * @param {number} channels
   */
  constructor(channel, channels) {
    this.#channel = channel;
    const name = channels > 1 ? `Channel ${channel + 1}` : 'Level';
    this.#canvas.setAttribute('aria-label', `Waveform of channel ${channel + 1}`);
    const range = { label: `Level of channel ${channel + 1}`, valuemin: '-60', valuemax: '0' };
    for (const [key, value] of Object.entries(range)) this.#level.setAttribute(`aria-${key}`, value);
    this.#level.setAttribute('aria-valuenow', '-60');
    const head = make('div', { className: 'lane-head' }, make('b', {}, name), this.#level, this.#hearing);
    this.element = make('div', { className: 'lane' }, head, this.#canvas);
  }

  /**
   * @param {Recording | null} recording
   * @param {Transcript | null} transcript
   */
  draw(recording, transcript) {
    this.#drawLevel(recording?.levels[this.#channel] ?? 0);
    const speaking = transcript?.regions.some((one) => one.channel === this.#channel && one.end === null);
    this.element.dataset.speech = String(speaking ?? false);
    const hearing = speaking ? 'Speech' : '';
    if (this.#hearing.textContent !== hearing) this.#hearing.textContent = hearing;
    this.#drawWave(recording, transcript);
  }

  /** @param {number} loudest Of the last message, 0 to 1. */
  #drawLevel(loudest) {
    const decibel = loudest > 0 ? 20 * Math.log10(loudest) : QUIETEST_DB;
    const part = Math.max(0, Math.min(1, 1 - decibel / QUIETEST_DB));
    this.#shown = Math.max(part, this.#shown - FALL_PER_FRAME);
    this.#bar.style.clipPath = `inset(0 ${(100 * (1 - this.#shown)).toFixed(1)}% 0 0)`;
    const value = String(Math.round(Math.max(QUIETEST_DB, decibel)));
    if (this.#level.getAttribute('aria-valuenow') !== value) this.#level.setAttribute('aria-valuenow', value);
  }

  /**
   * @param {Recording | null} recording
   * @param {Transcript | null} transcript
   */
  #drawWave(recording, transcript) {
    const place = fit(this.#canvas);
    if (place === null) return;
    const { context, width, height } = place;
    const now = recording?.seconds ?? 0;
    const from = Math.max(0, now - width / PIXELS_PER_SECOND);
    /** @type {(time: number) => number} */
    const x = (time) => (time - from) * PIXELS_PER_SECOND;
    const bottom = height - 16;
    const regions = (transcript?.regions ?? []).filter(
      (one) => one.channel === this.#channel && (one.end ?? now) >= from,
    );
    /** @type {(start: number, end: number, name: string) => void} */
    const shade = (start, end, name) => {
      context.fillStyle = colour(name);
      context.fillRect(x(Math.max(from, start)), 0, Math.max(1, x(end) - x(Math.max(from, start))), bottom);
    };
    for (const { start, end } of regions) shade(start, end ?? now, 'speech');
    for (const { start, end } of transcript?.gaps ?? []) if (end >= from) shade(start, end, 'gap');
    this.#drawScale(context, from, width, height, x);
    if (recording === null) return;

    const speech = colour('wave-speech');
    const silence = colour('wave');
    const middle = bottom / 2;
    const perBar = Math.max(1, Math.round(BAR / PIXELS_PER_SECOND / PEAK_SECONDS));
    const first = Math.floor(from / PEAK_SECONDS / perBar);
    const last = Math.floor(now / PEAK_SECONDS / perBar);
    const bars = Array.from({ length: Math.max(0, last - first) }, (_, index) =>
      this.#extent(recording, (first + index) * perBar, perBar),
    );
    const gain = 1 / bars.reduce((most, [low, high]) => Math.max(most, -low, high), QUIET);
    for (const [index, [low, high]] of bars.entries()) {
      const bar = first + index;
      const time = bar * perBar * PEAK_SECONDS;
      const inside = regions.some((one) => time >= one.start && time < (one.end ?? now));
      context.fillStyle = inside ? speech : silence;
      const top = middle - Math.max(0.75, grow(high * gain) * middle);
      const foot = middle + Math.max(0.75, grow(-low * gain) * middle);
      context.fillRect(x(time), top, BAR - 1, foot - top);
    }
  }

  /**
   * @param {Recording} recording
   * @param {number} first
   * @param {number} count
   * @returns {[number, number]} Lowest and highest.
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

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} from
   * @param {number} width
   * @param {number} height
   * @param {(time: number) => number} x
   */
  #drawScale(context, from, width, height, x) {
    context.fillStyle = colour('soft');
    context.font = `11px ${colour('sans')}`;
    const every = 2;
    for (let time = Math.ceil(from / every) * every; x(time) < width; time += every) {
      context.fillRect(Math.round(x(time)), height - 16, 1, 4);
      const label = clock(time).slice(0, -2);
      if (x(time) + 36 < width) context.fillText(label, x(time) + 4, height - 4);
    }
  }
}

/** @param {number} amplitude Part of the loudest, and made more of when it is quiet. */
const grow = (amplitude) => 0.94 * Math.max(0, amplitude) ** 0.7;
