/** One stream on the server, and how much of it has a result. */

/** @import { ClientEvent } from './messages.js' */

/** Seconds within which the server announces speech. Audio before that held no speech. */
const SPEECH_ANNOUNCED_WITHIN_SECONDS = 5;

/** The names of the fields that hold a time. */
const TIME_FIELDS = ['time', 'start_time', 'end_time'];

/** Follows the events of one stream. */
export class Stream {
  /** The last time that an event of the server named, in seconds of this stream. */
  #answeredUntil = 0;
  /** @type {number | undefined} Length in seconds, once the server has finished the stream. */
  #finishedLength = undefined;
  /** @type {Map<number, number[]>} By channel: when speech began that has no result yet. */
  #speechWithoutResult = new Map();

  /** @param {number} offset Where it begins, in seconds since `start()`. */
  constructor(offset) {
    this.offset = offset;
  }

  /** @param {any} event With times of this stream. */
  update(event) {
    if (event.type === 'stopped') {
      this.#finishedLength = event.audio_seconds;
    } else if (event.type === 'active') {
      const earlier = this.#speechWithoutResult.get(event.channel) ?? [];
      this.#speechWithoutResult.set(event.channel, [...earlier, event.time]);
    } else if (event.type === 'segment' || event.type === 'error') {
      this.#speechWithoutResult.get(event.channel)?.shift();
    }
    this.#answeredUntil = Math.max(this.#answeredUntil, event.time ?? 0, event.end_time ?? 0);
  }

  /**
   * @param {number} sent End of the audio that was sent, in seconds since `start()`.
   * @returns {number} Since when audio has no result, in seconds since `start()`.
   */
  unansweredSince(sent) {
    if (this.#finishedLength !== undefined) return this.offset + this.#finishedLength;
    const beginnings = [...this.#speechWithoutResult.values()].map((times) => times[0] ?? Infinity);
    const firstBeginning = Math.min(...beginnings);
    if (firstBeginning < Infinity) return this.offset + firstBeginning;
    return Math.max(this.offset + this.#answeredUntil, sent - SPEECH_ANNOUNCED_WITHIN_SECONDS);
  }

  /**
   * @param {any} object With times of this stream; a word may be anything, if the model is one's own.
   * @returns {any} A copy with times since `start()`.
   */
  #withLaterTimes(object) {
    if (typeof object !== 'object' || object === null) return object;
    const copy = { ...object };
    for (const field of TIME_FIELDS) {
      if (typeof copy[field] === 'number') copy[field] += this.offset;
    }
    return copy;
  }

  /**
   * @param {any} event With times of this stream.
   * @returns {ClientEvent} The same event with times since `start()`.
   */
  rebase(event) {
    const rebased = this.#withLaterTimes(event);
    if (['segment', 'interim'].includes(event.type) && Array.isArray(event.words)) {
      rebased.words = event.words.map((/** @type {any} */ word) => this.#withLaterTimes(word));
    }
    return rebased;
  }
}
