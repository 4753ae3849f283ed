/** The transcript as files. */

import { lineOf } from './model-output.js';

/** @import { Entry } from './transcript.js' */

/**
 * @typedef {object} Report The content of an export.
 * @property {Entry[]} finals
 * @property {Array<{start: number, end: number}>} gaps
 * @property {number} channels
 * @property {string[]} traceIds
 * @property {string} model
 */

/** @type {Record<'txt' | 'srt' | 'vtt' | 'json', {type: string, write: (report: Report) => string}>} */
export const FORMATS = {
  txt: { type: 'text/plain', write: asText },
  srt: { type: 'application/x-subrip', write: asSrt },
  vtt: { type: 'text/vtt', write: asVtt },
  json: { type: 'application/json', write: asJson },
};

/** @param {Report} report */
function asText(report) {
  return cues(report)
    .map(([, text]) => `${text}\n`)
    .join('');
}

/** @param {Report} report */
function asSrt(report) {
  return cues(report)
    .map(([entry, text], index) => {
      const times = `${timestamp(entry.start, ',')} --> ${timestamp(entry.end, ',')}`;
      // SubRip has no escapes. Text that looks like a line of times is changed.
      return `${index + 1}\n${times}\n${text.replaceAll('-->', '→')}\n\n`;
    })
    .join('');
}

/** @param {Report} report */
function asVtt(report) {
  const written = cues(report).map(([entry, text]) => {
    const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
    return `${timestamp(entry.start, '.')} --> ${timestamp(entry.end, '.')}\n${escaped}\n\n`;
  });
  return `WEBVTT\n\n${written.join('')}`;
}

/** @param {Report} report */
function asJson({ finals, gaps, model, traceIds }) {
  const segments = finals.map(({ channel, start, end, output, flushed }) => ({
    channel,
    start_time: start,
    end_time: end,
    ...(flushed ? { flushed } : {}),
    ...output,
  }));
  const lost = gaps.map(({ start, end }) => ({ start_time: start, end_time: end }));
  return `${JSON.stringify({ model, trace_ids: traceIds, segments, lost }, null, 2)}\n`;
}

/**
 * Entries with their text, by time. Entries without text are left out.
 * @param {Report} report
 * @returns {Array<[Entry, string]>}
 */
function cues(report) {
  return [...report.finals]
    .sort((a, b) => a.start - b.start)
    .map((entry) => /** @type {[Entry, string]} */ ([entry, speaker(entry, report) + lineOf(entry)]))
    .filter(([entry]) => lineOf(entry) !== '');
}

/**
 * @param {Entry} entry
 * @param {Report} report
 */
const speaker = (entry, { channels }) => (channels > 1 ? `Channel ${entry.channel + 1}: ` : '');

/**
 * @param {number} seconds
 * @param {',' | '.'} point
 * @returns {string} Such as `01:02:03.004`.
 */
function timestamp(seconds, point) {
  const ms = Math.round(Math.max(0, seconds) * 1000);
  /** @type {(value: number, digits?: number) => string} */
  const pad = (value, digits = 2) => String(Math.floor(value)).padStart(digits, '0');
  const parts = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((part) => pad(part));
  return `${parts.join(':')}${point}${pad(ms % 1000, 3)}`;
}
