/** Takes as files. */

import { cuesOf } from './cues.js';
import { lineOf } from './model-output.js';
import { wordsOf } from './words.js';

/** @import { Cue } from './cues.js' */
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
  const texts = reports.map((report) => textLines(report).join(''));
  if (reports.length === 1) return texts.join('');
  return reports
    .map(({ name, startedAt }, index) => `${name} (${startedAt})\n\n${texts[index]}`)
    .join('\n');
}

/** @param {Report} report */
const textLines = (report) =>
  spoken(report).map((entry) => {
    const speaker = report.channels > 1 ? `Channel ${entry.channel + 1}: ` : '';
    return `${speaker}${lineOf(entry)}\n`;
  });

/** @param {Report[]} reports */
function asSrt(...reports) {
  return inSequence(reports)
    .flatMap(([, cues]) => cues)
    .map((cue, index) => {
      const speaker = cue.speaker ? `[${cue.speaker}] ` : '';
      // SubRip has no escapes. Text that looks like a line of times is changed.
      const text = cue.lines.join('\n').replaceAll('-->', '→');
      return `${index + 1}\n${timesOf(cue, ',')}\n${speaker}${text}\n\n`;
    })
    .join('');
}

/** @param {Report[]} reports */
function asVtt(...reports) {
  const parts = inSequence(reports).map(([{ name }, cues]) => {
    const title = reports.length > 1 ? `NOTE ${escapeVtt(name)}\n\n` : '';
    return title + cues.map(vttCue).join('');
  });
  return `WEBVTT\n\n${parts.join('')}`;
}

/** @param {Cue} cue */
function vttCue(cue) {
  const voice = cue.speaker ? `<v ${cue.speaker}>` : '';
  return `${timesOf(cue, '.')}\n${voice}${escapeVtt(cue.lines.join('\n'))}\n\n`;
}

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
  let offsetMs = 0;
  return reports.map((report) => {
    const cues = cuesOf(spoken(report).map(timedText), report.channels).map((cue) => ({
      ...cue,
      startMs: offsetMs + cue.startMs,
      endMs: offsetMs + cue.endMs,
    }));
    const lengthMs = Math.round(report.seconds * 1000);
    offsetMs = cues.reduce((longest, { endMs }) => Math.max(longest, endMs), offsetMs + lengthMs);
    return [report, cues];
  });
}

/**
 * @param {Report} report
 * @returns {Entry[]} Those with text, by time.
 */
const spoken = ({ finals }) =>
  [...finals].sort((a, b) => a.start - b.start).filter((entry) => lineOf(entry) !== '');

/** @param {Entry} entry */
const timedText = (entry) => {
  const { start, end, channel } = entry;
  return { start, end, channel, text: lineOf(entry), words: wordsOf(entry) };
};

/**
 * @param {Cue} cue
 * @param {',' | '.'} point
 */
const timesOf = ({ startMs, endMs }, point) => `${timestamp(startMs, point)} --> ${timestamp(endMs, point)}`;

/**
 * @param {number} ms
 * @param {',' | '.'} point
 * @returns {string} Such as `01:02:03.004`.
 */
function timestamp(ms, point) {
  /** @type {(value: number, digits?: number) => string} */
  const pad = (value, digits = 2) => String(Math.floor(value)).padStart(digits, '0');
  const parts = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((part) => pad(part));
  return `${parts.join(':')}${point}${pad(ms % 1000, 3)}`;
}
