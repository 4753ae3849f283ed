/** The parts of the page that need no browser. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { FORMATS } from '../../../streamer/web/page/exports.js';
import { FilePace } from '../../../streamer/web/page/file-pace.js';
import { textOf } from '../../../streamer/web/page/model-output.js';
import { Recording } from '../../../streamer/web/page/recording.js';
import { Recordings } from '../../../streamer/web/page/recordings.js';
import { rowsOf } from '../../../streamer/web/page/rows.js';
import { SendClock } from '../../../streamer/web/page/send-clock.js';
import { Series } from '../../../streamer/web/page/series.js';
import { describeUnheard } from '../../../streamer/web/page/summary-view.js';
import { MAX_BYTES, MAX_TAKES, TakeBook } from '../../../streamer/web/page/take-book.js';
import { fileNameOf } from '../../../streamer/web/page/take-report.js';
import { readTake, writeTake } from '../../../streamer/web/page/take.js';
import { Transcript } from '../../../streamer/web/page/transcript.js';
import { describeStart, transcribes } from '../../../streamer/web/page/wording.js';
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
  assert.equal(describeUnheard([]), '');
  assert.equal(describeUnheard([none, { ...none, dropped: 0.49 }]), '');
  const loud = { ...none, loud_unheard: 1.6 };
  assert.equal(describeUnheard([loud, loud]), '3.2 s were loud, but not taken for speech');
  const failed = { failed: 0.1, dropped: 0.5, loud_unheard: 0 };
  assert.equal(
    describeUnheard([failed]),
    '0.1 s had speech without a result · 0.5 s were too short for speech, or silence to the model',
  );
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
    'WEBVTT\n\n00:00:00.500 --> 00:00:02.250\nChannel 1: One &lt;b&gt; &amp; two.\n\n' +
    '01:00:00.999 --> 01:00:02.000\nChannel 2: Three.\n\n');
  assert.equal(FORMATS.txt.write(report(transcript)), 'One <b> & two.\nThree.\n');
  const { model, segments, trace_ids } = JSON.parse(FORMATS.json.write(report(transcript)));
  assert.deepEqual([model, trace_ids, segments.length], ['m', ['t'], 3]);
  assert.equal(segments[1].channel, 1);
});

test('other values than numbers are in the exports too', () => {
  const transcript = transcriptOf(
    segment(0, 1, { label: 'a\ndog --> barks', loud: true, dbfs: -20.123456, nothing: null }),
  );
  const line = 'dbfs -20.12, label a dog --> barks, loud true';
  assert.equal(FORMATS.txt.write(report(transcript)), `${line}\n`);
  assert.match(FORMATS.srt.write(report(transcript)), /\ndbfs -20.12, label a dog → barks, loud true\n/);
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
  assert.equal(recordings.trim(), true);
  assert.equal(recordings.trim(), false);
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
  recordings.trim();
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

test('words are promised by transcribers only', () => {
  const info = { models: [{ name: 'a', type: 'moonshine' }, { name: 'b', type: 'classifier' }, { name: 'c', type: 'own:Model' }] };
  assert.deepEqual([undefined, 'a', 'b', 'c'].map((model) => transcribes(info, model, [])), [true, true, false, null]);
  const scores = takeOf(1, { model: 'c', entries: transcriptOf(segment(0, 1, { score: 1 })).entries });
  assert.equal(transcribes(info, 'c', [takeOf(2, { model: 'c' }), scores]), false);
  assert.equal(transcribes(null, undefined, []), null);
  for (const kind of [false, null]) {
    for (const endpoint of ['segmented', 'simple']) {
      assert.doesNotMatch(describeStart(kind, endpoint, 'microphone'), /[Ww]ords|speak\b/);
    }
  }
  assert.match(describeStart(true, 'segmented', 'microphone'), /speak.*Words appear/);
});

test('a failed connection names what the browser hides', () => {
  const [server, other] = ['ws://127.0.0.1:8080/api/v1/segmented', 'wss://speech.example.com/'];
  assert.match(
    describeFailedConnection(other),
    /: the server does not run, or it does not use TLS .*ws:.*, or there is no stream at this path/,
  );
  assert.match(describeFailedConnection('ws://127.0.0.1:8080//api/v1/segmented'), /there is no stream at this path/);
  assert.doesNotMatch(describeFailedConnection(server), /TLS|stream at this path/);
  assert.match(describeFailedConnection(server), /: the server does not run$/);
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
    assert.doesNotMatch(describeFailedConnection(`ws://127.0.0.1:8080${path}`, page), /path/);
  }
  for (const [url, origin] of [
    ['ws://localhost:8000/api/v1/simple', page],
    ['wss://example.com/api/v1/simple', 'https://example.com'],
  ]) {
    assert.match(describeFailedConnection(url, origin), /this address is the page's own server/);
    assert.doesNotMatch(describeFailedConnection(url, origin), /access\.origins/);
  }
});
