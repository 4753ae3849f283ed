/** One segment in the transcript. */

import { make } from './dom.js';
import { formatDuration, formatNumber, formatTime } from './format.js';
import { lineOf, numbersOf, otherValuesOf, textOf } from './model-output.js';

/** @import { Entry, Latency } from './transcript.js' */

/** @typedef {{channel: number, start: number, end: number}} Piece Of the audio. Times in seconds. */

/** @typedef {(piece: Piece, button: HTMLButtonElement) => void} Play */

/**
 * @param {Entry} entry
 * @param {Play | null} play Null: there is no audio.
 */
export function makeEntry(entry, play) {
  const button = play === null ? [] : [makePlayButton(entry, 'Play', play)];
  const body = make('div', {}, make('p', { className: 'said' }), make('p', { className: 'time' }));
  const latency = make('span', { className: 'latency', hidden: true });
  return make('li', { className: 'entry' }, ...button, body, latency);
}

/**
 * @param {HTMLLIElement} item Made by `makeEntry`.
 * @param {Entry} entry
 */
export function fillEntry(item, entry) {
  item.dataset.state = entry.state;
  const result = /** @type {HTMLElement} */ (item.querySelector('.said'));
  const time = /** @type {HTMLElement} */ (item.querySelector('.time'));
  if (entry.state === 'final' && textOf(entry) === null) result.replaceChildren(listOfValues(entry));
  else result.textContent = sentenceOf(entry);
  time.textContent =
    entry.state === 'speaking'
      ? `${formatTime(entry.start)} – …`
      : `${formatTime(entry.start)} – ${formatTime(entry.end)}${entry.flushed ? ' · finished by hand' : ''}`;
  const latency = /** @type {HTMLElement} */ (item.querySelector('.latency'));
  if (entry.state === 'final') fillLatency(latency, entry.latency);
}

/**
 * @param {Piece} piece It is read when the button is pressed, because a segment grows.
 * @param {string} label
 * @param {Play} play
 */
export function makePlayButton(piece, label, play) {
  const button = make('button', { type: 'button', className: 'play' });
  button.setAttribute('aria-label', `${label}, from ${formatTime(piece.start)}`);
  button.setAttribute('aria-pressed', 'false');
  button.innerHTML =
    '<svg class="go" viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 1v10l8.5-5z"/></svg>' +
    '<svg class="pause" viewBox="0 0 12 12" aria-hidden="true"><path d="M2 2h8v8H2z"/></svg>';
  button.addEventListener('click', () => play(piece, button));
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
  if (entry.state === 'final') return words || 'No words';
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
