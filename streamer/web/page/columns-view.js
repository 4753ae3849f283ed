/** The results of one take: a column for each channel, an item for each segment. */

import { make } from './dom.js';
import { disableEntry, fillEntry, makeEntry, makePlayButton } from './entry-view.js';
import { formatTime } from './format.js';
import { PlayedPlace } from './played-place.js';
import { rowsOf } from './rows.js';

/** @import { Piece, TakeAudio } from './entry-view.js' */
/** @import { Played } from './played-place.js' */
/** @import { Entry } from './transcript.js' */
/** @import { Placed } from './rows.js' */

export class ColumnsView {
  #audio;
  #processed;
  /** @type {HTMLOListElement[]} */ #lists;
  /** @type {Map<number, HTMLLIElement>} By id of the entry. */ #items = new Map();
  /** @type {Map<Placed, HTMLLIElement>} With more than one channel: items that have a row. */
  #placed = new Map();

  /** @type {Array<{piece: Piece, item: HTMLLIElement}>} In the order of their arrival. */ #pieces = [];
  #played = new PlayedPlace();

  /**
   * @param {number} channels
   * @param {TakeAudio | null} audio Null: there is none.
   * @param {string} processed The word for it, such as `transcribed`.
   */
  constructor(channels, audio, processed) {
    this.#audio = audio;
    this.#processed = processed;
    this.#lists = Array.from({ length: channels }, () => make('ol', { className: 'entries' }));
    const columns = this.#lists.map((list, channel) => {
      const title = make('h3', {}, `Channel ${channel + 1}`);
      title.style.setProperty('--column', String(channel + 1));
      return make('div', { className: 'column' }, ...(channels > 1 ? [title] : []), list);
    });
    this.element = make('div', { className: 'columns' }, ...columns);
    this.element.dataset.layout = channels === 1 ? 'one' : channels === 2 ? 'two' : 'many';
    this.element.dataset.audio = String(audio !== null);
  }

  /**
   * Show a new or changed entry.
   * @param {Entry} entry
   * @returns {HTMLLIElement}
   */
  show(entry) {
    const existing = this.#items.get(entry.id);
    const item = existing ?? makeEntry(entry, this.#audio);
    fillEntry(item, entry, this.#audio);
    if (existing === undefined) {
      this.#items.set(entry.id, item);
      this.#pieces.push({ piece: entry, item });
      this.#append(entry, item);
    }
    if (this.#audio?.keeps(entry) === false) disableEntry(item);
    this.#align();
    return item;
  }

  /** @param {{start: number, end: number}} gap */
  showGap(gap) {
    this.#lists.forEach((list, channel) => {
      const times = `${formatTime(gap.start)} to ${formatTime(gap.end)}`;
      const text = `${times} was not ${this.#processed}: there was no connection.`;
      const piece = { channel, ...gap };
      const button = this.#audio && makePlayButton(piece, 'Play what was missed', this.#audio);
      const item = make('li', { className: 'gap' }, ...(button ? [button] : []), text);
      this.#pieces.push({ piece, item });
      this.#append(piece, item);
      list.dataset.gaps = 'true';
    });
    this.#align();
  }

  /** Disable the buttons and the words of audio that is not kept any more. */
  disableDropped() {
    for (const { piece, item } of this.#pieces) {
      if (this.#audio?.keeps(piece) === false) disableEntry(item);
    }
  }

  /**
   * Show what is being played.
   * @param {Played | null} played Null: nothing of this take.
   */
  showPlayed(played) {
    this.#played.show(this.#pieces, played);
  }

  /**
   * @param {Placed} placed
   * @param {HTMLLIElement} item
   */
  #append(placed, item) {
    if (this.#lists.length > 1) {
      this.#placed.set(placed, item);
      item.dataset.channel = `Channel ${placed.channel + 1}`;
      item.style.setProperty('--column', String(placed.channel + 1));
    }
    this.#lists[placed.channel]?.append(item);
  }

  /** Put what was said at the same time side by side. The first row holds the titles. */
  #align() {
    if (this.#placed.size === 0) return;
    for (const [placed, row] of rowsOf([...this.#placed.keys()])) {
      const { style } = /** @type {HTMLLIElement} */ (this.#placed.get(placed));
      const value = String(row + 2);
      if (style.getPropertyValue('--row') !== value) style.setProperty('--row', value);
    }
  }
}
