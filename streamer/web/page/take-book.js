/** The takes of this browser, in order. It does not depend on the page. */

import { MAX_NAME_LENGTH } from './take.js';

/** @import { Take } from './take.js' */

/** Takes that are kept; before another one begins, the oldest is announced and then removed. */
export const MAX_TAKES = 50;

/** Bytes of all takes, from which on the oldest one is announced and then removed. */
export const MAX_BYTES = 20 * 1024 * 1024;

/** The names of takes that a person has not named. */
const NUMBERED = /^Take (\d+)$/;

/** Keeps the takes by their beginning, names them, and finds those for which there is no room. */
export class TakeBook {
  /** @type {Take[]} Oldest first. */ takes = [];
  /** @type {Map<string, number>} Bytes in the storage, by id. */ #sizes = new Map();
  /** @type {Set<string>} Ids of those whose removal was announced. */ #announced = new Set();

  /**
   * Put a take in its place. It replaces one with the same id.
   * @param {Take} take
   * @param {number} [bytes] In the storage.
   */
  put(take, bytes = 0) {
    this.takes = this.takes.filter(({ id }) => id !== take.id);
    const after = this.takes.findIndex(({ startedAt }) => startedAt > take.startedAt);
    this.takes.splice(after < 0 ? this.takes.length : after, 0, take);
    this.#sizes.set(take.id, bytes);
  }

  /**
   * @param {string} id
   * @returns {Take | undefined}
   */
  find(id) {
    return this.takes.find((take) => take.id === id);
  }

  /** @param {string} id */
  remove(id) {
    this.takes = this.takes.filter((take) => take.id !== id);
    this.#sizes.delete(id);
  }

  /**
   * @param {string} id
   * @param {number} bytes In the storage.
   */
  setSize(id, bytes) {
    if (this.#sizes.has(id)) this.#sizes.set(id, bytes);
  }

  /**
   * @param {string} id
   * @param {string} name Without any letters, the old name stays.
   */
  rename(id, name) {
    const take = this.find(id);
    const trimmed = name.replace(/\s+/g, ' ').trim().slice(0, MAX_NAME_LENGTH);
    if (take && trimmed) take.name = trimmed;
  }

  /**
   * @param {string} [wanted] Such as the name of a file; `Take 1`, `Take 2` and so on when absent.
   * @returns {string} A name that no take has.
   */
  newName(wanted) {
    if (!wanted) {
      const numbers = this.takes.map(({ name }) => Number(NUMBERED.exec(name)?.[1] ?? 0));
      return `Take ${Math.max(0, ...numbers) + 1}`;
    }
    const names = new Set(this.takes.map(({ name }) => name));
    const base = wanted.slice(0, MAX_NAME_LENGTH);
    let name = base;
    for (let number = 2; names.has(name); number += 1) name = `${base} (${number})`;
    return name;
  }

  /**
   * @returns {Take[]} Those that have to be removed before another take begins, and were not
   *   returned before.
   */
  announceSurplus() {
    const unannounced = this.#surplus().filter(({ id }) => !this.#announced.has(id));
    for (const { id } of unannounced) this.#announced.add(id);
    return unannounced;
  }

  /**
   * Take back the announcements that are not true any more: the take was removed, or may stay.
   * @returns {string[]} The ids of these takes.
   */
  takeBackAnnouncements() {
    const surplus = new Set(this.#surplus().map(({ id }) => id));
    const outdated = [...this.#announced].filter((id) => !surplus.has(id));
    for (const id of outdated) this.#announced.delete(id);
    return outdated;
  }

  /**
   * Make room for another take.
   * @returns {Take[]} Those that were removed. The removal of each was announced before.
   */
  removeAnnounced() {
    const removed = this.#surplus().filter(({ id }) => this.#announced.has(id));
    for (const { id } of removed) this.remove(id);
    return removed;
  }

  /** @returns {Take[]} The oldest takes: without them there is room for another. */
  #surplus() {
    let bytes = [...this.#sizes.values()].reduce((sum, one) => sum + one, 0);
    let count = this.takes.length;
    const surplus = [];
    for (const take of this.takes) {
      if (count < MAX_TAKES && bytes <= MAX_BYTES) break;
      surplus.push(take);
      count -= 1;
      bytes -= this.#sizes.get(take.id) ?? 0;
    }
    return surplus;
  }
}
