/** The field for key terms in the form. The browser remembers them. */

import { find } from './dom.js';
import { keyTermsIn, problemOfKeyTerms } from './key-terms.js';

/** The key that remembers the text. */
const KEY = 'streamer.keyterms';

export class KeyTermsField {
  #field = find('keyterms-field', HTMLElement);
  #text = find('keyterms', HTMLTextAreaElement);
  #problem = find('keyterms-problem', HTMLElement);

  constructor() {
    this.#text.value = read();
    this.#text.addEventListener('input', () => {
      write(this.#text.value);
      this.#showProblem();
    });
    this.#showProblem();
  }

  /** @param {boolean} isUseful Whether the model may use key terms. */
  show(isUseful) {
    this.#field.hidden = !isUseful;
  }

  /** The terms to send: none while the field is hidden. */
  get terms() {
    return this.#field.hidden ? [] : keyTermsIn(this.#text.value);
  }

  /** What the server would not accept, for people; empty if it accepts the terms. */
  get problem() {
    return problemOfKeyTerms(this.terms);
  }

  focus() {
    this.#text.focus();
  }

  #showProblem() {
    const problem = problemOfKeyTerms(keyTermsIn(this.#text.value));
    this.#problem.textContent = problem;
    this.#text.setAttribute('aria-invalid', String(problem !== ''));
  }
}

function read() {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return ''; // the browser stores nothing
  }
}

/** @param {string} text */
function write(text) {
  try {
    localStorage.setItem(KEY, text);
  } catch {
    // It is not remembered.
  }
}
