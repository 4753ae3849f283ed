/** What an export of a take contains. */

import { finalsOf } from './take.js';

/** @import { Report } from './exports.js' */
/** @import { Take } from './take.js' */

/**
 * @param {Take} take
 * @returns {Report}
 */
export function reportOf(take) {
  const { name, source, startedAt, seconds, gaps, channels, model, traceIds } = take;
  return { name, source, startedAt, seconds, finals: finalsOf(take), gaps, channels, model, traceIds };
}

/**
 * @param {Take} take
 * @returns {string} A name for its file, without an extension.
 */
export function fileNameOf({ name }) {
  const plain = name.replace(/[^\p{L}\p{N} ._-]+/gu, ' ').replace(/\s+/g, ' ').trim();
  return plain.replace(/^[. ]+/, '') || 'transcript';
}
