/** The numbers of a run, and its trace id. */

import { find, setText } from './dom.js';
import { formatDuration } from './format.js';

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

/** @param {string | undefined} id Of the last stream. */
export function showTraceId(id) {
  find('trace', HTMLElement).hidden = id === undefined;
  setText('trace-id', id ?? '');
}
