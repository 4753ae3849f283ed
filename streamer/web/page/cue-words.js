/**
 * Text in words, with the strength of every place where it may be broken. The rules and the limits are
 * those of the server's subtitles, `streamer/subtitles/words.py`. It does not depend on the page.
 */

/** Characters of a line at most. */
export const LINE_CHARACTERS = 42;

/** What ends where a text may be broken; a higher one is the better place. */
export const BREAK = { nothing: 0, word: 1, clause: 2, sentence: 3 };

const CLOSERS = '"\'”’»)\\]}」』）】》';
const WIDE_STOPS = '。！？｡';
const WIDE_COMMAS = '、，；：';
const ENDS_SENTENCE = new RegExp(`[.!?…${WIDE_STOPS}][${CLOSERS}]*$`, 'u');
const ENDS_CLAUSE = new RegExp(`[,;:–—${WIDE_COMMAS}][${CLOSERS}]*$`, 'u');

/** A part of a text without spaces: up to punctuation that no space follows in its script. */
const UNSPACED = new RegExp(`.+?(?:[${WIDE_STOPS}${WIDE_COMMAS}]+[${CLOSERS}]*|$)`, 'gu');

const ABBREVIATIONS = new Set(
  ['mr.', 'mrs.', 'ms.', 'dr.', 'prof.', 'st.', 'mt.', 'vs.', 'e.g.', 'i.e.', 'cf.', 'no.'],
);
const INITIAL = /^[^\p{L}\p{N}_]*\p{L}\.$/u;

/** Characters that are drawn together with the one before them, and what joins two of them. */
const CONTINUES = /^[\p{M}\u200d\udc00-\udfff]/u;
const JOINS = /\u200d$/u;

/** @typedef {{start: number, text: string}} Part A piece that is never broken, and its offset. */

/** A text in one line, as words that each fit on a line. */
export class CueWords {
  /**
   * @param {string} text Any.
   * @param {number} [labelCharacters] Of what goes before the first line of each cue.
   */
  constructor(text, labelCharacters = 0) {
    this.text = text.replace(/\p{Cc}/gu, ' ').split(/\s+/u).filter(Boolean).join(' ');
    this.firstLine = Math.max(LINE_CHARACTERS - labelCharacters, Math.floor(LINE_CHARACTERS / 3));
    const parts = [...this.text.matchAll(/\S+/gu)].flatMap(({ 0: word, index }) => partsOf(word, index, this.firstLine));
    /** Offset of the first character of each word. */
    this.starts = parts.map(({ start }) => start);
    /** Offset behind the last character of each word. */
    this.ends = parts.map((part) => part.start + part.text.length);
    /** What ends before each word. */
    this.breaks = parts.map((part, index) => breakBetween(parts[index - 1], part));
  }

  /**
   * @param {number} first
   * @param {number} last The first word that is not included.
   * @returns {string[] | null} These words on one or two lines; null when they do not fit.
   */
  lines(first, last) {
    if (this.#length(first, last) <= this.firstLine) return [this.#slice(first, last)];
    /** @type {number | null} */ let second = null;
    for (let place = last - 1; place > first; place -= 1) {
      if (this.#length(first, place) > this.firstLine) continue;
      if (this.#length(place, last) > LINE_CHARACTERS) break;
      if (second === null || this.#unevenness(first, place, last) < this.#unevenness(first, second, last)) second = place;
    }
    return second === null ? null : [this.#slice(first, second), this.#slice(second, last)];
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  #slice(first, last) {
    return this.text.slice(this.starts[first], this.ends[last - 1]);
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  #length(first, last) {
    return (this.ends[last - 1] ?? 0) - (this.starts[first] ?? 0);
  }

  /**
   * How much the lines differ; punctuation at the end of the first outweighs some of it.
   * @param {number} first
   * @param {number} second
   * @param {number} last
   */
  #unevenness(first, second, last) {
    const difference = this.#length(first, second) - this.#length(second, last);
    return Math.abs(difference) - 10 * (this.breaks[second] ?? 0);
  }
}

/**
 * @param {string} word Without spaces.
 * @param {number} start Its offset.
 * @param {number} most Characters of a part.
 * @returns {Part[]}
 */
function partsOf(word, start, most) {
  return [...word.matchAll(UNSPACED)].flatMap(({ 0: text, index }) => piecesOf(text, start + index, most));
}

/**
 * Cut text of one word into pieces of about the same length.
 * @param {string} text
 * @param {number} start Its offset.
 * @param {number} most
 */
function piecesOf(text, start, most) {
  /** @type {Part[]} */
  const pieces = [];
  let begin = 0;
  for (let left = text.length; left > most; left = text.length - begin) {
    const end = begin + Math.ceil(left / Math.ceil(left / most));
    let cut = end;
    while (cut > begin && (CONTINUES.test(text.slice(cut)) || JOINS.test(text.slice(0, cut)))) cut -= 1;
    if (cut === begin) cut = end;
    pieces.push({ start: start + begin, text: text.slice(begin, cut) });
    begin = cut;
  }
  return [...pieces, { start: start + begin, text: text.slice(begin) }];
}

/**
 * @param {Part | undefined} before
 * @param {Part} after
 */
function breakBetween(before, after) {
  if (before === undefined) return BREAK.sentence;
  if (ENDS_SENTENCE.test(before.text) && !abbreviates(before.text, after.text)) return BREAK.sentence;
  if (ENDS_CLAUSE.test(before.text) || /^[–—]/u.test(after.text)) return BREAK.clause;
  return before.start + before.text.length < after.start ? BREAK.word : BREAK.nothing;
}

/**
 * @param {string} word
 * @param {string} following
 * @returns {boolean} Whether the stop at the end of a word is part of it, as far as can be told.
 */
const abbreviates = (word, following) =>
  /^\p{Lowercase}/u.test(following) || ABBREVIATIONS.has(word.toLowerCase()) || INITIAL.test(word);
