/** The words of a result, their places in its line and their certainty. It does not depend on the page. */

import { lineOf, oneLine } from './model-output.js';

/** @import { Output } from './model-output.js' */

/**
 * @typedef {object} TimedWord Times in seconds.
 * @property {string} text
 * @property {number} start
 * @property {number} end
 * @property {number | null} confidence From 0 to 1; null when the model does not give it.
 */

/** @typedef {{text: string, word: TimedWord | null}} Piece Of a line; null for what is between words. */

/**
 * Confidence below which a word is marked, as the client's command does. With Moonshine Tiny, two
 * thirds of the words below it are wrong, and they are half of all wrong words: see
 * `docs/performance.md`.
 */
export const UNCERTAIN = 0.5;

/** A character that belongs to a word. */
const LETTER = /[\p{L}\p{N}]/u;

/**
 * @param {{output: Output | null}} entry
 * @returns {TimedWord[]} In order. What is not a word, as a model of one's own may have it, is left out.
 */
export function wordsOf({ output }) {
  const words = Array.isArray(output?.words) ? output.words : [];
  return words.filter(isWord).map(({ text, start_time: start, end_time: end, confidence }) => ({
    text: oneLine(text), start, end, confidence: isProbability(confidence) ? confidence : null,
  }));
}

/**
 * @param {{output: Output | null}} entry
 * @returns {Piece[]} Together they are the line of the entry. A word that is not in it is left out.
 */
export function piecesOf(entry) {
  const line = lineOf(entry);
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  for (const word of wordsOf(entry)) {
    const start = placeOf(word.text, line, at);
    if (start < 0) continue;
    if (start > at) pieces.push({ text: line.slice(at, start), word: null });
    at = start + word.text.length;
    pieces.push({ text: word.text, word });
  }
  return at < line.length ? [...pieces, { text: line.slice(at), word: null }] : pieces;
}

/**
 * @param {string} text Of a word.
 * @param {string} line
 * @param {number} from Where the word before it ends.
 * @returns {number} Where it begins, which is not within another word; -1 if it is not there.
 */
function placeOf(text, line, from) {
  let at = line.indexOf(text, from);
  while (at > from && LETTER.test(line[at - 1] ?? '')) at = line.indexOf(text, at + 1);
  return at;
}

/** @param {TimedWord} word */
export const isUncertain = ({ confidence }) => confidence !== null && confidence < UNCERTAIN;

/**
 * @param {TimedWord} word An uncertain one.
 * @returns {string} Such as `43 %`; never 50 %, which is not uncertain.
 */
export const percentOf = ({ confidence }) => `${Math.floor(100 * (confidence ?? 0))} %`;

/** @param {any} word */
const isWord = (word) =>
  typeof word?.text === 'string' &&
  word.text.trim() !== '' &&
  Number.isFinite(word.start_time) &&
  Number.isFinite(word.end_time) &&
  word.start_time <= word.end_time;

/** @param {unknown} value */
const isProbability = (value) => typeof value === 'number' && value >= 0 && value <= 1;
