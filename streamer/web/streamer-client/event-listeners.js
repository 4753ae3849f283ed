/** Listeners of events, by type. */

/** Keeps the listeners of each type of event, and calls them. */
export class EventListeners {
  /** @type {Map<string, Set<(value: any) => void>>} */ #byType = new Map();

  /**
   * @param {string} type
   * @param {(value: any) => void} listener
   * @returns {() => void} Removes the listener.
   */
  add(type, listener) {
    const listeners = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * @param {string} type
   * @param {unknown} value What each listener of this type is called with.
   */
  call(type, value) {
    for (const listener of [...(this.#byType.get(type) ?? [])]) listener(value);
  }
}
