/** Keeps the takes of this tab, of the storage and of other tabs the same. */

import { MAX_BYTES } from './take-book.js';
import { TakeStore } from './take-store.js';

/** @import { Stored } from './take-store.js' */
/** @import { Take } from './take.js' */

/** Milliseconds from one save of a take to the next while it grows. */
const SAVE_INTERVAL_MS = 1000;

/** Name of the channel between the tabs, and the prefix of the locks of takes that are being made. */
const CHANNEL = 'streamer.takes';

/** @typedef {{kind: 'saved' | 'removed', id: string} | {kind: 'forgotten'}} Message Between tabs. */

/**
 * @typedef {object} SyncHandlers
 * @property {(take: Take, bytes: number) => void} onChanged Another tab has saved it.
 * @property {(id: string) => void} onRemoved Another tab has removed it.
 * @property {() => void} onForgotten Another tab has removed all.
 * @property {(take: Take, bytes: number) => void} onSaved This tab has saved it.
 * @property {(message: string) => void} onTrouble A take is not kept.
 * @property {() => void} onUnavailable The browser stores nothing.
 */

export class TakeSync {
  #store = new TakeStore();
  #channel = new BroadcastChannel(CHANNEL);
  #handlers;
  #isAvailable = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} Of the next save. */ #timer;
  /** @type {Take | null} The take that the timer saves. */ #unsaved = null;
  #lastSaveMs = 0;
  /** Ends the lock of the take that is being made. */
  #unlock = () => {};
  /** @type {Set<string>} Ids of takes that are not kept, which was said. */ #notKept = new Set();

  /** @param {SyncHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#channel.onmessage = ({ data }) => void this.#onMessage(data);
    globalThis.addEventListener('pagehide', () => this.#saveNow());
  }

  /** @returns {Promise<Stored>} Without the takes that are being made in other tabs. */
  async load() {
    try {
      const [stored, locks] = await Promise.all([this.#store.load(), navigator.locks?.query()]);
      const held = new Set((locks?.held ?? []).map(({ name }) => name));
      const takes = stored.takes.filter(({ take: { id } }) => !held.has(lockOf(id)));
      for (const { take } of takes) take.isOver = true; // its tab may have been closed before
      return { ...stored, takes };
    } catch {
      this.#onUnavailable();
      return { takes: [], unreadable: [] };
    }
  }

  /** @param {Take} take It is being made in this tab from now on. */
  begin(take) {
    void navigator.locks?.request(lockOf(take.id), () => {
      return new Promise((resolve) => (this.#unlock = () => resolve(undefined)));
    });
  }

  /**
   * Save a take that grows: at once, or when the last save is long enough ago.
   * @param {Take} take
   */
  saveSoon(take) {
    this.#unsaved = take;
    const waitMs = Math.max(0, this.#lastSaveMs + SAVE_INTERVAL_MS - Date.now());
    this.#timer ??= setTimeout(() => this.#saveNow(), waitMs);
  }

  /** @param {Take} take It does not grow any more. */
  async end(take) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unsaved = null;
    await this.save(take);
    this.#unlock();
  }

  /**
   * Save a take, and report it to the other tabs.
   * @param {Take} take
   */
  async save(take) {
    if (await this.#write(take)) this.#post({ kind: 'saved', id: take.id });
  }

  /** @param {IDBValidKey[]} ids */
  async remove(ids) {
    if (ids.length === 0) return;
    await this.#try(() => this.#store.remove(ids));
    for (const id of ids) this.#post({ kind: 'removed', id: String(id) });
  }

  /** Remove all takes. */
  async clear() {
    await this.#try(() => this.#store.clear());
    this.#post({ kind: 'forgotten' });
  }

  #saveNow() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const take = this.#unsaved;
    this.#unsaved = null;
    if (take === null) return;
    this.#lastSaveMs = Date.now();
    void this.#write(take);
  }

  /**
   * @param {Take} take
   * @returns {Promise<boolean>} Whether it was written.
   */
  async #write(take) {
    if (!this.#isAvailable || this.#notKept.has(take.id)) return false;
    try {
      const bytes = await this.#store.save(take);
      this.#handlers.onSaved(take, bytes);
      if (bytes > MAX_BYTES) this.#onNotKept(take, 'is too long to be kept further');
      return true;
    } catch (error) {
      if (/** @type {DOMException} */ (error)?.name === 'QuotaExceededError') {
        this.#onNotKept(take, 'is not kept: the browser’s storage is full');
      } else {
        this.#onUnavailable();
      }
      return false;
    }
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    if (!this.#isAvailable) return;
    try {
      await act();
    } catch {
      this.#onUnavailable();
    }
  }

  /**
   * @param {Take} take
   * @param {string} why
   */
  #onNotKept({ id, name }, why) {
    this.#notKept.add(id);
    this.#handlers.onTrouble(`“${name}” ${why}. Export it before you close or reload this page.`);
  }

  #onUnavailable() {
    this.#isAvailable = false;
    this.#handlers.onUnavailable();
  }

  /** @param {Message} message */
  #post(message) {
    this.#channel.postMessage(message);
  }

  /** @param {Message} message */
  async #onMessage(message) {
    if (message.kind === 'forgotten') {
      this.#handlers.onForgotten();
    } else if (message.kind === 'removed') {
      this.#handlers.onRemoved(message.id);
    } else {
      const stored = await this.#store.read(message.id).catch(() => null);
      if (stored !== null) this.#handlers.onChanged(stored.take, stored.bytes);
    }
  }
}

/** @param {string} id Of a take. */
const lockOf = (id) => `${CHANNEL}.${id}`;
