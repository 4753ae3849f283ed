/** Sentences that depend on whether the model transcribes. */

import { isTranscript } from './take.js';

/** @import { Info } from './settings.js' */
/** @import { Take } from './take.js' */

/** Types of models that give words, and of those that never do. Models of one's own do either. */
const TRANSCRIBERS = new Set(['moonshine']);
const OTHERS = new Set(['classifier', 'frames', 'standin']);

/**
 * @param {Info | null} info
 * @param {string | undefined} model Its name; the server's first model when absent.
 * @param {Take[]} takes Earlier results show what a model gives.
 * @returns {boolean | null} Whether the model transcribes; null when that is not known.
 */
export function transcribes(info, model, takes) {
  const models = info?.models ?? [];
  const { name, type } = models.find((one) => one.name === model) ?? models[0] ?? {};
  if (type !== undefined && TRANSCRIBERS.has(type)) return true;
  if (type !== undefined && OTHERS.has(type)) return false;
  const results = takes.filter((take) => take.model === name).map(isTranscript);
  return results.findLast((one) => one !== null) ?? null;
}

/**
 * @param {boolean | null} isTranscriber
 * @param {'segmented' | 'simple'} endpoint
 * @param {'microphone' | 'file' | 'sample'} source
 * @param {boolean} hasFile Whether a file is chosen.
 * @returns {string} What to do and to expect, before there is a take.
 */
export function describeStart(isTranscriber, endpoint, source, hasFile) {
  const begin = source === 'file' && !hasFile ? 'Choose a file, then press Start.' : 'Press Start.';
  return `${begin} ${describeResults(isTranscriber, endpoint, source)}`;
}

/**
 * @param {boolean | null} isTranscriber
 * @param {'segmented' | 'simple'} endpoint
 * @param {'microphone' | 'file' | 'sample'} source
 * @returns {string} What to expect, before there is a take.
 */
export function describeResults(isTranscriber, endpoint, source) {
  if (isTranscriber && endpoint === 'segmented') {
    return source === 'microphone'
      ? 'Words appear while you speak, in grey at first, and settle when you pause.'
      : 'Words appear in grey at first, and settle at each pause.';
  }
  const what = isTranscriber ? 'Words' : 'The model’s results';
  const others = isTranscriber ? '' : ' For other sounds, choose “Equal chunks” under “Advanced”.';
  return endpoint === 'segmented'
    ? `${what} appear after each piece of speech.${others}`
    : `${what} appear chunk by chunk.`;
}

/**
 * @param {Take} take
 * @returns {string} What the model does with audio.
 */
export const processed = (take) =>
  (isTranscript(take) ?? take.transcribes) === false ? 'processed' : 'transcribed';

/** @param {Take} take That is over, and has no results. */
export const describeEmptyTake = ({ seconds }) =>
  seconds > 0 ? 'No results in this take.' : 'No audio was sent.';
