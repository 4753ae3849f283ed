/** The transcript on the page: a column for each channel, an item for each segment. */

import { announce, clearAnnouncements } from './announcer.js';
import { find, make } from './dom.js';
import { fillEntry, makeEntry, makePlayButton } from './entry-view.js';
import { formatTime } from './format.js';
import { textOf } from './model-output.js';

/** @import { Piece } from './entry-view.js' */
/** @import { Entry } from './transcript.js' */

/** Pixels from the end of the page within which it scrolls on to a new segment. */
const FOLLOW_PIXELS = 120;

export class TranscriptView {
  #title = find('transcript-title', HTMLElement);
  #columns = find('columns', HTMLElement);
  #empty = find('empty', HTMLElement);
  /** @type {HTMLOListElement[]} */ #lists = [];
  /** @type {Map<number, HTMLLIElement>} */ #items = new Map();
  #play;
  #isKept;

  /**
   * @param {(piece: Piece, button: HTMLButtonElement) => void} play
   * @param {(piece: Piece) => boolean} isKept Whether that audio can be played.
   */
  constructor(play, isKept) {
    this.#play = play;
    this.#isKept = isKept;
  }

  /** @param {number} channels */
  clear(channels) {
    this.#items.clear();
    clearAnnouncements();
    this.#empty.hidden = false;
    this.#title.textContent = 'Transcript';
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
      item = makeEntry(entry, this.#play);
      this.#items.set(entry.id, item);
      this.#append(entry.channel, item);
    }
    if (entry.state === 'final' && textOf(entry) === null) this.#title.textContent = 'Results';
    fillEntry(item, entry);
    if (entry.state === 'final' || entry.state === 'failed') announce(entry);
  }

  /** @param {{start: number, end: number}} gap */
  showGap(gap) {
    this.#empty.hidden = true;
    this.#lists.forEach((list, channel) => {
      const times = `${formatTime(gap.start)} to ${formatTime(gap.end)}`;
      const text = `${times} was not transcribed: there was no connection.`;
      const button = makePlayButton({ channel, ...gap }, 'Play what was missed', this.#play);
      this.#append(channel, make('li', { className: 'gap' }, button, text));
      list.dataset.gaps = 'true';
    });
  }

  /**
   * Disable the buttons of audio that is not kept any more.
   * @param {Entry[]} entries
   */
  disableDropped(entries) {
    for (const entry of entries) {
      const button = this.#items.get(entry.id)?.querySelector('button');
      if (button && !button.disabled && !this.#isKept(entry)) {
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
    const pageEnd = document.body.scrollHeight - FOLLOW_PIXELS;
    const isAtEnd = globalThis.innerHeight + globalThis.scrollY >= pageEnd;
    this.#lists[channel]?.append(item);
    if (isAtEnd && globalThis.scrollY > 0) globalThis.scrollTo(0, document.body.scrollHeight);
  }
}
