/**
 * When each word of a text begins and ends: as it was measured, or by characters. The rules are those of
 * the server's subtitles, `streamer/subtitles/times.py`. It does not depend on the page.
 */

/** @import { CueWords } from './cue-words.js' */

/** @typedef {{start: number, end: number}} Span When a word was said, in seconds. */

/**
 * @typedef {object} PartTimes In seconds.
 * @property {number[]} begins Of each word, and at last the end of the text.
 * @property {number[]} ends Of each word.
 */

/**
 * @param {CueWords} words A word that is longer than a line, or in a script without spaces, is several.
 * @param {number} start When the text begins, in seconds.
 * @param {number} end When it ends.
 * @param {Span[]} spans Of what is between spaces, in order. Times before the start or behind the end
 *   are moved there. If they are not as many as there are, they are not used.
 * @returns {PartTimes}
 */
export function partTimes({ text, starts }, start, end, spans) {
  if (text === '') return { begins: [end], ends: [] };
  const offsets = [...starts.slice(1), text.length];
  const spaced = text.split(' ');
  if (spans.length !== spaced.length) {
    const begins = [...starts.map((at) => start + ((end - start) * at) / text.length), end];
    return { begins, ends: begins.slice(1) };
  }
  /** @type {number[]} */
  const begins = [];
  /** @type {number[]} */
  const ends = [];
  let first = 0; // offset of the spaced word that a part is in
  let number = 0; // which one it is
  starts.forEach((at, index) => {
    if (at > first + lengthOf(spaced[number])) {
      first += lengthOf(spaced[number]) + 1;
      number += 1;
    }
    const span = /** @type {Span} */ (spans[number]);
    const [from, to] = [within(span.start, start, end), within(span.end, start, end)];
    /** @type {(offset: number) => number} */
    const timeAt = (offset) => from + Math.min(1, (offset - first) / lengthOf(spaced[number])) * (to - from);
    begins.push(timeAt(at));
    ends.push(timeAt(offsets[index] ?? text.length));
  });
  return { begins: [...begins, end], ends };
}

/** @param {string | undefined} text */
const lengthOf = (text = '') => text.length;

/**
 * @param {number} time
 * @param {number} start
 * @param {number} end
 */
const within = (time, start, end) => Math.min(Math.max(time, start), end);
