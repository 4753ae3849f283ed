/** The parts of the form that can be folded. */

import { find } from './dom.js';
import { passFocus } from './focus.js';

/** The key that remembers whether the technical settings are open. */
const ADVANCED_KEY = 'streamer.advanced';

/**
 * On a phone, everything but the buttons folds when a run begins, and stays folded after it. The
 * style sheet shows everything on wider screens.
 */
export class Folds {
  #form = find('settings', HTMLFormElement);
  #setup = find('setup', HTMLElement);
  #button = find('fold', HTMLButtonElement);
  #advanced = find('advanced', HTMLDetailsElement);

  constructor() {
    this.#button.addEventListener('click', () => this.#setFolded(this.#form.dataset.folded !== 'true'));
    this.#advanced.open = read() === 'open';
    this.#advanced.addEventListener('toggle', () => write(this.#advanced.open ? 'open' : 'closed'));
  }

  /** A run begins. */
  fold() {
    this.#setFolded(true);
    const isHidden = getComputedStyle(this.#setup).display === 'none';
    if (isHidden) passFocus(this.#setup, 'start');
  }

  /** Show the source and the settings. */
  open() {
    this.#setFolded(false);
  }

  /** Show the technical settings. */
  openAdvanced() {
    this.open();
    this.#advanced.open = true;
  }

  /** @param {boolean} isFolded */
  #setFolded(isFolded) {
    this.#form.dataset.folded = String(isFolded);
    this.#button.setAttribute('aria-expanded', String(!isFolded));
  }
}

function read() {
  try {
    return localStorage.getItem(ADVANCED_KEY);
  } catch {
    return null; // the browser stores nothing
  }
}

/** @param {string} value */
function write(value) {
  try {
    localStorage.setItem(ADVANCED_KEY, value);
  } catch {
    // It is not remembered.
  }
}
