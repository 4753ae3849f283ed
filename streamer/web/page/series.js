/** Numbers in a model's output, as points over time. */

/** @typedef {{start: number, end: number, value: number}} Point Times in seconds. */

/**
 * @param {Record<string, unknown>} output
 * @returns {Array<[string, number]>} Each number with its name; those inside an object are called
 *   `object.field`, and of a list of `{label, score}` each label is one.
 */
export function numbersOf(output) {
  return Object.entries(output).flatMap(([name, value]) => numbers(name, value, true));
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {boolean} deeper
 * @returns {Array<[string, number]>}
 */
function numbers(name, value, deeper) {
  if (typeof value === 'number') return [[name, value]];
  if (!deeper || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    return value.flatMap((item) =>
      typeof item?.label === 'string' && typeof item.score === 'number'
        ? [/** @type {[string, number]} */ ([item.label, item.score])]
        : [],
    );
  }
  return Object.entries(value).flatMap(([field, inner]) =>
    numbers(`${name}.${field}`, inner, false),
  );
}

/** What says how `frames` lie in time, and is no observation. */
const LAYOUT = new Set(['frame_seconds', 'first_frame_offset']);

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
      if (!LAYOUT.has(name)) this.#push(name, { start, end, value });
    }
  }

  /**
   * Series that share a scale: everything between 0 and 1 together, the rest each alone.
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

/** Of each series: ten minutes of 32 ms frames. */
const MAX_POINTS = 20_000;
