/** One segment in the transcript. */

import { make } from './dom.js';
import { formatDuration, formatNumber, formatTime } from './format.js';
import { lineOf, numbersOf, otherValuesOf, textOf } from './model-output.js';
import { disableLine, fillLine, makeLine } from './word-line.js';

/** @import { Entry, Latency } from './transcript.js' */

/** @typedef {{channel: number, start: number, end: number}} Piece Of the audio. Times in seconds. */

/**
 * @typedef {object} TakeAudio The audio of a take.
 * @property {(piece: Piece) => void} play In place of what is being played.
 * @property {() => void} stop
 * @property {(piece: Piece) => boolean} keeps Whether a piece is still there.
 */

/**
 * @param {Entry} entry
 * @param {TakeAudio | null} audio Null: there is none.
 */
export function makeEntry(entry, audio) {
  const button = audio === null ? [] : [makePlayButton(entry, 'Play', audio)];
  // From a word, it is played to the end of the take.
  const line = makeLine((start) => audio?.play({ channel: entry.channel, start, end: Infinity }));
  const body = make('div', {}, line, make('p', { className: 'time' }));
  const latency = make('span', { className: 'latency', hidden: true });
  return make('li', { className: 'entry' }, ...button, body, latency);
}

/**
 * @param {HTMLLIElement} item Made by `makeEntry`.
 * @param {Entry} entry
 * @param {TakeAudio | null} audio
 */
export function fillEntry(item, entry, audio) {
  item.dataset.state = entry.state;
  const result = /** @type {HTMLElement} */ (item.querySelector('.said'));
  const time = /** @type {HTMLElement} */ (item.querySelector('.time'));
  if (entry.state === 'final' && textOf(entry) === null) result.replaceChildren(listOfValues(entry));
  else if (entry.state === 'final' && lineOf(entry)) fillLine(result, entry, audio?.keeps(entry) ?? false);
  else result.textContent = sentenceOf(entry);
  time.textContent =
    entry.state === 'speaking'
      ? `${formatTime(entry.start)} – …`
      : `${formatTime(entry.start)} – ${formatTime(entry.end)}${entry.flushed ? ' · finished by hand' : ''}`;
  const latency = /** @type {HTMLElement} */ (item.querySelector('.latency'));
  if (entry.state === 'final') fillLatency(latency, entry.latency);
}

/**
 * The audio of an entry is not kept any more.
 * @param {HTMLElement} item
 */
export function disableEntry(item) {
  const button = item.querySelector('button');
  if (button === null || button.disabled) return;
  button.disabled = true;
  button.title = 'This audio is not kept any more';
  const line = item.querySelector('.said');
  if (line) disableLine(/** @type {HTMLElement} */ (line));
}

/**
 * @param {Piece} piece It is read when the button is pressed, because a segment grows.
 * @param {string} label
 * @param {TakeAudio} audio
 */
export function makePlayButton(piece, label, audio) {
  const button = make('button', { type: 'button', className: 'play' });
  button.setAttribute('aria-label', `${label}, from ${formatTime(piece.start)}`);
  button.setAttribute('aria-pressed', 'false');
  button.innerHTML =
    '<svg class="go" viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 1v10l8.5-5z"/></svg>' +
    '<svg class="pause" viewBox="0 0 12 12" aria-hidden="true"><path d="M2 2h8v8H2z"/></svg>';
  button.addEventListener('click', () => {
    if (button.getAttribute('aria-pressed') === 'true') audio.stop();
    else audio.play(piece);
  });
  return button;
}

/**
 * @param {HTMLElement} element
 * @param {Latency} latency
 */
function fillLatency(element, { afterAudio, afterSilence }) {
  if ((afterAudio ?? afterSilence) === undefined) return;
  element.hidden = false;
  element.textContent = formatDuration(afterAudio ?? afterSilence);
  element.title =
    afterSilence === undefined
      ? `${formatDuration(afterAudio)} after its last audio was sent`
      : `${formatDuration(afterAudio)} after the last word was sent, ${formatDuration(afterSilence)} after the silence was noticed`;
  element.setAttribute('aria-label', `Latency: ${element.title}`);
  element.setAttribute('role', 'note');
}

/** @param {Entry} entry */
function sentenceOf(entry) {
  const words = lineOf(entry);
  if (entry.state === 'failed') return `No result: ${entry.problem}`;
  if (entry.state === 'lost') return words ? `${words} … (connection lost)` : 'Connection lost';
  if (entry.state === 'final') return 'No words';
  return words || 'Speech …';
}

/** @param {Entry} entry */
function listOfValues(entry) {
  const { output } = entry;
  const numbers = numbersOf(output ?? {});
  const frames = output?.frames;
  const items = Array.isArray(frames)
    ? [make('li', {}, `mean of ${frames.length} frames `, make('b', {}, formatNumber(mean(frames))))]
    : numbers.map(([name, value]) => make('li', {}, `${name} `, make('b', {}, formatNumber(value))));
  for (const [name, value] of otherValuesOf(entry)) {
    items.push(make('li', {}, `${name} `, make('b', {}, value)));
  }
  return make('ul', { className: 'values' }, ...items);
}

/** @param {number[]} numbers */
const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length);
