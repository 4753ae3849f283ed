/** When audio was sent, to measure how long a result took. */

/** Number of times that are kept at least. */
const MIN_MARKS = 10_000;

export class SendClock {
  /** @type {Array<{position: number, atMs: number}>} */ #marks = [];

  /**
   * @param {number} position End of the audio that was just sent, in seconds.
   * @param {number} nowMs
   */
  sent(position, nowMs) {
    this.#marks.push({ position, atMs: nowMs });
    if (this.#marks.length > 2 * MIN_MARKS) this.#marks.splice(0, MIN_MARKS);
  }

  /**
   * @param {number} position In seconds.
   * @returns {number | undefined} When the audio at this position was sent; undefined if it was not.
   */
  at(position) {
    let low = 0;
    let high = this.#marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const mark = this.#marks[middle];
      if (mark !== undefined && mark.position < position - 1e-6) low = middle + 1;
      else high = middle;
    }
    return this.#marks[low]?.atMs;
  }
}
