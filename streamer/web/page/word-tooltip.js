/**
 * How certain the model is of a word, beside the word that the pointer or the focus is on. Screen
 * readers find it in the line itself.
 */

import { find, make } from './dom.js';
import { areWordsMarked } from './word-marks.js';

/** Pixels between the tooltip and the edge of the window at least. */
const MARGIN_PIXELS = 8;

export class WordTooltip {
  #element = make('div', { className: 'certainty', hidden: true, aria: { hidden: 'true' } });
  /** @type {HTMLElement | null} The word that it describes. */ #word = null;

  constructor() {
    const takes = find('takes', HTMLElement);
    takes.after(this.#element);
    for (const type of ['pointerover', 'focusin']) {
      takes.addEventListener(type, ({ target }) => this.#show(target));
    }
    takes.addEventListener('focusout', () => this.#hide());
    for (const place of [takes, this.#element]) {
      place.addEventListener('pointerout', (event) => this.#onPointerOut(event));
    }
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#hide();
    });
    globalThis.addEventListener('scroll', () => this.#place(), { passive: true, capture: true });
    globalThis.addEventListener('resize', () => this.#place());
  }

  /** @param {EventTarget | null} target */
  #show(target) {
    const word = target instanceof Element ? target.closest('[data-certainty]') : null;
    if (!(word instanceof HTMLElement) || !areWordsMarked()) return;
    this.#word = word;
    this.#element.textContent = `${word.dataset.certainty} certain`;
    this.#element.hidden = false;
    this.#place();
  }

  /**
   * It stays while the pointer is on the word or on itself, or the focus on the word.
   * @param {PointerEvent} event
   */
  #onPointerOut({ relatedTarget }) {
    const onto = relatedTarget instanceof Node ? relatedTarget : null;
    const isOnIt = this.#word?.contains(onto) || this.#element.contains(onto);
    if (!isOnIt && document.activeElement !== this.#word) this.#hide();
  }

  #hide() {
    this.#word = null;
    this.#element.hidden = true;
  }

  /** Above the word, or below it where there is no room above. */
  #place() {
    const [box] = this.#word?.getClientRects() ?? [];
    if (box === undefined) return this.#hide();
    const { offsetWidth, offsetHeight, style } = this.#element;
    const most = globalThis.innerWidth - offsetWidth - MARGIN_PIXELS;
    const left = Math.max(MARGIN_PIXELS, Math.min(most, (box.left + box.right - offsetWidth) / 2));
    const hasRoom = box.top - offsetHeight >= MARGIN_PIXELS;
    style.left = `${left}px`;
    style.top = `${hasRoom ? box.top - offsetHeight : box.bottom}px`;
  }
}
