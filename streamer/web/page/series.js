/** Numbers in a model's output, as points over time. */

import { numbersOf } from './model-output.js';

/** @typedef {{start: number, end: number, value: number}} Point Times in seconds. */

/** Points of each series: ten minutes of frames of 32 ms. */
const MAX_POINTS = 20_000;

/** Fields that describe the times of `frames`, and are no results. */
const LAYOUT_FIELDS = new Set(['frame_seconds', 'first_frame_offset']);

/** The series of one channel. */
export class Series {
  /** @type {Map<string, Point[]>} */ byName = new Map();

  /**
   * @param {number} start
   * @param {number} end
   * @param {Record<string, unknown>} output
   */
  add(start, end, output) {
    const { frames, frame_seconds: length, first_frame_offset: offset } = output;
    if (Array.isArray(frames) && typeof length === 'number') {
      const first = start + (typeof offset === 'number' ? offset : 0);
      frames.forEach((value, index) => {
        if (typeof value !== 'number') return;
        this.#push('speech', { start: first + index * length, end: first + (index + 1) * length, value });
      });
    }
    for (const [name, value] of numbersOf(output)) {
      if (!LAYOUT_FIELDS.has(name)) this.#push(name, { start, end, value });
    }
  }

  /**
   * Groups of series that share a scale. All series between 0 and 1 are one group, and each other
   * series is a group of its own.
   * @returns {Array<{names: string[], low: number, high: number}>}
   */
  panels() {
    const unit = [];
    const others = [];
    for (const [name, points] of this.byName) {
      const values = points.map((point) => point.value);
      const low = values.reduce((a, b) => Math.min(a, b), Infinity);
      const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
      if (low >= 0 && high <= 1) unit.push(name);
      else others.push({ names: [name], low: Math.min(0, low), high: Math.max(0, high) });
    }
    return unit.length > 0 ? [{ names: unit, low: 0, high: 1 }, ...others] : others;
  }

  /**
   * @param {string} name
   * @param {Point} point
   */
  #push(name, point) {
    const points = this.byName.get(name) ?? [];
    points.push(point);
    if (points.length > MAX_POINTS) points.splice(0, points.length - MAX_POINTS);
    this.byName.set(name, points);
  }
}
