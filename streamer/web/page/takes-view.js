/** All takes on the page, and the buttons that concern all of them. */

import { announce } from './announcer.js';
import { copyOnClick } from './clipboard.js';
import { ask } from './confirmation.js';
import { find, setText } from './dom.js';
import { download } from './download.js';
import { FORMATS } from './exports.js';
import { finalsOf, isTranscript } from './take.js';
import { TakeView } from './take-view.js';
import { fileNameOf, reportOf } from './take-report.js';
import { textOf } from './model-output.js';
import { arrangeStops } from './word-line.js';

/** @import { TakeAudio } from './entry-view.js' */
/** @import { Played } from './played-place.js' */
/** @import { Take } from './take.js' */
/** @import { Entry } from './transcript.js' */

/**
 * @typedef {object} TakesActions What a person may do with takes.
 * @property {(take: Take, name: string) => void} rename
 * @property {(take: Take) => void} remove
 * @property {() => void} forget Remove all.
 */

export class TakesView {
  #place = find('takes', HTMLElement);
  #forget = find('forget', HTMLButtonElement);
  /** @type {Take[]} In the order of the page. */ #takes = [];
  /** @type {Map<string, TakeView>} */ #views = new Map();
  #actions;

  /** @param {TakesActions} actions */
  constructor(actions) {
    this.#actions = {
      ...actions,
      /** @type {(take: Take, format: keyof typeof FORMATS) => void} */
      save: (take, format) => saveTakes(format, fileNameOf(take), [take]),
    };
    for (const format of /** @type {Array<keyof typeof FORMATS>} */ (Object.keys(FORMATS))) {
      document.querySelector(`[data-export="${format}"]`)?.addEventListener('click', () => {
        saveTakes(format, 'transcript', this.#exported());
      });
    }
    copyOnClick('copy', () => FORMATS.txt.write(...this.#exported().map(reportOf)));
    this.#forget.addEventListener('click', () => this.#askToForget());
  }

  /**
   * Show these takes, in this order.
   * @param {Take[]} takes
   * @param {(take: Take) => TakeAudio | null} audioOf Null: there is none.
   */
  arrange(takes, audioOf) {
    this.#takes = [...takes];
    const ids = new Set(takes.map(({ id }) => id));
    for (const id of this.#views.keys()) if (!ids.has(id)) this.#views.delete(id);
    for (const take of takes) {
      if (!this.#views.has(take.id)) {
        this.#views.set(take.id, new TakeView(take, audioOf(take), this.#actions));
      }
    }
    const elements = takes.map(({ id }) => /** @type {TakeView} */ (this.#views.get(id)).element);
    const kept = new Set(/** @type {Element[]} */ (elements));
    for (const element of [...this.#place.children]) if (!kept.has(element)) element.remove();
    // One that is in its place is not moved: it would lose the focus, and a name that is being written.
    elements.forEach((element, index) => {
      const present = this.#place.children[index] ?? null;
      if (present !== element) this.#place.insertBefore(element, present);
    });
    this.update();
  }

  /** @param {Take} take Its results are to be shown. */
  open({ id }) {
    this.#views.get(id)?.open();
  }

  /** @param {string} id Of a take whose content is to be shown anew. */
  forgetView(id) {
    this.#views.delete(id);
  }

  /**
   * @param {Take} take
   * @param {Entry} entry New or changed.
   * @returns {HTMLElement | undefined} Its item.
   */
  show({ id }, entry) {
    if (entry.state === 'final') {
      setText('transcript-title', textOf(entry) === null ? 'Results' : 'Transcript');
    }
    if (entry.state === 'final' || entry.state === 'failed') {
      announce(entry);
      this.update();
    }
    return this.#views.get(id)?.show(entry);
  }

  /**
   * @param {Take} take
   * @param {{start: number, end: number}} gap
   */
  showGap({ id }, gap) {
    this.#views.get(id)?.showGap(gap);
  }

  /** Disable the buttons and the words of audio that is not kept any more. */
  disableDropped() {
    for (const view of this.#views.values()) view.disableDropped();
  }

  /**
   * Show what is being played.
   * @param {string} id Of its take.
   * @param {Played | null} played Null: it has ended.
   */
  showPlayed(id, played) {
    this.#views.get(id)?.showPlayed(played);
  }

  /** Whether uncertain words are marked is other than before. */
  arrangeStops() {
    for (const line of this.#place.querySelectorAll('.said')) arrangeStops(/** @type {HTMLElement} */ (line));
  }

  /** Show what depends on all takes. */
  update() {
    const count = this.#takes.length;
    this.#place.dataset.count = String(count);
    for (const view of this.#views.values()) view.update();
    find('empty', HTMLElement).hidden = count > 0;
    this.#forget.hidden = count === 0;
    this.#forget.disabled = this.#takes.some(({ isOver }) => !isOver);
    setText('exports-title', count > 1 ? 'Export all takes' : 'Export');
    const hasResults = this.#exported().length > 0;
    for (const button of document.querySelectorAll('.exports button')) {
      /** @type {HTMLButtonElement} */ (button).disabled = !hasResults;
    }
    const kinds = this.#takes.map(isTranscript).filter((kind) => kind !== null);
    if (kinds.length > 0) {
      setText('transcript-title', kinds.at(-1) ? 'Transcript' : 'Results');
    }
  }

  /** @returns {Take[]} Those that hold results. */
  #exported() {
    return this.#takes.filter((take) => finalsOf(take).length > 0);
  }

  #askToForget() {
    const texts = {
      question: 'Forget all takes, in every tab of this browser?',
      yes: 'Forget them',
      no: 'Keep them',
      returnTo: this.#forget,
    };
    ask(find('forget-confirm', HTMLElement), texts, () => this.#actions.forget());
  }
}

/**
 * @param {keyof typeof FORMATS} format
 * @param {string} name Of the file, without its extension.
 * @param {Take[]} takes
 */
function saveTakes(format, name, takes) {
  const { type, write } = FORMATS[format];
  download(`${name}.${format}`, write(...takes.map(reportOf)), type);
}
