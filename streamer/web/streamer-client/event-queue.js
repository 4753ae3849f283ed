/** Events in order, for `for await`. */

/** @import { ClientEvent } from './messages.js' */

/** Number of unread events from which on a queue takes no further interim results. */
const MAX_UNREAD_WITH_INTERIMS = 256;

/** Keeps the events of a client until they are read. It ends when the stream of the client ends. */
export class EventQueue {
  /** @type {ClientEvent[]} */ #unread = [];
  #hasEnded = false;
  #unsubscribe;
  #wakeReader = () => {};

  /** @param {(listener: (event: ClientEvent) => void) => () => void} subscribe */
  constructor(subscribe) {
    this.#unsubscribe = subscribe((event) => this.#add(event));
  }

  /** @returns {AsyncGenerator<ClientEvent, void, void>} */
  async *read() {
    try {
      while (true) {
        for (let event = this.#unread.shift(); event; event = this.#unread.shift()) yield event;
        if (this.#hasEnded) return;
        await new Promise((resolve) => (this.#wakeReader = () => resolve(undefined)));
      }
    } finally {
      this.#unsubscribe();
    }
  }

  /** @param {ClientEvent} event */
  #add(event) {
    const isFull = this.#unread.length >= MAX_UNREAD_WITH_INTERIMS;
    if (this.#hasEnded || (event.type === 'interim' && isFull)) return;
    this.#unread.push(event);
    this.#hasEnded =
      event.type === 'connection' && (event.state === 'idle' || event.state === 'closed');
    this.#wakeReader();
  }
}
