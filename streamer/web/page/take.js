/** A take: the results of one run, with a name. It does not depend on the page. */

import { textOf } from './model-output.js';

/** @import { Entry } from './transcript.js' */

/** @typedef {'microphone' | 'file' | 'sample'} SourceKind */

/**
 * @typedef {object} Take Times in seconds.
 * @property {string} id Unique in this browser.
 * @property {string} name A person may change it.
 * @property {SourceKind} source
 * @property {string} startedAt ISO 8601.
 * @property {string} model
 * @property {number} channels
 * @property {string[]} traceIds One for each stream; a reconnection begins another.
 * @property {number} seconds Length of the audio.
 * @property {Entry[]} entries
 * @property {Array<{start: number, end: number}>} gaps Audio that was not sent.
 * @property {boolean | null} transcribes Whether its model does; null when that is not known.
 * @property {boolean} isOver Whether the run has ended.
 */

/** @type {SourceKind[]} */
const SOURCES = ['microphone', 'file', 'sample'];

/** The states of an entry that does not change any more. */
const SETTLED = ['final', 'failed', 'lost'];

/** Characters of a name. */
export const MAX_NAME_LENGTH = 120;

/** @param {Take} take */
export const finalsOf = ({ entries }) => entries.filter(({ state }) => state === 'final');

/** @param {Take} take */
export const isEmpty = ({ entries, gaps }) => entries.length === 0 && gaps.length === 0;

/**
 * @param {Take} take
 * @returns {boolean | null} Whether its model transcribes; null while no result shows it.
 */
export function isTranscript(take) {
  const [first] = finalsOf(take);
  return first === undefined ? null : textOf(first) !== null;
}

/**
 * @param {Take} take
 * @returns {string} JSON, with the entries that do not change any more.
 */
export function writeTake(take) {
  const entries = take.entries.filter(({ state }) => SETTLED.includes(state));
  return JSON.stringify({ ...take, entries });
}

/**
 * @param {unknown} json Written by `writeTake`, or anything else that is in the storage.
 * @returns {Take | null} Null when it is not a take.
 */
export function readTake(json) {
  try {
    const take = JSON.parse(String(json));
    return isTake(take) ? take : null;
  } catch {
    return null;
  }
}

/**
 * @param {any} take
 * @returns {take is Take}
 */
function isTake(take) {
  return (
    ['id', 'name', 'startedAt', 'model'].every((field) => typeof take?.[field] === 'string') &&
    SOURCES.includes(take.source) &&
    Number.isInteger(take.channels) &&
    take.channels > 0 &&
    isNumber(take.seconds) &&
    Array.isArray(take.traceIds) &&
    Array.isArray(take.gaps) &&
    take.gaps.every(isPeriod) &&
    Array.isArray(take.entries) &&
    take.entries.every(isEntry)
  );
}

/** @param {any} entry */
const isEntry = (entry) =>
  isPeriod(entry) &&
  Number.isInteger(entry.id) &&
  Number.isInteger(entry.channel) &&
  SETTLED.includes(entry.state) &&
  typeof entry.output === 'object' &&
  typeof entry.latency === 'object' &&
  entry.latency !== null;

/** @param {any} period */
const isPeriod = (period) => isNumber(period?.start) && isNumber(period?.end);

/** @param {unknown} value */
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
