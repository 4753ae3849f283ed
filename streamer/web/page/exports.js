/** The transcript as files. */

import { numbersOf } from './series.js';
import { textOf } from './transcript.js';

/** @typedef {import('./transcript.js').Entry} Entry */

/**
 * @typedef {object} Report What an export is made of.
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
      const times = `${stamp(entry.start, ',')} --> ${stamp(entry.end, ',')}`;
      // SubRip has no escapes; what would read as times is broken up.
      return `${index + 1}\n${times}\n${text.replaceAll('-->', '→')}\n\n`;
    })
    .join('');
}

/** @param {Report} report */
function asVtt(report) {
  const written = cues(report).map(([entry, text]) => {
    const safe = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
    return `${stamp(entry.start, '.')} --> ${stamp(entry.end, '.')}\n${safe}\n\n`;
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
 * By time, without those in which nothing was said.
 * @param {Report} report
 * @returns {Array<[Entry, string]>}
 */
function cues(report) {
  return [...report.finals]
    .sort((a, b) => a.start - b.start)
    .map((entry) => /** @type {[Entry, string]} */ ([entry, speaker(entry, report) + words(entry)]))
    .filter(([entry]) => words(entry) !== '');
}

/**
 * @param {Entry} entry
 * @param {Report} report
 */
const speaker = (entry, { channels }) => (channels > 1 ? `Channel ${entry.channel + 1}: ` : '');

/** @param {Entry} entry */
export function words(entry) {
  const text = textOf(entry);
  if (text !== null) return oneLine(text);
  const numbers = numbersOf(entry.output ?? {}).map(([name, value]) => `${name} ${round(value)}`);
  const others = othersOf(entry).map(([name, value]) => `${name} ${oneLine(value)}`);
  return [...numbers, ...others].join(', ');
}

/**
 * What a model says besides numbers.
 * @param {Entry} entry
 * @returns {Array<[string, string]>}
 */
export function othersOf({ output }) {
  return Object.entries(output ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'boolean' ? [[name, String(value)]] : [],
  );
}

/** @param {string} text */
const oneLine = (text) => text.replace(/\s+/g, ' ').trim();

/** @param {number} value */
export const round = (value) => String(Number(value.toPrecision(4)));

/**
 * @param {number} seconds
 * @param {',' | '.'} point
 */
function stamp(seconds, point) {
  const ms = Math.round(Math.max(0, seconds) * 1000);
  /** @type {(value: number, digits?: number) => string} */
  const pad = (value, digits = 2) => String(Math.floor(value)).padStart(digits, '0');
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((part) => pad(part));
  return `${clock.join(':')}${point}${pad(ms % 1000, 3)}`;
}
