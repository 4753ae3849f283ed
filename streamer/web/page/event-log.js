/** Every event as it arrived, for those who build on the protocol. */

import { download, find, make } from './dom.js';

const MAX_EVENTS = 1000;

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
    const follow = this.#list.scrollTop + this.#list.clientHeight >= this.#list.scrollHeight - 8;
    const time = make('span', {}, at.slice(11, 23));
    this.#list.append(make('li', { dataset: { type: event.type } }, time, make('code', {}, JSON.stringify(event))));
    if (this.#events.length > MAX_EVENTS) {
      this.#events.shift();
      this.#list.firstElementChild?.remove();
    }
    this.#count.textContent = String(this.#total);
    if (follow) this.#list.scrollTop = this.#list.scrollHeight;
  }
}
