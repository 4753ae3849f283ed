/** A reply of the server that a caller waits for. */

/**
 * Holds at most one promise that is not settled yet.
 * @template T
 */
export class PendingReply {
  /** @type {{resolve: (value: T) => void, reject: (error: Error) => void} | null} */
  #settle = null;

  get isPending() {
    return this.#settle !== null;
  }

  /** @returns {Promise<T>} */
  expect() {
    return new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  /** @param {T} value */
  resolve(value) {
    this.#settle?.resolve(value);
    this.#settle = null;
  }

  /** @param {Error} error */
  reject(error) {
    this.#settle?.reject(error);
    this.#settle = null;
  }
}
