/** The parts of the page that need no browser. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { declaredSeconds, isWavWithoutSamples } from '../../../streamer/web/page/declared-length.js';
import { explainWarning } from '../../../streamer/web/page/explanations.js';
import { FORMATS } from '../../../streamer/web/page/exports.js';
import { FilePace } from '../../../streamer/web/page/file-pace.js';
import { formatCompact } from '../../../streamer/web/page/format.js';
import { fallen } from '../../../streamer/web/page/level-meter.js';
import { textOf } from '../../../streamer/web/page/model-output.js';
import { Recording } from '../../../streamer/web/page/recording.js';
import { describeMissing } from '../../../streamer/web/page/recording-source.js';
import { Recordings } from '../../../streamer/web/page/recordings.js';
import { rowsOf } from '../../../streamer/web/page/rows.js';
import { SendClock } from '../../../streamer/web/page/send-clock.js';
import { Series } from '../../../streamer/web/page/series.js';
import { describeUnheard } from '../../../streamer/web/page/summary-view.js';
import { MAX_BYTES, MAX_TAKES, TakeBook } from '../../../streamer/web/page/take-book.js';
import { fileNameOf } from '../../../streamer/web/page/take-report.js';
import { readTake, writeTake } from '../../../streamer/web/page/take.js';
import { Transcript } from '../../../streamer/web/page/transcript.js';
import { keyTermsIn, problemOfKeyTerms } from '../../../streamer/web/page/key-terms.js';
import { hasWords, mayUseKeyTerms } from '../../../streamer/web/page/settings.js';
import { describeResults, describeStart, transcribes } from '../../../streamer/web/page/wording.js';
import { isUncertain, percentOf, piecesOf, wordsOf } from '../../../streamer/web/page/words.js';
import { describeFailedConnection } from '../../../streamer/web/streamer-client/failed-connection.js';
import { modulesIn, modulesReached } from './modules.js';

const WEB = new URL('../../../streamer/web/', import.meta.url);

const segment = (start_time, end_time, output, channel = 0) => ({
  type: 'segment', start_time, end_time, is_final: true, channel, ...output,
});

function transcriptOf(...events) {
  const transcript = new Transcript((position) => position * 1000);
  events.forEach((event, index) => transcript.apply(event, 10_000 + index * 100));
  return transcript;
}

function report(transcript, channels = 1) {
  const { finals, gaps } = transcript;
  const take = { name: 'Take 1', source: 'file', startedAt: '2026-01-02T03:04:05Z', seconds: 10 };
  return { ...take, finals, gaps, channels, model: 'm', traceIds: ['t'] };
}

function takeOf(id, changes = {}) {
  const { entries, gaps } = transcriptOf(segment(0, 1, { text: `words of ${id}` }));
  const startedAt = `2026-01-02T03:04:${String(id).padStart(2, '0')}.000Z`;
  return {
    id: String(id), name: `Take ${id}`, source: 'microphone', startedAt, model: 'm', channels: 1,
    traceIds: [], seconds: 2, entries, gaps, transcribes: true, isOver: true, ...changes,
  };
}

test('audio without words is described when there is enough of it', () => {
  const none = { failed: 0, dropped: 0, loud_unheard: 0 };
  assert.equal(describeUnheard([], 'segmented'), '');
  assert.equal(describeUnheard([none, { ...none, dropped: 0.49 }], 'segmented'), '');
  const loud = { ...none, loud_unheard: 1.6 };
  assert.equal(describeUnheard([loud, loud], 'segmented'), '3.2 s were loud, but not taken for speech');
  const failed = { failed: 0.1, dropped: 0.5, loud_unheard: 0 };
  assert.equal(
    describeUnheard([failed], 'segmented'),
    '0.1 s had speech without a result · 0.5 s were too short for speech, or silence to the model',
  );
});

test('of equal chunks, nothing is said about speech', () => {
  const failed = { failed: 1.5, dropped: 2, loud_unheard: 0 };
  assert.equal(describeUnheard([failed], 'simple'), '1.5 s of audio have no result · 2.0 s were silence to the model');
});

test('an entry grows from active to final, and measures how long it took', () => {
  const transcript = transcriptOf(
    { type: 'active', time: 1, channel: 0 },
    { type: 'interim', start_time: 0.8, end_time: 2, is_final: false, channel: 0, text: 'Hel' },
    { type: 'inactive', time: 3, channel: 0 },
    segment(0.8, 3.2, { text: 'Hello.' }),
  );
  const [entry] = transcript.entries;
  assert.equal(transcript.entries.length, 1);
  assert.equal(textOf(entry), 'Hello.');
  assert.deepEqual(entry.latency, { afterSilence: 100, afterAudio: 10_300 - 3000 });
  assert.deepEqual(transcript.regions, [{ channel: 0, start: 1, end: 3 }]);
});

test('the next segment may begin before the last is answered; channels are apart', () => {
  const transcript = transcriptOf(
    { type: 'active', time: 1, channel: 0 },
    { type: 'inactive', time: 2, channel: 0 },
    { type: 'active', time: 1.5, channel: 1 },
    { type: 'active', time: 3, channel: 0 },
    segment(0.9, 2.1, { text: 'one' }),
    { type: 'interim', start_time: 2.9, end_time: 4, is_final: false, channel: 0, text: 'tw' },
  );
  const states = transcript.entries.map((one) => [one.channel, one.state, textOf(one)]);
  assert.deepEqual(states, [[0, 'final', 'one'], [1, 'speaking', null], [0, 'speaking', 'tw']]);
});

test('a segment that nothing announced, and one that failed', () => {
  const transcript = transcriptOf(
    segment(0, 1, { count: 5 }),
    { type: 'error', code: 'inference_failed', message: 'no', fatal: false, channel: 0, start_time: 1, end_time: 2 },
  );
  assert.deepEqual(transcript.entries.map((one) => one.state), ['final', 'failed']);
});

test('what was under way when the connection broke is lost', () => {
  const transcript = transcriptOf(
    { type: 'active', time: 1, channel: 0 },
    { type: 'lost', start_time: 1, end_time: 4, reason: 'disconnected' },
    { type: 'active', time: 5, channel: 0 },
  );
  assert.deepEqual(transcript.entries.map((one) => one.state), ['lost', 'speaking']);
  assert.deepEqual(transcript.gaps, [{ start: 1, end: 4 }]);
});

test('exports', () => {
  const transcript = transcriptOf(
    segment(0.5, 2.25, { text: 'One <b>\n& two.' }),
    segment(3600.9994, 3601.9996, { text: 'Three.' }, 1),
    segment(3602, 3603, { text: '' }),
  );
  assert.equal(FORMATS.srt.write(report(transcript)),
    '1\n00:00:00,500 --> 00:00:02,250\nOne <b> & two.\n\n' +
    '2\n01:00:00,999 --> 01:00:02,000\nThree.\n\n');
  assert.equal(FORMATS.vtt.write(report(transcript, 2)),
    'WEBVTT\n\n00:00:00.500 --> 00:00:02.250\n<v channel 1>One &lt;b&gt; &amp; two.\n\n' +
    '01:00:00.999 --> 01:00:02.000\n<v channel 2>Three.\n\n');
  assert.equal(FORMATS.txt.write(report(transcript)), 'One <b> & two.\nThree.\n');
  const { model, segments, trace_ids } = JSON.parse(FORMATS.json.write(report(transcript)));
  assert.deepEqual([model, trace_ids, segments.length], ['m', ['t'], 3]);
  assert.equal(segments[1].channel, 1);
});

test('subtitles begin with their words, and break between sentences', () => {
  const words = [word('This', 2, 2.2), word('is', 2.2, 2.5), word('one.', 2.5, 3), word('And', 5, 5.5), word('two.', 5.5, 6)];
  const transcript = transcriptOf(segment(1, 7, { text: 'This is one. And two.', words }));
  assert.equal(FORMATS.srt.write(report(transcript)),
    '1\n00:00:02,000 --> 00:00:03,500\nThis is one.\n\n2\n00:00:05,000 --> 00:00:06,500\nAnd two.\n\n');
  assert.deepEqual(JSON.parse(FORMATS.json.write(report(transcript))).segments[0].words, JSON.parse(JSON.stringify(words)));
});

test('other values than numbers are in the exports too', () => {
  const transcript = transcriptOf(
    segment(0, 1, { label: 'a\ndog --> barks', loud: true, dbfs: -20.123456, nothing: null }),
  );
  const line = 'dbfs -20.12, label a dog --> barks, loud true';
  assert.equal(FORMATS.txt.write(report(transcript)), `${line}\n`);
  assert.match(FORMATS.srt.write(report(transcript)), /\ndbfs -20.12, label a dog\n→ barks, loud true\n/);
});

test('numbers of any model become series', () => {
  const series = new Series();
  series.add(0, 1, { arousal: 0.5, scores: { happy: 0.2 }, labels: [{ label: 'calm', score: 0.9 }], dbfs: -20, loud: true });
  assert.deepEqual(series.panels(), [
    { names: ['arousal', 'scores.happy', 'calm'], low: 0, high: 1 },
    { names: ['dbfs'], low: -20, high: 0 },
  ]);
  const frames = new Series();
  frames.add(1, 2, { frames: [0.1, 0.9], frame_seconds: 0.5, first_frame_offset: -0.25 });
  assert.deepEqual(frames.byName.get('speech'), [
    { start: 0.75, end: 1.25, value: 0.1 }, { start: 1.25, end: 1.75, value: 0.9 },
  ]);
  assert.equal(frames.byName.size, 1);
});

test('the recording gives back what went in, of each channel', () => {
  const recording = new Recording(2, 1000);
  recording.add(Int16Array.from([1, 2, 3, 4].map((one) => one * 8192)).buffer);
  recording.add(Int16Array.from([-8192, 16_384]).buffer);
  assert.equal(recording.seconds, 0.003);
  assert.deepEqual([...recording.slice(0, 0, 1)], [0.25, 0.75, -0.25]);
  assert.deepEqual([...recording.slice(1, 0.002, 1)], [0.5]);
  assert.deepEqual([...recording.levels], [0.25, 0.5]);
});

test('the recording drops its beginning, and reports so', () => {
  const recording = new Recording(1, 16_000);
  const minute = new Int16Array(16_000 * 60).buffer;
  const recordings = new Recordings();
  recordings.add('a', recording);
  for (let n = 0; n < 40; n += 1) recording.add(minute.slice(0));
  assert.deepEqual(recordings.trim(), ['a']);
  assert.deepEqual(recordings.trim(), []);
  assert.equal(recording.seconds, 2400);
  assert.equal(recording.keeps(1), false);
  assert.equal(recording.keeps(2399), true);
  assert.equal(recording.slice(0, 0, 1).length, 0);
  assert.equal(recording.peak(0, 0), undefined);
  assert.deepEqual(recording.peak(0, 239_999), { low: 0, high: 0 });
});

test('the audio of older takes goes first', () => {
  const minute = new Int16Array(16_000 * 60).buffer;
  const recordings = new Recordings();
  const [old, young] = [new Recording(1, 16_000), new Recording(1, 16_000)];
  recordings.add('old', old);
  recordings.add('young', young);
  for (let n = 0; n < 20; n += 1) for (const one of [old, young]) one.add(minute.slice(0));
  assert.deepEqual(recordings.trim(), ['old']);
  assert.deepEqual([old.keeps(60), young.keeps(0)], [false, true]);
  assert.equal(recordings.find('old').keeps(19 * 60), true);
});

test('the clock finds when audio was sent', () => {
  const clock = new SendClock();
  assert.equal(clock.at(0), undefined);
  clock.sent(0.02, 100);
  clock.sent(0.04, 120);
  assert.deepEqual([0, 0.02, 0.03, 0.04, 0.05].map((time) => clock.at(time)), [100, 100, 120, 120, undefined]);
});

test('the page reaches every module of the page and of the client', () => {
  const all = [...modulesIn(new URL('page/', WEB)), ...modulesIn(new URL('streamer-client/', WEB))];
  assert.deepEqual(modulesReached(new URL('page/app.js', WEB)), all.sort());
});

test('the page preloads every module that it imports, and nothing else', () => {
  const html = readFileSync(new URL('index.html', WEB), 'utf8');
  const preloaded = [...html.matchAll(/<link rel="modulepreload" href="web\/([^"]+)">/g)].map(([, path]) => path);
  const imported = modulesReached(new URL('page/app.js', WEB))
    .map((address) => address.slice(WEB.href.length))
    .filter((path) => path !== 'page/app.js' && path !== 'streamer-client/capture-worklet.js');
  assert.deepEqual(preloaded.sort(), imported.sort());
});

const word = (text, start_time, end_time, confidence) => ({ text, start_time, end_time, confidence });

test('the words of a line are where they are in its text, which stays as it is', () => {
  const words = [word('It', 1, 1.2, 0.9), word('was', 1.2, 1.5, 0.4999), word('a', 1.5, 1.6, 0.5), word('a', 2, 3, 0)];
  const pieces = piecesOf({ output: { text: ' It wasn’t was\n a … a!', words } });
  assert.equal(pieces.map(({ text }) => text).join(''), 'It wasn’t was a … a!');
  assert.deepEqual(pieces.filter(({ word }) => word).map(({ text }) => text), ['It', 'was', 'a', 'a']);
  const uncertain = wordsOf({ output: { text: '', words } }).filter(isUncertain);
  assert.deepEqual(uncertain.map(({ start }) => start), [1.2, 2]);
  assert.deepEqual([0, 0.434, 0.4999].map((confidence) => percentOf({ confidence })), ['0 %', '43 %', '49 %']);
});

test('what is no word does no harm', () => {
  const good = word('b', 1, 2);
  for (const words of [undefined, null, 7, 'b', {}, [], [null, 7, {}, word('', 1, 2), word('b'), word('b', 2, 1), word(7, 1, 2)]]) {
    assert.deepEqual(piecesOf({ output: { text: 'a b', words } }), [{ text: 'a b', word: null }]);
  }
  const pieces = piecesOf({ output: { text: 'a b', words: [word('x', 0, 1, 0.1), good, { ...good, confidence: 7 }] } });
  assert.deepEqual(pieces.map(({ text, word }) => [text, word?.confidence]), [['a ', undefined], ['b', null]]);
  assert.deepEqual(piecesOf({ output: { score: 1, words: [good] } }), [{ text: 'score 1', word: null }]);
});

test('words are asked of a model that has them', () => {
  const info = { models: [{ name: 'a', words: true }, { name: 'b', words: false }, { name: 'c' }] };
  assert.deepEqual([undefined, 'a', 'b', 'c'].map((model) => hasWords(info, model)), [true, true, false, false]);
  assert.deepEqual([hasWords(null, undefined), hasWords({ model: 'a' }, 'a')], [false, false]);
});

test('key terms are one a line or separated by commas, and those that no server accepts are told', () => {
  assert.deepEqual(keyTermsIn(' Jean  Valjean,Cosette\r\n\n,Kubernetes\tX, Cosette '), ['Jean Valjean', 'Cosette', 'Kubernetes X']);
  assert.deepEqual(keyTermsIn(' ,\n'), []);
  const terms = (count) => Array.from({ length: count }, (_, index) => `term ${index}`);
  for (const fine of [[], terms(100), ['x'.repeat(100)], ['𝒳'.repeat(100)], ['C++'], ['Жан'], ['می\u200cخواهم']]) assert.equal(problemOfKeyTerms(fine), '');
  assert.equal(problemOfKeyTerms(terms(101)), 'These are 101 key terms; allowed: up to 100.');
  assert.equal(problemOfKeyTerms(['fine', 'x'.repeat(101)]), `The key term “${'x'.repeat(30)}…” has 101 characters; allowed: up to 100.`);
  assert.equal(problemOfKeyTerms(['—']), 'The key term “—” has no letter and no digit.');
  assert.match(problemOfKeyTerms(['a\u200bb']), /invisible character/);
});

test('key terms are for models that use them, or of which the server does not say', () => {
  const info = { models: [{ name: 'a', keyterms: true }, { name: 'b', keyterms: false }, { name: 'c' }] };
  assert.deepEqual([undefined, 'a', 'b', 'c'].map((model) => mayUseKeyTerms(info, model)), [true, true, false, true]);
  assert.deepEqual([mayUseKeyTerms(null, undefined), mayUseKeyTerms({ model: 'a' }, 'a')], [false, true]);
});

test('takes are written and read without loss, and what is not a take is not read', () => {
  const take = takeOf(1);
  assert.deepEqual(readTake(writeTake(take)), JSON.parse(JSON.stringify(take)));
  const growing = transcriptOf({ type: 'active', time: 1, channel: 0 }, segment(0, 1, { text: 'a' }));
  growing.apply({ type: 'active', time: 3, channel: 0 }, 0);
  assert.equal(readTake(writeTake(takeOf(1, { entries: growing.entries }))).entries.length, 1);
  const wrong = [
    undefined, null, 7, '', '{', 'null', '[]', '{}', '"take"', writeTake(take).slice(0, -5),
    ...['id', 'name', 'source', 'startedAt', 'channels', 'seconds', 'entries', 'gaps', 'traceIds'].map(
      (field) => JSON.stringify({ ...take, [field]: undefined })),
    JSON.stringify({ ...take, channels: 0 }), JSON.stringify({ ...take, source: 'elsewhere' }),
    JSON.stringify({ ...take, entries: [null] }), JSON.stringify({ ...take, entries: [{ ...take.entries[0], start: 'x' }] }),
    JSON.stringify({ ...take, entries: [{ ...take.entries[0], state: 'speaking' }] }),
    JSON.stringify({ ...take, gaps: [{ start: 1 }] }),
  ];
  assert.deepEqual(wrong.map(readTake), wrong.map(() => null));
});

test('takes are in the order of their beginning, and have names of their own', () => {
  const book = new TakeBook();
  for (const id of [3, 1, 2]) book.put(takeOf(id));
  book.put(takeOf(2));
  assert.deepEqual(book.takes.map(({ id }) => id), ['1', '2', '3']);
  assert.equal(book.newName(), 'Take 4');
  assert.equal(book.newName('talk.wav'), 'talk.wav');
  book.rename('1', '  talk.wav\n ');
  book.rename('2', ' ');
  assert.deepEqual(book.takes.map(({ name }) => name), ['talk.wav', 'Take 2', 'Take 3']);
  assert.equal(book.newName('talk.wav'), 'talk.wav (2)');
  book.rename('3', 'x'.repeat(1000));
  assert.equal(book.find('3').name.length, 120);
  book.remove('1');
  assert.equal(book.find('1'), undefined);
});

test('no take is removed before its removal was announced', () => {
  const book = new TakeBook();
  for (let id = 10; id < 10 + MAX_TAKES - 1; id += 1) book.put(takeOf(id));
  assert.deepEqual([book.announceSurplus(), book.removeAnnounced()], [[], []]);
  book.put(takeOf(90));
  assert.deepEqual(book.removeAnnounced(), []);
  assert.deepEqual(book.announceSurplus().map(({ id }) => id), ['10']);
  assert.deepEqual(book.announceSurplus(), []);
  assert.deepEqual(book.removeAnnounced().map(({ id }) => id), ['10']);
  assert.equal(book.takes.length, MAX_TAKES - 1);
});

test('takes that fill the storage are announced too, the oldest first', () => {
  const book = new TakeBook();
  for (const id of [1, 2, 3]) book.put(takeOf(id), MAX_BYTES / 2);
  assert.deepEqual(book.announceSurplus().map(({ id }) => id), ['1']);
  book.setSize('3', MAX_BYTES);
  assert.deepEqual(book.removeAnnounced().map(({ id }) => id), ['1']);
  assert.deepEqual(book.announceSurplus().map(({ id }) => id), ['2']);
});

test('several takes in one file: subtitles follow each other', () => {
  const one = report(transcriptOf(segment(1, 2, { text: 'One.' })));
  const two = { ...report(transcriptOf(segment(0.5, 3, { text: 'Two.' }))), name: 'A & B' };
  assert.equal(FORMATS.srt.write(one, two),
    '1\n00:00:01,000 --> 00:00:02,000\nOne.\n\n2\n00:00:10,500 --> 00:00:13,000\nTwo.\n\n');
  assert.equal(FORMATS.vtt.write(one, two),
    'WEBVTT\n\nNOTE Take 1\n\n00:00:01.000 --> 00:00:02.000\nOne.\n\n' +
    'NOTE A &amp; B\n\n00:00:10.500 --> 00:00:13.000\nTwo.\n\n');
  assert.equal(FORMATS.txt.write(one, two),
    'Take 1 (2026-01-02T03:04:05Z)\n\nOne.\n\nA & B (2026-01-02T03:04:05Z)\n\nTwo.\n');
  const { takes } = JSON.parse(FORMATS.json.write(one, two));
  assert.deepEqual(takes.map(({ name, segments }) => [name, segments[0].text]), [['Take 1', 'One.'], ['A & B', 'Two.']]);
});

test('the file of a take has a name that every system accepts', () => {
  const names = ['Take 1', '../a/b:c?.wav', '...', '日本 ☂', ''].map((name) => fileNameOf(takeOf(1, { name })));
  assert.deepEqual(names, ['Take 1', 'a b c .wav', 'transcript', '日本', 'transcript']);
});

test('entries of several channels are in rows by time', () => {
  const entries = [[0, 0], [1, 0.4], [1, 2], [0, 2.5], [0, 2.6], [1, 9], [0, 30]].map(([channel, start]) => ({ channel, start }));
  const shuffled = [...entries].reverse();
  const rows = rowsOf(shuffled);
  assert.deepEqual(entries.map((entry) => rows.get(entry)), [0, 0, 1, 1, 2, 3, 4]);
});

test('a file is sent no faster than results arrive', () => {
  const pace = new FilePace({ channels: 2, chunkSeconds: null }, 0);
  assert.deepEqual([8, 9].map((position) => pace.hasRoom(position, 0)), [true, false]);
  assert.equal(pace.hasRoom(9, 100), true, 'silence has no events');
  const end = (channel, time) => pace.onEvent({ type: 'inactive', channel, time }, 100);
  end(0, 9);
  end(1, 9);
  assert.equal(pace.hasRoom(10, 200), true);
  end(1, 12);
  assert.equal(pace.hasRoom(10, 60_000), false, 'two segments of a channel are pending');
  pace.onEvent({ type: 'segment', channel: 1, start_time: 8, end_time: 9 }, 60_000);
  assert.equal(pace.hasRoom(20, 60_000), true);
  end(1, 13);
  pace.onEvent({ type: 'lost', start_time: 9, end_time: 30, reason: 'disconnected' }, 70_000);
  assert.equal(pace.hasRoom(38, 70_000), true, 'results that are lost are not waited for');
});

test('of equal chunks, only some are without a result at a time', () => {
  const pace = new FilePace({ channels: 2, chunkSeconds: 0.5 }, 0);
  assert.deepEqual([3, 3.1].map((position) => pace.hasRoom(position, 99_000)), [true, false]);
  pace.onEvent({ type: 'segment', channel: 0, start_time: 0, end_time: 0.5 }, 0);
  assert.equal(pace.hasRoom(3.1, 0), false, 'the other channel has no result yet');
  pace.onEvent({ type: 'segment', channel: 1, start_time: 0, end_time: 0.5 }, 0);
  assert.equal(pace.hasRoom(3.5, 0), true);
});

test('a number beside a scale is short', () => {
  const written = { 0: '0', 0.5: '0.5', 1: '1', 493827.156: '494K', '-46913.5': '-46.9K', 1e-9: '1e-9', 1e20: '1e+20', '-0.01234': '-0.0123' };
  for (const [value, text] of Object.entries(written)) assert.equal(formatCompact(Number(value)), text);
  for (let exponent = -30; exponent <= 30; exponent += 1) {
    for (const value of [-1.23456, 9.9999]) assert.ok(formatCompact(value * 10 ** exponent).length <= 7);
  }
});

test('the level falls by the time, however often it is drawn', () => {
  const often = Array.from({ length: 60 }).reduce((part) => fallen(part, 1000 / 60), 0.95);
  assert.ok(Math.abs(often - fallen(fallen(0.95, 500), 500)) < 1e-9);
  assert.ok(often < 0.1);
  assert.equal(fallen(0.3, 10_000), 0);
});

test('words are promised by transcribers only', () => {
  const info = { models: [{ name: 'a', type: 'moonshine' }, { name: 'b', type: 'classifier' }, { name: 'c', type: 'own:Model' }] };
  assert.deepEqual([undefined, 'a', 'b', 'c'].map((model) => transcribes(info, model, [])), [true, true, false, null]);
  const scores = takeOf(1, { model: 'c', entries: transcriptOf(segment(0, 1, { score: 1 })).entries });
  assert.equal(transcribes(info, 'c', [takeOf(2, { model: 'c' }), scores]), false);
  assert.equal(transcribes(null, undefined, []), null);
  for (const kind of [false, null]) {
    for (const endpoint of ['segmented', 'simple']) {
      assert.doesNotMatch(describeStart(kind, endpoint, 'microphone', false), /[Ww]ords|speak\b/);
    }
  }
  assert.match(describeStart(true, 'segmented', 'microphone', false), /^Press Start\. Words appear while you speak/);
  assert.match(describeResults(true, 'segmented', 'microphone'), /^Words appear while you speak/);
  assert.match(describeStart(true, 'segmented', 'file', false), /^Choose a file, then press Start\. Words appear/);
  assert.match(describeStart(true, 'segmented', 'file', true), /^Press Start\. Words appear/);
});

test('for a model that may not be about speech, the page says where other sounds are', () => {
  const hint = /For other sounds, choose “Equal chunks” under “Advanced”/;
  for (const kind of [false, null]) {
    assert.match(describeStart(kind, 'segmented', 'microphone'), hint);
    assert.doesNotMatch(describeStart(kind, 'simple', 'microphone'), hint);
  }
  assert.doesNotMatch(describeStart(true, 'segmented', 'file'), hint);
});

test('a microphone is not said to be too fast', () => {
  assert.match(explainWarning('interim_shed'), /^The server is busy, so interim results come less often/);
});

test('the length that a header declares, where it is known', () => {
  const bytes = (...parts) => {
    const all = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
    return new Uint8Array(all).buffer;
  };
  const u32 = (n) => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];
  const fmt = (tag, rate, frame, average = 0) => bytes(
    'fmt ', u32(16), [tag & 255, tag >>> 8], [1, 0], u32(rate), u32(average), [frame, 0], [16, 0],
  );
  const wav = (size, kind = 'RIFF', format = fmt(1, 16_000, 2), before = '') =>
    bytes(kind, u32(0), 'WAVE', new Uint8Array(bytes(before)), new Uint8Array(format), 'data', u32(size), [1, 0]);
  assert.equal(declaredSeconds(wav(32_000)), 1);
  assert.equal(declaredSeconds(wav(8000, 'RIFF', fmt(7, 8000, 1))), 1);
  assert.equal(declaredSeconds(wav(8000, 'RIFF', fmt(2, 8000, 256, 4000))), 2); // ADPCM
  assert.equal(declaredSeconds(wav(32_000, 'RIFF', fmt(1, 16_000, 2), 'LIST\x03\0\0\0abc\0')), 1);
  for (const unknown of [0, 0x7fff_0000, 0x7fff_ffff, 0xffff_ffff]) assert.equal(declaredSeconds(wav(unknown)), null);
  const ds64 = 'ds64\x10\0\0\0' + '\0'.repeat(8) + '\0\xfa\0\0\0\0\0\0';
  assert.equal(declaredSeconds(wav(0xffff_ffff, 'RF64', fmt(1, 16_000, 2), ds64)), 2);
  assert.equal(declaredSeconds(wav(32_000, 'RIFF', fmt(1, 16_000, 0))), null);
  const flac = bytes('fLaC', [0x80, 0, 0, 34], '\0'.repeat(10), [0x03, 0xe8, 0x00, 0xf0, ...[0, 0, 0x7d, 0]]);
  assert.equal(declaredSeconds(flac), 2);
  for (const other of ['', 'R', 'RIFF', 'RIFF\0\0\0\0WAVE', 'OggS', 'fLaC\x80']) assert.equal(declaredSeconds(bytes(other)), null);
  for (let end = 0; end <= 46; end += 1) {
    const cut = wav(32_000).slice(0, end); // none is an error
    assert.equal(declaredSeconds(cut), end < 44 ? null : 1);
    assert.equal(isWavWithoutSamples(cut), end >= 12 && end <= 44);
  }
  assert.equal(describeMissing('a.wav', null, 1), '');
  assert.equal(describeMissing('a.wav', 10, 9.995), '');
  assert.equal(describeMissing('a.wav', 10, 9.5), 'a.wav ends early: of 10.0 s that its header declares, 0.50 s are missing. The rest is processed.');
});

test('a failed connection names what the browser hides', () => {
  const [server, other] = ['ws://127.0.0.1:8080/api/v1/segmented', 'wss://speech.example.com/'];
  assert.match(
    describeFailedConnection(other),
    /: the server does not run, or it has no room now, or it does not use TLS \(then its address begins with http:\/\/ or ws:\/\/\), or there is no stream at this path/,
  );
  assert.match(describeFailedConnection('ws://127.0.0.1:8080//api/v1/segmented'), /there is no stream at this path/);
  assert.doesNotMatch(describeFailedConnection(server), /TLS|stream at this path/);
  assert.match(describeFailedConnection(server), /: the server does not run, or it has no room now, or it is not Streamer, or a proxy that does not pass this path on$/);
  assert.match(describeFailedConnection(other, 'https://app.example.com'), /origin https:\/\/app\.example\.com must .*access\.origins$/);
  for (const page of ['http://localhost:8080', 'http://app.localhost:8080', 'http://[::1]:8080', 'http://127.0.0.2:8080']) {
    assert.match(describeFailedConnection(server, page), /localhost and 127\.0\.0\.1 are different origins/);
  }
  for (const page of ['http://localhost:8000', 'http://127.0.0.1:8000', 'http://example.com:8080', 'http://localhost.example.com:8080']) {
    assert.doesNotMatch(describeFailedConnection(server, page), /different/);
  }
  assert.match(describeFailedConnection(server, 'null'), /opened from a file/);
});

test('a wrong path and a wrong server are reasons for a failed connection', () => {
  const page = 'http://localhost:8000';
  for (const path of ['/', '/api/v1/segmentd', '/api/v1/simple/', '/undefined']) {
    assert.match(describeFailedConnection(`ws://127.0.0.1:8080${path}`, page), /no stream at this path \(use \/api\/v1\/segmented or/);
  }
  for (const path of ['/api/v1/simple', '/speech/api/v1/segmented?a=b']) {
    assert.doesNotMatch(describeFailedConnection(`ws://127.0.0.1:8080${path}`, page), /stream at this path/);
    assert.match(describeFailedConnection(`ws://127.0.0.1:8080${path}`, page), /or a proxy that does not pass this path on, or it refuses/);
  }
  for (const path of ['/api/v1/segmented/api/v1/segmented', '/x/api/v1/segmented/api/v1/simple']) {
    assert.match(describeFailedConnection(`ws://127.0.0.1:8080${path}`, page), /no stream at this path, which has \/api\/v1\/ twice/);
  }
  for (const [url, origin] of [
    ['ws://localhost:8000/api/v1/simple', page],
    ['wss://example.com/api/v1/simple', 'https://example.com'],
  ]) {
    assert.match(describeFailedConnection(url, origin), /this address is the page's own server/);
    // It may have a list of origins without its own, or be behind a proxy that changes the host.
    assert.match(describeFailedConnection(url, origin), /or it refuses this page, and then its log says what to set$/);
  }
});
