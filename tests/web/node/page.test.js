/** The parts of the page that need no browser. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FORMATS } from '../../../streamer/web/page/exports.js';
import { textOf } from '../../../streamer/web/page/model-output.js';
import { Recording } from '../../../streamer/web/page/recording.js';
import { SendClock } from '../../../streamer/web/page/send-clock.js';
import { Series } from '../../../streamer/web/page/series.js';
import { describeUnheard } from '../../../streamer/web/page/summary-view.js';
import { Transcript } from '../../../streamer/web/page/transcript.js';
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
  return { finals, gaps, channels, model: 'm', traceIds: ['t'] };
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
  for (let n = 0; n < 40; n += 1) recording.add(minute.slice(0));
  assert.equal(recording.seconds, 2400);
  assert.equal(recording.keeps(1), false);
  assert.equal(recording.keeps(2399), true);
  assert.equal(recording.slice(0, 0, 1).length, 0);
  assert.equal(recording.peak(0, 0), undefined);
  assert.deepEqual(recording.peak(0, 239_999), { low: 0, high: 0 });
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
