/** Listeners of a program, and what happens when one of them fails. */

import { show } from './known-options.js';

/** Keeps the listeners of each type of event, and calls them. */
export class EventListeners {
  /** @type {Map<string, Set<(...values: any[]) => void>>} */ #byType = new Map();

  /**
   * @param {string} type
   * @param {(...values: any[]) => void} listener
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} It is no function.
   */
  add(type, listener) {
    if (typeof listener !== 'function') {
      throw new TypeError(`the listener is ${show(listener)}; allowed: a function`);
    }
    const listeners = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * Call each listener of this type. The error of one is reported as uncaught, and changes nothing else.
   * @param {string} type
   * @param {unknown[]} values
   */
  call(type, ...values) {
    for (const listener of [...(this.#byType.get(type) ?? [])]) {
      try {
        listener(...values);
      } catch (error) {
        reportUncaught(error);
      }
    }
  }
}

/**
 * Report an error as a browser does that of its own listeners: as event `error` of the window. Node has
 * no `reportError`; there it is an `uncaughtException`.
 * @param {unknown} error
 */
export function reportUncaught(error) {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else queueMicrotask(() => { throw error; });
}
