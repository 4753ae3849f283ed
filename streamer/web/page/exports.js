/** Takes as files. */

import { lineOf } from './model-output.js';

/** @import { Entry } from './transcript.js' */

/**
 * @typedef {object} Report The content of an export.
 * @property {string} name
 * @property {string} source
 * @property {string} startedAt ISO 8601.
 * @property {number} seconds Length of the audio.
 * @property {Entry[]} finals
 * @property {Array<{start: number, end: number}>} gaps
 * @property {number} channels
 * @property {string[]} traceIds
 * @property {string} model
 */

/** @typedef {{start: number, end: number, text: string}} Cue Times in seconds. */

/**
 * `write` takes one or more reports. In subtitles, each of them begins where the one before ends.
 * @typedef {{type: string, write: (...reports: Report[]) => string}} Format
 */

/** @type {Record<'txt' | 'srt' | 'vtt' | 'json', Format>} */
export const FORMATS = {
  txt: { type: 'text/plain', write: asText },
  srt: { type: 'application/x-subrip', write: asSrt },
  vtt: { type: 'text/vtt', write: asVtt },
  json: { type: 'application/json', write: asJson },
};

/** @param {Report[]} reports */
function asText(...reports) {
  const texts = reports.map((report) => cues(report).map(({ text }) => `${text}\n`).join(''));
  if (reports.length === 1) return texts.join('');
  return reports
    .map(({ name, startedAt }, index) => `${name} (${startedAt})\n\n${texts[index]}`)
    .join('\n');
}

/** @param {Report[]} reports */
function asSrt(...reports) {
  return inSequence(reports)
    .flatMap(([, written]) => written)
    .map(({ start, end, text }, index) => {
      const times = `${timestamp(start, ',')} --> ${timestamp(end, ',')}`;
      // SubRip has no escapes. Text that looks like a line of times is changed.
      return `${index + 1}\n${times}\n${text.replaceAll('-->', '→')}\n\n`;
    })
    .join('');
}

/** @param {Report[]} reports */
function asVtt(...reports) {
  const parts = inSequence(reports).map(([{ name }, written]) => {
    const title = reports.length > 1 ? `NOTE ${escapeVtt(name)}\n\n` : '';
    return title + written.map(vttCue).join('');
  });
  return `WEBVTT\n\n${parts.join('')}`;
}

/** @param {Cue} cue */
const vttCue = ({ start, end, text }) =>
  `${timestamp(start, '.')} --> ${timestamp(end, '.')}\n${escapeVtt(text)}\n\n`;

/** @param {string} text */
const escapeVtt = (text) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** @param {Report[]} reports */
function asJson(...reports) {
  const takes = reports.map(jsonOf);
  return `${JSON.stringify(takes.length === 1 ? takes[0] : { takes }, null, 2)}\n`;
}

/** @param {Report} report */
function jsonOf({ name, source, startedAt, seconds, finals, gaps, channels, model, traceIds }) {
  const segments = finals.map(({ channel, start, end, output, flushed }) => ({
    channel,
    start_time: start,
    end_time: end,
    ...(flushed ? { flushed } : {}),
    ...output,
  }));
  const lost = gaps.map(({ start, end }) => ({ start_time: start, end_time: end }));
  const take = { name, source, started_at: startedAt, audio_seconds: seconds, channels };
  return { ...take, model, trace_ids: traceIds, segments, lost };
}

/**
 * @param {Report[]} reports
 * @returns {Array<[Report, Cue[]]>} Each report with its cues on the timeline of all reports.
 */
function inSequence(reports) {
  let offset = 0;
  return reports.map((report) => {
    const written = cues(report);
    const shifted = written.map((cue) => ({
      ...cue,
      start: offset + cue.start,
      end: offset + cue.end,
    }));
    offset += written.reduce((longest, { end }) => Math.max(longest, end), report.seconds);
    return [report, shifted];
  });
}

/**
 * The text of the entries, by time. Entries without text are left out.
 * @param {Report} report
 * @returns {Cue[]}
 */
function cues(report) {
  return [...report.finals]
    .sort((a, b) => a.start - b.start)
    .filter((entry) => lineOf(entry) !== '')
    .map((entry) => ({
      start: entry.start,
      end: entry.end,
      text: speaker(entry, report) + lineOf(entry),
    }));
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
