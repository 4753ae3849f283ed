/**
 * The line of a result, word by word. A word is played by a click, or by Enter or the space bar.
 *
 * A line is one tab stop; the arrow keys go from word to word. Only the word that has the stop has a
 * role, so that a screen reader reads a line as text, and not as a row of buttons.
 */

import { make } from './dom.js';
import { areWordsMarked } from './word-marks.js';
import { isUncertain, percentOf, piecesOf } from './words.js';

/** @import { Entry } from './transcript.js' */
/** @import { TimedWord } from './words.js' */

/**
 * @param {(start: number) => void} play From this time, in seconds.
 * @returns {HTMLParagraphElement} An empty line.
 */
export function makeLine(play) {
  const line = make('p', { className: 'said', dir: 'auto' });
  line.addEventListener('click', ({ target }) => {
    // Who selects text does not want it to be played.
    if (getSelection()?.isCollapsed !== false) playWord(wordAt(target), play);
  });
  line.addEventListener('keydown', (event) => onKey(event, line, play));
  line.addEventListener('focusin', ({ target }) => {
    const word = wordAt(target);
    if (word) arrangeStops(line, word);
  });
  return line;
}

/**
 * Show the words of a final result; what has no words is one text.
 * @param {HTMLElement} line
 * @param {Entry} entry
 * @param {boolean} isPlayable Whether there is audio from its words on.
 */
export function fillLine(line, entry, isPlayable) {
  const pieces = piecesOf(entry).map(({ text, word }) => (word ? makeWord(word) : text));
  line.replaceChildren(...pieces);
  line.dataset.playable = String(isPlayable && pieces.some((piece) => typeof piece !== 'string'));
  arrangeStops(line);
}

/**
 * Its audio is not kept any more.
 * @param {HTMLElement} line
 */
export function disableLine(line) {
  line.dataset.playable = 'false';
  arrangeStops(line);
}

/**
 * Let one word have the tab stop of its line: any word that can be played, or else one whose
 * certainty is shown.
 * @param {HTMLElement} line
 * @param {HTMLElement} [preferred] The first one, or the one that has it, when absent.
 */
export function arrangeStops(line, preferred) {
  const isPlayable = line.dataset.playable === 'true';
  const stops = stopsOf(line);
  const present = stops.find((word) => word.tabIndex === 0);
  const chosen = preferred && stops.includes(preferred) ? preferred : (present ?? stops[0]);
  for (const word of wordsIn(line)) {
    if (word === chosen) word.setAttribute('role', isPlayable ? 'button' : 'mark');
    else word.removeAttribute('role');
    if (stops.includes(word)) word.tabIndex = word === chosen ? 0 : -1;
    else word.removeAttribute('tabindex');
  }
}

/** @param {TimedWord} word */
function makeWord(word) {
  const { text, start, end } = word;
  const span = make('span', { className: 'word', dataset: { start: `${start}`, end: `${end}` } }, text);
  if (isUncertain(word)) {
    const percent = percentOf(word);
    span.dataset.certainty = percent;
    span.append(make('span', { className: 'visually-hidden' }, ` (uncertain, ${percent})`));
  }
  return span;
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} line
 * @param {(start: number) => void} play
 */
function onKey(event, line, play) {
  const word = wordAt(event.target);
  if (!word || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === 'Enter' || event.key === ' ') {
    playWord(word, play);
  } else {
    const stops = stopsOf(line);
    const at = stops.indexOf(word);
    const last = stops.length - 1;
    /** @type {Record<string, number>} */
    const places = { ArrowLeft: Math.max(0, at - 1), ArrowRight: Math.min(last, at + 1), Home: 0, End: last };
    const place = places[event.key];
    if (place === undefined) return;
    stops[place]?.focus();
  }
  event.preventDefault();
}

/**
 * @param {HTMLElement | null} word
 * @param {(start: number) => void} play
 */
function playWord(word, play) {
  if (word?.parentElement?.dataset.playable === 'true') play(Number(word.dataset.start));
}

/** @param {HTMLElement} line */
const wordsIn = (line) => /** @type {HTMLElement[]} */ ([...line.querySelectorAll('.word')]);

/** @param {HTMLElement} line */
function stopsOf(line) {
  if (line.dataset.playable === 'true') return wordsIn(line);
  return wordsIn(line).filter(({ dataset }) => dataset.certainty !== undefined && areWordsMarked());
}

/** @param {EventTarget | null} target */
const wordAt = (target) =>
  target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest('.word')) : null;
