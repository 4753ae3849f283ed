/** The numbers of a run, and its trace id. */

import { find, setText } from './dom.js';
import { formatDuration } from './format.js';

/** @import { ChannelSeconds } from '../streamer-client/streamer-client.js' */
/** @import { Entry } from './transcript.js' */

/**
 * Show the number of segments and their median latency.
 * @param {Entry[]} finals
 */
export function showFinals(finals) {
  setText('n-segments', String(finals.length));
  const latencies = finals.flatMap(({ latency }) => latency.afterAudio ?? []).sort((a, b) => a - b);
  setText('n-latency', formatDuration(latencies[Math.floor(latencies.length / 2)]));
}

/** Less than this many seconds is not worth a line: a click, a breath. */
const NOTABLE_SECONDS = 0.5;

/**
 * Show what became of audio that has no words.
 * @param {ChannelSeconds[]} channels Of all streams of the run.
 * @param {'segmented' | 'simple'} endpoint
 */
export function showUnheard(channels, endpoint) {
  const text = describeUnheard(channels, endpoint);
  find('unheard', HTMLElement).hidden = text === '';
  setText('unheard', text);
}

/** @typedef {Array<['failed' | 'dropped' | 'loud_unheard', string]>} Whereabouts By field. */

/** @type {Record<'segmented' | 'simple', Whereabouts>} Equal chunks need not contain speech. */
const WHEREABOUTS = {
  segmented: [
    ['failed', 'had speech without a result'],
    ['dropped', 'were too short for speech, or silence to the model'],
    ['loud_unheard', 'were loud, but not taken for speech'],
  ],
  simple: [
    ['failed', 'of audio have no result'],
    ['dropped', 'were silence to the model'],
  ],
};

/**
 * @param {ChannelSeconds[]} channels
 * @param {'segmented' | 'simple'} endpoint
 * @returns {string} Empty when there is nothing to say.
 */
export function describeUnheard(channels, endpoint) {
  return WHEREABOUTS[endpoint]
    .map(([field, words]) => ({ field, words, seconds: sum(channels.map((each) => each[field])) }))
    .filter(({ field, seconds }) => seconds >= NOTABLE_SECONDS || (field === 'failed' && seconds > 0))
    .map(({ words, seconds }) => `${seconds.toFixed(1)} s ${words}`)
    .join(' · ');
}

/** @param {number[]} values */
const sum = (values) => values.reduce((total, each) => total + each, 0);

/** @param {string | undefined} id Of the last stream. */
export function showTraceId(id) {
  find('trace', HTMLElement).hidden = id === undefined;
  setText('trace-id', id ?? '');
}
