/** When which audio was sent, to tell how long an answer took. */

const MAX_MARKS = 10_000;

export class SendClock {
  /** @type {Array<{position: number, atMs: number}>} */ #marks = [];

  /**
   * @param {number} position End of the audio that was just sent, in seconds.
   * @param {number} nowMs
   */
  sent(position, nowMs) {
    this.#marks.push({ position, atMs: nowMs });
    if (this.#marks.length > 2 * MAX_MARKS) this.#marks.splice(0, MAX_MARKS);
  }

  /**
   * @param {number} position In seconds.
   * @returns {number | undefined} When the audio at this time went out; undefined if unknown.
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
