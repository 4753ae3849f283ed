/** One take on the page: its name, its buttons and its results. */

import { ColumnsView } from './columns-view.js';
import { ask } from './confirmation.js';
import { make } from './dom.js';
import { FORMATS } from './exports.js';
import { MAX_NAME_LENGTH, finalsOf, isEmpty } from './take.js';
import { describeEmptyTake, processed } from './wording.js';

/** @import { TakeAudio } from './entry-view.js' */
/** @import { Played } from './played-place.js' */
/** @import { Take } from './take.js' */
/** @import { Entry } from './transcript.js' */

/**
 * @typedef {object} TakeActions What a person may do with a take.
 * @property {(take: Take, name: string) => void} rename
 * @property {(take: Take, format: keyof typeof FORMATS) => void} save
 * @property {(take: Take) => void} remove
 */

/** The names of the formats on the buttons. */
const FORMAT_NAMES = { txt: 'Text', srt: 'SRT', vtt: 'VTT', json: 'JSON' };

export class TakeView {
  #take;
  #audio;
  #actions;
  /** @type {ColumnsView | null} Null until it is shown for the first time. */ #columns = null;
  #name = make('input', { className: 'take-name', dir: 'auto', maxLength: MAX_NAME_LENGTH });
  #facts = make('p', { className: 'hint' });
  #toggle = make('button', { type: 'button', className: 'toggle' });
  #remove = make('button', { type: 'button', className: 'quiet' }, 'Remove');
  #exports = make('div', { className: 'take-exports' });
  #confirm = make('div', { className: 'confirm', role: 'group', hidden: true });
  #body = make('div', { className: 'take-body' });

  /**
   * @param {Take} take
   * @param {TakeAudio | null} audio Null: there is none.
   * @param {TakeActions} actions
   */
  constructor(take, audio, actions) {
    this.#take = take;
    this.#audio = audio;
    this.#actions = actions;
    const head = make('div', { className: 'take-head' },
      this.#toggle, this.#name, this.#facts, this.#exports, this.#remove);
    this.element = make('section', { className: 'take' }, head, this.#confirm, this.#body);
    this.#connect();
    this.update();
  }

  /** Show the results. */
  open() {
    if (this.#columns === null) {
      this.#columns = new ColumnsView(this.#take.channels, this.#audio, processed(this.#take));
      this.#body.append(this.#columns.element);
      for (const entry of this.#take.entries) this.#columns.show(entry);
      for (const gap of this.#take.gaps) this.#columns.showGap(gap);
    }
    this.#setOpen(true);
  }

  /** Show what is known of the take besides its results. */
  update() {
    const { name, startedAt, model, isOver } = this.#take;
    const count = finalsOf(this.#take).length;
    if (this.#name.value !== name && document.activeElement !== this.#name) this.#name.value = name;
    this.#name.title = name;
    this.element.setAttribute('aria-label', name);
    this.element.dataset.over = String(isOver);
    this.#remove.setAttribute('aria-label', `Remove ${name}`);
    this.#confirm.setAttribute('aria-label', `Remove ${name}`);
    this.#exports.setAttribute('aria-label', `Export ${name}`);
    this.#remove.disabled = !isOver;
    const segments = `${count} ${count === 1 ? 'segment' : 'segments'}`;
    const audio = isOver && this.#audio === null ? 'without audio' : '';
    const facts = [formatDate(startedAt), model, segments, audio].filter(Boolean);
    this.#facts.textContent = facts.map((fact) => fact.replaceAll(' ', '\u00a0')).join(' · ');
    for (const button of this.#exports.querySelectorAll('button')) button.disabled = count === 0;
    if (isOver && isEmpty(this.#take)) this.#body.textContent = describeEmptyTake(this.#take);
  }

  /**
   * @param {Entry} entry New or changed.
   * @returns {HTMLElement | undefined} Its item; undefined while the results are not shown.
   */
  show(entry) {
    return this.#columns?.show(entry);
  }

  /** @param {{start: number, end: number}} gap */
  showGap(gap) {
    this.#columns?.showGap(gap);
  }

  /** Disable the buttons and the words of audio that is not kept any more. */
  disableDropped() {
    this.#columns?.disableDropped();
  }

  /** @param {Played | null} played What is being played; null when it is nothing of this take. */
  showPlayed(played) {
    this.#columns?.showPlayed(played);
  }

  #connect() {
    this.#name.setAttribute('aria-label', 'Name of this take');
    this.#name.addEventListener('change', () => this.#actions.rename(this.#take, this.#name.value));
    this.#name.addEventListener('blur', () => this.update());
    this.#name.addEventListener('keydown', ({ key }) => {
      if (key === 'Enter') this.#name.blur();
    });
    this.#toggle.addEventListener('click', () => {
      if (this.#body.hidden) this.open();
      else this.#setOpen(false);
    });
    this.#exports.setAttribute('role', 'group');
    this.#exports.append(
      ...Object.entries(FORMAT_NAMES).map(([format, label]) => {
        const button = make('button', { type: 'button', className: 'quiet' }, label);
        button.dataset.takeExport = format;
        const key = /** @type {keyof typeof FORMATS} */ (format);
        button.addEventListener('click', () => this.#actions.save(this.#take, key));
        return button;
      }),
    );
    this.#remove.addEventListener('click', () => this.#askToRemove());
    this.#setOpen(false);
  }

  #askToRemove() {
    const texts = {
      question: `Remove “${this.#take.name}” from this browser?`,
      yes: 'Remove it',
      no: 'Keep it',
      returnTo: this.#remove,
    };
    ask(this.#confirm, texts, () => this.#actions.remove(this.#take));
  }

  /** @param {boolean} isOpen */
  #setOpen(isOpen) {
    this.#body.hidden = !isOpen;
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    this.#toggle.setAttribute('aria-label', isOpen ? 'Hide the results' : 'Show the results');
  }
}

/** @param {string} iso */
function formatDate(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return '';
  return date.toLocaleString('en-GB', {
    day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
  });
}
