/** The transcript on the page: a column for each channel, an item for each segment. */

import { clock, find, make } from './dom.js';
import { othersOf, round, words } from './exports.js';
import { numbersOf } from './series.js';
import { textOf } from './transcript.js';
import { duration } from './words.js';

/** @typedef {import('./transcript.js').Entry} Entry */
/** @typedef {{channel: number, start: number, end: number}} Piece */

const MAX_ANNOUNCED = 10;

export class TranscriptView {
  #columns = find('columns', HTMLElement);
  #empty = find('empty', HTMLElement);
  #announcer = find('announcer', HTMLElement);
  /** @type {HTMLOListElement[]} */ #lists = [];
  /** @type {Map<number, HTMLLIElement>} */ #items = new Map();
  #play;
  #keeps;

  /**
   * @param {(piece: Piece, button: HTMLButtonElement) => void} play
   * @param {(piece: Piece) => boolean} keeps Whether that audio can be played.
   */
  constructor(play, keeps) {
    this.#play = play;
    this.#keeps = keeps;
  }

  /** @param {number} channels */
  clear(channels) {
    this.#items.clear();
    this.#announcer.replaceChildren();
    this.#empty.hidden = false;
    find('transcript-title', HTMLElement).textContent = 'Transcript';
    this.#lists = Array.from({ length: channels }, () => make('ol', { className: 'entries' }));
    this.#columns.replaceChildren(
      ...this.#lists.map((list, channel) => {
        const title = make('h3', {}, `Channel ${channel + 1}`);
        return make('div', { className: 'column' }, ...(channels > 1 ? [title] : []), list);
      }),
    );
  }

  /** @param {Entry} entry */
  show(entry) {
    this.#empty.hidden = true;
    let item = this.#items.get(entry.id);
    if (item === undefined) {
      item = this.#make(entry);
      this.#items.set(entry.id, item);
      this.#append(entry.channel, item);
    }
    this.#fill(item, entry);
    if (entry.state === 'final' || entry.state === 'failed') this.#announce(entry);
  }

  /** @param {{start: number, end: number}} gap */
  showGap(gap) {
    this.#empty.hidden = true;
    this.#lists.forEach((list, channel) => {
      const text = `${clock(gap.start)} to ${clock(gap.end)} was not transcribed: there was no connection.`;
      const button = this.#button({ channel, ...gap }, 'Play what was missed');
      this.#append(channel, make('li', { className: 'gap' }, button, text));
      list.dataset.gaps = 'true';
    });
  }

  /** Some audio is not kept any more. @param {Entry[]} entries */
  forget(entries) {
    for (const entry of entries) {
      const button = this.#items.get(entry.id)?.querySelector('button');
      if (button && !button.disabled && !this.#keeps(entry)) {
        button.disabled = true;
        button.title = 'This audio is not kept any more';
      }
    }
  }

  /**
   * @param {number} channel
   * @param {HTMLLIElement} item
   */
  #append(channel, item) {
    const atEnd = globalThis.innerHeight + globalThis.scrollY >= document.body.scrollHeight - 120;
    this.#lists[channel]?.append(item);
    if (atEnd && globalThis.scrollY > 0) globalThis.scrollTo(0, document.body.scrollHeight);
  }

  /** @param {Entry} entry */
  #make(entry) {
    const item = make('li', { className: 'entry' });
    const body = make('div', {}, make('p', { className: 'said' }), make('p', { className: 'time' }));
    item.append(this.#button(entry, 'Play'), body, make('span', { className: 'latency', hidden: true }));
    return item;
  }

  /**
   * @param {Piece} piece Read when the button is pressed: a segment still grows.
   * @param {string} label
   */
  #button(piece, label) {
    const button = make('button', { type: 'button', className: 'play' });
    button.setAttribute('aria-label', `${label}, from ${clock(piece.start)}`);
    button.setAttribute('aria-pressed', 'false');
    button.innerHTML =
      '<svg class="go" viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 1v10l8.5-5z"/></svg>' +
      '<svg class="pause" viewBox="0 0 12 12" aria-hidden="true"><path d="M2 2h8v8H2z"/></svg>';
    button.addEventListener('click', () => this.#play(piece, button));
    return button;
  }

  /**
   * @param {HTMLLIElement} item
   * @param {Entry} entry
   */
  #fill(item, entry) {
    item.dataset.state = entry.state;
    const said = /** @type {HTMLElement} */ (item.querySelector('.said'));
    const time = /** @type {HTMLElement} */ (item.querySelector('.time'));
    const latency = /** @type {HTMLElement} */ (item.querySelector('.latency'));
    const scores = entry.state === 'final' && textOf(entry) === null;
    if (scores) find('transcript-title', HTMLElement).textContent = 'Results';
    if (scores) said.replaceChildren(values(entry));
    else said.textContent = sentence(entry);
    time.textContent =
      entry.state === 'speaking'
        ? `${clock(entry.start)} – …`
        : `${clock(entry.start)} – ${clock(entry.end)}${entry.flushed ? ' · finished by hand' : ''}`;
    const { afterAudio, afterSilence } = entry.latency;
    if (entry.state !== 'final' || (afterAudio ?? afterSilence) === undefined) return;
    latency.hidden = false;
    latency.textContent = duration(afterAudio ?? afterSilence);
    latency.title =
      afterSilence === undefined
        ? `${duration(afterAudio)} after its last audio was sent`
        : `${duration(afterAudio)} after the last word was sent, ${duration(afterSilence)} after the silence was noticed`;
    latency.setAttribute('aria-label', `Latency: ${latency.title}`);
    latency.setAttribute('role', 'note');
  }

  /** @param {Entry} entry */
  #announce(entry) {
    const text = entry.state === 'final' ? words(entry) : `Not transcribed: ${entry.problem}`;
    if (text) this.#announcer.append(make('p', {}, text));
    while (this.#announcer.children.length > MAX_ANNOUNCED) this.#announcer.firstElementChild?.remove();
  }
}

/** @param {Entry} entry */
function sentence(entry) {
  const heard = words(entry);
  if (entry.state === 'failed') return `Not transcribed: ${entry.problem}`;
  if (entry.state === 'lost') return heard ? `${heard} … (connection lost)` : 'Connection lost';
  if (entry.state === 'final') return heard || 'No words';
  return heard || 'Listening …';
}

/** @param {Entry} entry */
function values(entry) {
  const { output } = entry;
  const numbers = numbersOf(output ?? {});
  const frames = output?.frames;
  const items = Array.isArray(frames)
    ? [make('li', {}, `mean of ${frames.length} frames `, make('b', {}, round(mean(frames))))]
    : numbers.map(([name, value]) => make('li', {}, `${name} `, make('b', {}, round(value))));
  items.push(...othersOf(entry).map(([name, value]) => make('li', {}, `${name} `, make('b', {}, value))));
  return make('ul', { className: 'values' }, ...items);
}

/** @param {number[]} numbers */
const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length);
