/** What `start` and `send` answer to a program that gives them something else than audio and its format. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Microphone, StreamerClient } from '../../../streamer/web/streamer-client/streamer-client.js';

/** A WebSocket that never opens: what is tested here is found out before. */
class Unopened {
  readyState = 0;

  addEventListener() {}

  close() {}
}

function connect() {
  const client = new StreamerClient('ws://127.0.0.1:1/api/v1/simple', { WebSocket: Unopened });
  const states = [];
  client.on('connection', ({ state }) => states.push(state));
  return { client, states };
}

/** A browser's WebSocket in a page over https, for an address that begins with ws. */
class Insecure {
  constructor() {
    throw new DOMException('An insecure WebSocket connection may not be initiated', 'SecurityError');
  }
}

test('a socket that the browser does not open is an error of the client, with what to do', async () => {
  const client = new StreamerClient('ws://a.example/api/v1/simple', { WebSocket: Insecure });
  const page = globalThis.document;
  globalThis.document = { location: { origin: 'https://b.example' }, baseURI: 'https://b.example/' };
  try {
    await assert.rejects(client.start({ sample_rate: 16_000 }), {
      name: 'StreamerError',
      code: 'connection_failed',
      message: /a page over https can only connect to a server over https \(give wss:\/\/a\.example\/api\/v1\/simple, or the same with https\)$/,
    });
  } finally {
    globalThis.document = page;
  }
  assert.equal(client.state, 'idle');
});

const EXAMPLES = /microphone\.format, \{ sample_rate: 16000 \} for mono 16-bit PCM, or \{ encoding: 'auto' \} for a container$/;

test('start without a format says what to give, and changes nothing', async () => {
  const { client, states } = connect();
  for (const [format, message] of [
    [undefined, /^start\(\) needs the format of the audio; give /],
    [null, /^the format is null; give /],
    [16_000, /^the format is 16000; give /],
    ['pcm', /^the format is 'pcm'; give /],
    [[16_000, 1], /^the format is a list; give /],
    [{}, /^the format has no sample_rate; give /],
    [{ channels: 2 }, /^the format has no sample_rate; give /],
    [{ sample_rate: undefined, encoding: 'mulaw' }, /^the format has no sample_rate; give /],
  ]) {
    await assert.rejects(client.start(format), { name: 'TypeError', message });
    await assert.rejects(client.start(format), { message: EXAMPLES });
  }
  assert.deepEqual(states, []);
});

test('a field of the format that there is not, or with a value of another type, is named', async () => {
  const { client, states } = connect();
  for (const [format, message] of [
    [{ sampleRate: 48_000 }, /^there is no field of the format 'sampleRate'; did you mean 'sample_rate'\?$/],
    [{ sample_rate: 48_000, bitDepth: 16 }, /'bitDepth'; did you mean 'bit_depth'\?$/],
    [{ sample_rate: 48_000, isFloat: true }, /'isFloat'; did you mean 'is_float'\?$/],
    [{ rate: 48_000 }, /'rate'; allowed: sample_rate, channels, bit_depth, is_float, encoding$/],
    [{ sample_rate: '48000' }, /^the field of the format 'sample_rate' is '48000'; allowed: a number, in Hz$/],
    [{ sample_rate: NaN }, /'sample_rate' is NaN; allowed: a number/],
    [{ sample_rate: 48_000, channels: '1' }, /'channels' is '1'; allowed: a whole number, 1 or more$/],
    [{ sample_rate: 48_000, channels: 0 }, /'channels' is 0; allowed/],
    [{ sample_rate: 48_000, channels: null }, /'channels' is null; allowed/],
    [{ sample_rate: 48_000, bit_depth: '16' }, /'bit_depth' is '16'; allowed: 8, 16, 24, 32, 64$/],
    [{ sample_rate: 48_000, bit_depth: 12 }, /'bit_depth' is 12; allowed: 8, 16, 24, 32, 64$/],
    [{ sample_rate: 48_000, is_float: 1 }, /'is_float' is 1; allowed: true, false$/],
    [{ encoding: 'opus' }, /'encoding' is 'opus'; allowed: pcm, mulaw, alaw; auto for a container such as WebM$/],
    [{ encoding: null, sample_rate: 48_000 }, /'encoding' is null; allowed: pcm/],
  ]) {
    await assert.rejects(client.start(format), { name: 'TypeError', message });
  }
  assert.deepEqual(states, []);
});

