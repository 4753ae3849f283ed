/**
 * Timed text as cues: pieces of it that can be read while they are on the screen. The rules and the
 * limits are those of the server's subtitles, `streamer/subtitles/cues.py`, which names their sources.
 * It does not depend on the page.
 */

import { partTimes } from './cue-times.js';
import { BREAK, CueWords, LINE_CHARACTERS } from './cue-words.js';

/** @import { PartTimes, Span } from './cue-times.js' */

/** Seconds that a cue is shown at most. */
const LONGEST_SECONDS = 7;

/** Seconds that a part of a text is shown at least, if the lines have room for that. */
const SHORTEST_SECONDS = 5 / 6;

/** Characters. A shorter part is not made just because the text takes long to say. */
const FEW_CHARACTERS = 10;

/** Seconds that a cue stays after its last word, if the next one does not come before. */
const LINGER_SECONDS = 0.5;

/**
 * @typedef {object} TimedText What was said from one time to another, in seconds.
 * @property {number} start
 * @property {number} end
 * @property {string} text
 * @property {number} channel From 0.
 * @property {Span[]} words When each of its words was said, in order; empty when that is not known.
 */

/**
 * @typedef {object} Cue One or two lines, and when they are shown.
 * @property {number} startMs
 * @property {number} endMs
 * @property {number} channel
 * @property {string[]} lines
 * @property {string | null} speaker
 */

/**
 * @param {TimedText[]} texts
 * @param {number} channels With more than one, a cue has its channel as the speaker.
 * @returns {Cue[]} In order of time. Those of one channel do not overlap.
 */
export function cuesOf(texts, channels) {
  /** @type {Map<number, number>} By channel. */
  const endedMs = new Map();
  const inTime = [...texts].sort((a, b) => a.start - b.start || a.channel - b.channel);
  const cues = inTime.flatMap((said) => {
    const speaker = channels > 1 ? `channel ${said.channel + 1}` : null;
    const made = cuesOfText(said, speaker, endedMs.get(said.channel) ?? 0);
    const last = made.at(-1);
    if (last) endedMs.set(said.channel, last.endMs);
    return made;
  });
  return cues.sort((a, b) => a.startMs - b.startMs || a.channel - b.channel);
}

/**
 * @param {TimedText} said
 * @param {string | null} speaker
 * @param {number} endedMs When the cue before it on its channel ends.
 */
function cuesOfText({ start, end, text, channel, words: spans }, speaker, endedMs) {
  const words = new CueWords(text, speaker ? `<v ${speaker}>`.length : 0);
  const beginMs = Math.max(milliseconds(start), endedMs);
  const leastMs = milliseconds(Math.min(SHORTEST_SECONDS, Math.max(0, end - start)));
  const finishMs = Math.max(milliseconds(end), beginMs + leastMs);
  const times = partTimes(words, beginMs / 1000, finishMs / 1000, spans);
  /** @type {Cue[]} */
  const cues = [];
  for (const [first, last] of spansOf(words, times)) {
    const lines = words.lines(first, last) ?? []; // a single word fits on a line
    const begins = times.begins[first] ?? 0;
    const stays = Math.max((times.ends[last - 1] ?? 0) + LINGER_SECONDS, begins + SHORTEST_SECONDS);
    const startMs = Math.max(milliseconds(begins), cues.at(-1)?.endMs ?? beginMs);
    const hiddenMs = milliseconds(Math.min(times.begins[last] ?? 0, stays));
    const endMs = Math.max(Math.min(hiddenMs, startMs + milliseconds(LONGEST_SECONDS)), startMs + 1);
    cues.push({ startMs, endMs, channel, lines, speaker });
  }
  return cues;
}

/**
 * A text is broken in two at the best place near its middle, or near a third of it if three cues are
 * needed, and so on; then so are its parts.
 * @param {CueWords} words
 * @param {PartTimes} times
 * @returns {Array<[number, number]>} The first word of each cue, and the one behind its last.
 */
function spansOf(words, times) {
  /** @type {Array<[number, number]>} */
  const spans = [];
  /** @type {Array<[number, number]>} */
  const waiting = words.starts.length > 0 ? [[0, words.starts.length]] : [];
  for (let span = waiting.pop(); span !== undefined; span = waiting.pop()) {
    const [first, last] = span;
    const place = placeToBreak(words, first, last, times);
    if (place === null) spans.push(span);
    else waiting.push([place, last], [first, place]);
  }
  return spans;
}

/**
 * @param {CueWords} words
 * @param {number} first
 * @param {number} last
 * @param {PartTimes} times
 * @returns {number | null} The word before which to break; null when this is one cue.
 */
function placeToBreak(words, first, last, { begins }) {
  /** @type {(values: number[], index: number) => number} */
  const at = (values, index) => values[index] ?? 0;
  const tooMuch = words.lines(first, last) === null;
  const [begin, end] = [at(words.starts, first), at(words.ends, last - 1)];
  const lasts = at(begins, last) - at(begins, first);
  const count = Math.max(
    2, Math.ceil((end - begin) / (2 * LINE_CHARACTERS)), Math.ceil(lasts / LONGEST_SECONDS),
  );
  const target = begin + ((end - begin) * Math.floor(count / 2)) / count;
  const all = Array.from({ length: Math.max(0, last - first - 1) }, (_, index) => first + 1 + index);
  /** @type {(places: number[]) => number} */
  const nearest = (places) => {
    const distances = places.map((place) => Math.abs((at(words.ends, place - 1) + at(words.starts, place)) / 2 - target));
    return at(places, distances.indexOf(Math.min(...distances)));
  };
  /** @type {(place: number) => boolean} */
  const isShown = (place) => {
    const part = at(begins, place) - at(begins, first);
    return SHORTEST_SECONDS <= part && part <= lasts - SHORTEST_SECONDS;
  };
  /** @type {(place: number) => boolean} */
  const reads = (place) =>
    tooMuch || Math.min(at(words.ends, place - 1) - begin, end - at(words.starts, place)) >= FEW_CHARACTERS;
  const isOneCue = !tooMuch && lasts <= LONGEST_SECONDS;
  const strengths = [BREAK.sentence, BREAK.clause, BREAK.word, BREAK.nothing].slice(0, isOneCue ? 1 : 4);
  for (const strength of strengths) {
    const places = all.filter((place) => words.breaks[place] === strength && isShown(place));
    const readable = strength < BREAK.clause ? places.filter(reads) : places;
    if (readable.length > 0) return nearest(readable);
  }
  if (!tooMuch) return null;
  // More is said than can be read in the time: the lines count.
  const places = all.filter((place) => at(words.breaks, place) > BREAK.nothing);
  return nearest(places.length > 0 ? places : all);
}

/**
 * @param {number} seconds
 * @returns {number} The nearest one; of two, the even one, as the server has it.
 */
function milliseconds(seconds) {
  const below = Math.floor(seconds * 1000);
  const rest = seconds * 1000 - below;
  return Math.max(0, below + Number(rest > 0.5 || (rest === 0.5 && below % 2 !== 0)));
}
