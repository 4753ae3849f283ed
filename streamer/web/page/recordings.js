/** The audio of all takes of this page, together bounded. */

/** @import { Recording } from './recording.js' */

/** Bytes of audio that are kept: 64 MiB, half an hour of 16 kHz mono. */
export const MAX_AUDIO_BYTES = 64 * 1024 * 1024;

export class Recordings {
  /** @type {Map<string, Recording>} By id of the take, oldest first. */ #recordings = new Map();

  /**
   * @param {string} id
   * @param {Recording} recording
   */
  add(id, recording) {
    this.#recordings.set(id, recording);
  }

  /**
   * @param {string} id
   * @returns {Recording | undefined}
   */
  find(id) {
    return this.#recordings.get(id);
  }

  /** @param {string} id */
  remove(id) {
    this.#recordings.delete(id);
  }

  /**
   * Drop the oldest audio, if there is too much.
   * @returns {string[]} Ids of the takes of which audio was dropped.
   */
  trim() {
    let bytes = 0;
    for (const recording of this.#recordings.values()) bytes += recording.bytes;
    const shortened = [];
    for (const [id, recording] of this.#recordings) {
      if (bytes <= MAX_AUDIO_BYTES) break;
      if (recording.bytes > 0) shortened.push(id);
      while (bytes > MAX_AUDIO_BYTES && recording.bytes > 0) bytes -= recording.dropOldest();
    }
    return shortened;
  }
}
