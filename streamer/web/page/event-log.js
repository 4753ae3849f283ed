/** The log of all events, for people who develop with the protocol. */

import { find, make } from './dom.js';
import { download } from './download.js';

/** Events that are kept. */
const MAX_EVENTS = 1000;

/** Pixels from the end of the list within which it scrolls on to a new event. */
const FOLLOW_PIXELS = 8;

export class EventLog {
  #list = find('log', HTMLOListElement);
  #count = find('log-count', HTMLElement);
  /** @type {Array<{at: string, event: object}>} */ #events = [];
  #total = 0;

  constructor() {
    const interims = find('log-interims', HTMLInputElement);
    interims.addEventListener('change', () => {
      this.#list.dataset.interims = String(interims.checked);
    });
    find('save-log', HTMLButtonElement).addEventListener('click', () => {
      const lines = this.#events.map(({ at, event }) => `${JSON.stringify({ at, ...event })}\n`);
      download('events.jsonl', lines.join(''), 'application/jsonl');
    });
  }

  clear() {
    this.#events = [];
    this.#total = 0;
    this.#list.replaceChildren();
    this.#count.textContent = '0';
  }

  /** @param {{type: string}} event */
  add(event) {
    const at = new Date().toISOString();
    this.#events.push({ at, event });
    this.#total += 1;
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - FOLLOW_PIXELS;
    const time = make('span', {}, at.slice(11, 23));
    this.#list.append(make('li', { dataset: { type: event.type } }, time, make('code', {}, JSON.stringify(event))));
    if (this.#events.length > MAX_EVENTS) {
      this.#events.shift();
      this.#list.firstElementChild?.remove();
    }
    this.#count.textContent = String(this.#total);
    if (isAtEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}
