/** The segments of a run: events in, entries out. It does not depend on the page. */

/** @import { ClientEvent, Failed, Interim, Segment } from '../streamer-client/streamer-client.js' */

/**
 * `speaking` and `pending` may have an interim `output`. Entries in the other states do not change
 * any more.
 * @typedef {'speaking' | 'pending' | 'final' | 'failed' | 'lost'} EntryState
 */

/**
 * @typedef {object} Latency In milliseconds.
 * @property {number} [afterSilence] Since the event that speech had ended.
 * @property {number} [afterAudio] Since the last audio with speech in it was sent.
 */

/**
 * @typedef {object} Entry One segment. Times in seconds.
 * @property {number} id
 * @property {number} channel
 * @property {EntryState} state
 * @property {number} start
 * @property {number} end
 * @property {Record<string, unknown> | null} output
 * @property {boolean} flushed
 * @property {Latency} latency
 * @property {string} [problem]
 */

/** @typedef {{channel: number, start: number, end: number | null}} Region Where speech was found. */

/** @typedef {{entry: Entry, endedAtMs?: number, speechEnd?: number}} PendingEntry */

/** The fields that every result has. The other fields are the model's own. */
const COMMON_FIELDS = new Set([
  'type',
  'start_time',
  'end_time',
  'is_final',
  'channel',
  'flushed',
  'eager',
]);

export class Transcript {
  /** @type {Entry[]} */ entries = [];
  /** @type {Region[]} */ regions = [];
  /** @type {Array<{start: number, end: number}>} */ gaps = [];
  /** @type {Map<number, PendingEntry[]>} By channel: entries that have no result yet. */
  #pending = new Map();
  #sentAtMs;
  #nextId = 1;

  /**
   * @param {(position: number) => number | undefined} sentAtMs When audio was sent, by the clock
   *   that `apply` receives.
   */
  constructor(sentAtMs = () => undefined) {
    this.#sentAtMs = sentAtMs;
  }

  /**
   * @param {ClientEvent} event
   * @param {number} nowMs
   * @returns {Entry[]} Those that are new or changed.
   */
  apply(event, nowMs) {
    switch (event.type) {
      case 'active':
        return [this.#onActive(event.channel, event.time)];
      case 'interim':
        return this.#onInterim(event);
      case 'inactive':
        return this.#onInactive(event.channel, event.time, nowMs);
      case 'segment':
        return [this.#onSegment(event, nowMs)];
      case 'error':
        return event.start_time === undefined ? [] : [this.#onError(event)];
      case 'lost':
        return this.#onLost(event.start_time, event.end_time);
      default:
        return [];
    }
  }

  /** @returns {Entry[]} */
  get finals() {
    return this.entries.filter((entry) => entry.state === 'final');
  }

  /**
   * @param {number} channel
   * @param {number} time
   */
  #onActive(channel, time) {
    const entry = this.#add(channel, time, time, 'speaking');
    this.#pendingOn(channel).push({ entry });
    this.regions.push({ channel, start: time, end: null });
    return entry;
  }

  /** @param {Interim} event */
  #onInterim(event) {
    const entry = this.#pendingOn(event.channel).at(-1)?.entry;
    if (!entry) return [];
    entry.start = event.start_time;
    entry.end = event.end_time;
    entry.output = outputOf(event);
    return [entry];
  }

  /**
   * @param {number} channel
   * @param {number} time
   * @param {number} nowMs
   */
  #onInactive(channel, time, nowMs) {
    const region = this.regions.findLast((one) => one.channel === channel && one.end === null);
    if (region) region.end = time;
    const pending = this.#pendingOn(channel).at(-1);
    if (!pending) return [];
    pending.endedAtMs = nowMs;
    pending.speechEnd = time;
    pending.entry.end = time;
    pending.entry.state = 'pending';
    return [pending.entry];
  }

  /**
   * @param {Segment} event
   * @param {number} nowMs
   */
  #onSegment(event, nowMs) {
    const pending = this.#pendingOn(event.channel).shift();
    // On `/api/v1/simple`, no event announces a segment.
    const entry = pending?.entry ?? this.#add(event.channel, event.start_time, event.end_time, 'final');
    entry.state = 'final';
    entry.start = event.start_time;
    entry.end = event.end_time;
    entry.output = outputOf(event);
    entry.flushed = event.flushed === true;
    const sentAtMs = this.#sentAtMs(pending?.speechEnd ?? event.end_time);
    if (pending?.endedAtMs !== undefined) entry.latency.afterSilence = nowMs - pending.endedAtMs;
    if (sentAtMs !== undefined) entry.latency.afterAudio = Math.max(0, nowMs - sentAtMs);
    return entry;
  }

  /** @param {Failed} event */
  #onError({ channel = 0, start_time = 0, end_time = 0, message }) {
    const pending = this.#pendingOn(channel).shift();
    const entry = pending?.entry ?? this.#add(channel, start_time, end_time, 'failed');
    Object.assign(entry, { state: 'failed', start: start_time, end: end_time, problem: message });
    return entry;
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  #onLost(start, end) {
    this.gaps.push({ start, end });
    const lost = [...this.#pending.values()].flat().map(({ entry }) => entry);
    for (const entry of lost) entry.state = 'lost';
    for (const region of this.regions) region.end ??= end;
    this.#pending.clear();
    return lost;
  }

  /**
   * @param {number} channel
   * @param {number} start
   * @param {number} end
   * @param {EntryState} state
   * @returns {Entry}
   */
  #add(channel, start, end, state) {
    const id = this.#nextId;
    this.#nextId += 1;
    /** @type {Entry} */
    const entry = { id, channel, state, start, end, output: null, flushed: false, latency: {} };
    this.entries.push(entry);
    return entry;
  }

  /** @param {number} channel */
  #pendingOn(channel) {
    const pending = this.#pending.get(channel) ?? [];
    this.#pending.set(channel, pending);
    return pending;
  }
}

/**
 * @param {Record<string, unknown>} event
 * @returns {Record<string, unknown>} The model's own fields.
 */
const outputOf = (event) =>
  Object.fromEntries(Object.entries(event).filter(([field]) => !COMMON_FIELDS.has(field)));
