/** What was observed so far: events in, entries out. Knows nothing of the page it is shown on. */

/** @typedef {import('../streamer-client/streamer-client.js').ClientEvent} ClientEvent */

/**
 * `speaking` and `pending` may have an interim `output`; the others will not change any more.
 * @typedef {'speaking' | 'pending' | 'final' | 'failed' | 'lost'} EntryState
 */

/**
 * @typedef {object} Latency In milliseconds.
 * @property {number} [afterSilence] From the news that speech had ended.
 * @property {number} [afterAudio] From sending the last audio with speech in it.
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

const ENVELOPE = new Set([
  'type',
  'start_time',
  'end_time',
  'is_final',
  'channel',
  'flushed',
]);

export class Transcript {
  /** @type {Entry[]} */ entries = [];
  /** @type {Region[]} */ regions = [];
  /** @type {Array<{start: number, end: number}>} */ gaps = [];
  /** @type {Map<number, Array<{entry: Entry, endedAtMs?: number, speechEnd?: number}>>} */
  #owed = new Map();
  #sentAtMs;
  #nextId = 1;

  /**
   * @param {(position: number) => number | undefined} sentAtMs When audio was sent, by the clock that
   *   `apply` is given.
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
        return [this.#begin(event.channel, event.time)];
      case 'interim':
        return this.#grow(event);
      case 'inactive':
        return this.#pause(event.channel, event.time, nowMs);
      case 'segment':
        return [this.#settle(event, nowMs)];
      case 'error':
        return event.start_time === undefined ? [] : [this.#fail(event)];
      case 'lost':
        return this.#lose(event.start_time, event.end_time);
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
  #begin(channel, time) {
    const entry = this.#add(channel, time, time, 'speaking');
    this.#owedOn(channel).push({ entry });
    this.regions.push({ channel, start: time, end: null });
    return entry;
  }

  /** @param {import('../streamer-client/streamer-client.js').Interim} event */
  #grow(event) {
    const entry = this.#owedOn(event.channel).at(-1)?.entry;
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
  #pause(channel, time, nowMs) {
    const region = this.regions.findLast((one) => one.channel === channel && one.end === null);
    if (region) region.end = time;
    const owed = this.#owedOn(channel).at(-1);
    if (!owed) return [];
    owed.endedAtMs = nowMs;
    owed.speechEnd = time;
    owed.entry.end = time;
    owed.entry.state = 'pending';
    return [owed.entry];
  }

  /**
   * @param {import('../streamer-client/streamer-client.js').Segment} event
   * @param {number} nowMs
   */
  #settle(event, nowMs) {
    const owed = this.#owedOn(event.channel).shift();
    // On `/api/v1/simple` nothing announces a segment.
    const entry = owed?.entry ?? this.#add(event.channel, event.start_time, event.end_time, 'final');
    entry.state = 'final';
    entry.start = event.start_time;
    entry.end = event.end_time;
    entry.output = outputOf(event);
    entry.flushed = event.flushed === true;
    const sentAtMs = this.#sentAtMs(owed?.speechEnd ?? event.end_time);
    if (owed?.endedAtMs !== undefined) entry.latency.afterSilence = nowMs - owed.endedAtMs;
    if (sentAtMs !== undefined) entry.latency.afterAudio = Math.max(0, nowMs - sentAtMs);
    return entry;
  }

  /** @param {import('../streamer-client/streamer-client.js').Failed} event */
  #fail({ channel = 0, start_time = 0, end_time = 0, message }) {
    const owed = this.#owedOn(channel).shift();
    const entry = owed?.entry ?? this.#add(channel, start_time, end_time, 'failed');
    Object.assign(entry, { state: 'failed', start: start_time, end: end_time, problem: message });
    return entry;
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  #lose(start, end) {
    this.gaps.push({ start, end });
    const lost = [...this.#owed.values()].flat().map(({ entry }) => entry);
    for (const entry of lost) entry.state = 'lost';
    for (const region of this.regions) region.end ??= end;
    this.#owed.clear();
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
  #owedOn(channel) {
    const owed = this.#owed.get(channel) ?? [];
    this.#owed.set(channel, owed);
    return owed;
  }
}

/**
 * The model's own fields of an event.
 * @param {Record<string, unknown>} event
 */
const outputOf = (event) =>
  Object.fromEntries(Object.entries(event).filter(([field]) => !ENVELOPE.has(field)));

/**
 * @param {Entry} entry
 * @returns {string | null} What was said; null for a model that does not transcribe.
 */
export function textOf({ output }) {
  return typeof output?.text === 'string' ? output.text : null;
}
