/** How fast a recording is sent that is not sent in real time. Pure: the time is passed in. */

/** @import { ClientEvent } from '../streamer-client/streamer-client.js' */

/**
 * Segments of a channel that wait for their results, from which on no more audio is sent. The server
 * holds the stream back at 8, and then the audio in it begins to wait.
 */
const MAX_PENDING = 2;

/** Chunks that are sent beyond the last one that has a result. */
const MAX_CHUNKS_AHEAD = 6;

/** Seconds of audio that are sent at once beyond the last event. */
const AHEAD_SECONDS = 8;

/**
 * Seconds of audio that are sent beyond that in each second without an event. The server sends no
 * events about silence. It finds speech more than 100 times faster than in real time.
 */
const SILENT_SPEED = 50;

/** Follows the events of a stream, to send no faster than the model gives results. */
export class FilePace {
  #chunkSeconds;
  /** @type {number[]} By channel: segments without a result. */ #pending;
  /** @type {number[]} By channel: the last time that an event named, in seconds. */ #answeredUntil;
  #lastEventMs;

  /**
   * @param {{channels: number, chunkSeconds: number | null}} stream `chunkSeconds` is null when the
   *   server finds the segments.
   * @param {number} nowMs
   */
  constructor({ channels, chunkSeconds }, nowMs) {
    this.#chunkSeconds = chunkSeconds;
    this.#pending = Array(channels).fill(0);
    this.#answeredUntil = Array(channels).fill(0);
    this.#lastEventMs = nowMs;
  }

  /**
   * @param {ClientEvent} event
   * @param {number} nowMs
   */
  onEvent(event, nowMs) {
    if (event.type === 'lost') {
      this.#pending.fill(0);
      this.#answeredUntil.fill(event.end_time);
      this.#lastEventMs = nowMs;
      return;
    }
    const { channel, time, end_time: end } =
      /** @type {{channel?: number, time?: number, end_time?: number}} */ (event);
    if (channel === undefined) return;
    const pending = this.#pending[channel] ?? 0;
    if (event.type === 'inactive') this.#pending[channel] = pending + 1;
    else if (event.type === 'segment' || event.type === 'error') {
      this.#pending[channel] = Math.max(0, pending - 1);
    }
    this.#answeredUntil[channel] = Math.max(this.#answeredUntil[channel] ?? 0, time ?? end ?? 0);
    this.#lastEventMs = nowMs;
  }

  /**
   * @param {number} position End of the audio that was sent, in seconds.
   * @param {number} nowMs
   * @returns {boolean} Whether more audio may be sent now.
   */
  hasRoom(position, nowMs) {
    if (this.#chunkSeconds !== null) {
      return position <= Math.min(...this.#answeredUntil) + MAX_CHUNKS_AHEAD * this.#chunkSeconds;
    }
    if (Math.max(...this.#pending) >= MAX_PENDING) return false;
    const silentSeconds = ((nowMs - this.#lastEventMs) / 1000) * SILENT_SPEED;
    return position <= Math.max(...this.#answeredUntil) + AHEAD_SECONDS + silentSeconds;
  }
}
