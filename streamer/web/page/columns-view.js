/** The results of one take: a column for each channel, an item for each segment. */

import { make } from './dom.js';
import { fillEntry, makeEntry, makePlayButton } from './entry-view.js';
import { formatTime } from './format.js';
import { rowsOf } from './rows.js';

/** @import { Piece, Play } from './entry-view.js' */
/** @import { Entry } from './transcript.js' */
/** @import { Placed } from './rows.js' */

export class ColumnsView {
  #play;
  #processed;
  /** @type {HTMLOListElement[]} */ #lists;
  /** @type {Map<number, HTMLLIElement>} By id of the entry. */ #items = new Map();
  /** @type {Map<Placed, HTMLLIElement>} With more than one channel: items that have a row. */
  #placed = new Map();

  /**
   * @param {number} channels
   * @param {Play | null} play Null: there is no audio.
   * @param {string} processed The word for it, such as `transcribed`.
   */
  constructor(channels, play, processed) {
    this.#play = play;
    this.#processed = processed;
    this.#lists = Array.from({ length: channels }, () => make('ol', { className: 'entries' }));
    const columns = this.#lists.map((list, channel) => {
      const title = make('h3', {}, `Channel ${channel + 1}`);
      title.style.setProperty('--column', String(channel + 1));
      return make('div', { className: 'column' }, ...(channels > 1 ? [title] : []), list);
    });
    this.element = make('div', { className: 'columns' }, ...columns);
    this.element.dataset.layout = channels === 1 ? 'one' : channels === 2 ? 'two' : 'many';
    this.element.dataset.audio = String(play !== null);
  }

  /**
   * Show a new or changed entry.
   * @param {Entry} entry
   * @returns {HTMLLIElement}
   */
  show(entry) {
    const existing = this.#items.get(entry.id);
    const item = existing ?? makeEntry(entry, this.#play);
    fillEntry(item, entry);
    if (existing === undefined) {
      this.#items.set(entry.id, item);
      this.#append(entry, item);
    }
    this.#align();
    return item;
  }

  /** @param {{start: number, end: number}} gap */
  showGap(gap) {
    this.#lists.forEach((list, channel) => {
      const times = `${formatTime(gap.start)} to ${formatTime(gap.end)}`;
      const text = `${times} was not ${this.#processed}: there was no connection.`;
      const piece = { channel, ...gap };
      const button = this.#play && makePlayButton(piece, 'Play what was missed', this.#play);
      this.#append(piece, make('li', { className: 'gap' }, ...(button ? [button] : []), text));
      list.dataset.gaps = 'true';
    });
    this.#align();
  }

  /**
   * Disable the buttons of audio that is not kept any more.
   * @param {Entry[]} entries
   * @param {(piece: Piece) => boolean} isKept
   */
  disableDropped(entries, isKept) {
    for (const entry of entries) {
      const button = this.#items.get(entry.id)?.querySelector('button');
      if (button && !button.disabled && !isKept(entry)) {
        button.disabled = true;
        button.title = 'This audio is not kept any more';
      }
    }
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
