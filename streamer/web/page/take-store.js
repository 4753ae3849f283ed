/** The storage of takes in this browser. All tabs of the page share it. */

import { readTake, writeTake } from './take.js';

/** @import { Take } from './take.js' */

/** Name of the database; of its only store; and its version. */
const DATABASE = 'streamer';
const STORE = 'takes';
const VERSION = 1;

/** @typedef {{id: string, json: string}} StoredTake */

/**
 * @typedef {object} Stored What is in the storage.
 * @property {Array<{take: Take, bytes: number}>} takes
 * @property {IDBValidKey[]} unreadable Keys of records that are not takes.
 */

/** Each take is one record, so tabs never overwrite each other's takes. */
export class TakeStore {
  /** @type {Promise<IDBDatabase>} */ #database;

  constructor() {
    this.#database = open();
    this.#database.catch(() => {}); // each method throws it again
  }

  /**
   * @returns {Promise<Stored>}
   * @throws {unknown} The browser stores nothing.
   */
  async load() {
    const store = await this.#store('readonly');
    const [keys, records] = await Promise.all([result(store.getAllKeys()), result(store.getAll())]);
    /** @type {Stored} */
    const stored = { takes: [], unreadable: [] };
    records.forEach((record, index) => {
      const take = readTake(record?.json);
      const key = /** @type {IDBValidKey} */ (keys[index]);
      if (take !== null && take.id === key) stored.takes.push({ take, bytes: byteLength(record.json) });
      else stored.unreadable.push(key);
    });
    return stored;
  }

  /**
   * @param {string} id
   * @returns {Promise<{take: Take, bytes: number} | null>}
   */
  async read(id) {
    const store = await this.#store('readonly');
    const record = await result(store.get(id));
    const take = readTake(record?.json);
    return take && { take, bytes: byteLength(record.json) };
  }

  /**
   * @param {Take} take
   * @returns {Promise<number>} Its bytes.
   * @throws {unknown} There is no room, or the browser stores nothing.
   */
  async save(take) {
    const json = writeTake(take);
    const store = await this.#store('readwrite');
    store.put({ id: take.id, json });
    await committed(store.transaction);
    return byteLength(json);
  }

  /** @param {IDBValidKey[]} keys */
  async remove(keys) {
    const store = await this.#store('readwrite');
    for (const key of keys) store.delete(key);
    await committed(store.transaction);
  }

  /** Remove everything, also what other tabs have stored. */
  async clear() {
    const store = await this.#store('readwrite');
    store.clear();
    await committed(store.transaction);
  }

  /** @param {IDBTransactionMode} mode */
  async #store(mode) {
    const database = await this.#database;
    return database.transaction(STORE, mode).objectStore(STORE);
  }
}

/** @param {string} text */
const byteLength = (text) => new Blob([text]).size;

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
const committed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