test('what has a format of its own, or will have it, is told apart', async () => {
  const { client, states } = connect();
  const microphone = { format: { sample_rate: 48_000 }, onAudio() {} };
  await assert.rejects(client.start(microphone), {
    name: 'TypeError',
    message: 'what was given to start() has a format; give that: start(microphone.format)',
  });
  await assert.rejects(client.start(Promise.resolve(microphone)), {
    name: 'TypeError',
    message: 'the format is a promise; wait for it: const microphone = await Microphone.open()',
  });
  assert.deepEqual(states, []);
});

test('what other programs call an option or an event is answered with ours', async () => {
  for (const [option, message] of [
    ['sample_rate', /^there is no option 'sample_rate'; the format of the audio is given to start\(\)$/],
    ['sampleRate', /the format of the audio is given to start\(\)$/],
    ['encoding', /the format of the audio is given to start\(\)$/],
    ['language', /^there is no option 'language'; each model has its own: choose one with 'model'$/],
    ['apiKey', /^there is no option 'apiKey'; did you mean 'token'\?$/],
    ['processing', /^there is no option 'processing'; it is one of Microphone\.open\(\)$/],
  ]) {
    const given = () => new StreamerClient('ws://127.0.0.1:1/', { [option]: true });
    assert.throws(given, { name: 'TypeError', message });
  }
  for (const option of ['echoCancellation', 'noiseSuppression', 'autoGainControl']) {
    const message = `there is no option '${option}'; 'processing' switches all three, and they are off without it`;
    await assert.rejects(Microphone.open({ [option]: false }), { name: 'TypeError', message });
  }
  const { client } = connect();
  for (const [event, ours] of [
    ['final', 'segment'], ['transcript', 'segment'], ['result', 'segment'], ['partial', 'interim'],
    ['state', 'connection'], ['open', 'connection'], ['close', 'connection'], ['connected', 'connection'],
  ]) {
    const message = `there is no event '${event}'; did you mean '${ours}'?`;
    assert.throws(() => client.on(event, () => {}), { name: 'TypeError', message });
  }
});

test('a format is taken with fields that are undefined, which are absent', () => {
  for (const format of [
    { sample_rate: 16_000, channels: undefined, bit_depth: undefined, is_float: undefined, encoding: undefined },
    { sample_rate: 16_000, bit_depth: 16, is_float: false, channels: 1, encoding: 'pcm' },
  ]) {
    const { client, states } = connect();
    client.start(format).catch(() => {});
    client.send(new Uint8Array(32_000));
    assert.equal(client.position, 1);
    assert.deepEqual(states, ['connecting']);
    client.close();
  }
  const { client } = connect();
  client.start({ encoding: 'auto' }).catch(() => {});
  client.send(new Uint8Array(3), 0.25);
  assert.equal(client.position, 0.25);
  client.close();
});

test('what is no buffer is answered with how to get one', () => {
  const { client } = connect();
  client.start({ sample_rate: 16_000 }).catch(() => {});
  for (const [audio, message] of [
    [undefined, /^audio is undefined; allowed: an ArrayBuffer, a typed array or a DataView$/],
    ['abc', /^audio is a string; allowed/],
    [async () => {}, /^audio is a function; allowed/],
    [[0, 1], /^audio is an Array; allowed: .*; for 16-bit samples: Int16Array\.from\(\.\.\.\)$/],
    [new Blob(['a']), /^audio is a Blob; allowed: .*; for a Blob: await blob\.arrayBuffer\(\)$/],
    [Promise.resolve(), /^audio is a Promise; allowed: .*; wait for it with await$/],
  ]) {
    assert.throws(() => client.send(audio), { code: 'bad_audio', message });
  }
  assert.equal(client.position, 0);
  client.close();
});
