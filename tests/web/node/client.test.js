/** The client's protocol part against real servers; `tests/web/test_node.py` starts them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';

import { Microphone, StreamerClient, StreamerError } from '../../../streamer/web/streamer-client/streamer-client.js';
import { Proxy } from './proxy.js';

const { TRANSCRIBER_URL, STANDIN_URL, RECORDING, CONTAINER } = process.env;
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const MONO = { sample_rate: 16_000 };
const SECOND = new Uint8Array(32_000);
const QUICK = { initialMs: 10, maxMs: 20 };

/** Ten seconds at 16 kHz, behind a header of 44 bytes. */
const speech = () => readFileSync(RECORDING).subarray(44);

const open = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

function connect(url, options = {}) {
  const client = new StreamerClient(url, { WebSocket, ...options });
  open.push(client);
  const events = [];
  client.onEvent((event) => events.push(event));
  return { client, events, of: (type) => events.filter((event) => event.type === type) };
}

const segmented = (options) => connect(`${TRANSCRIBER_URL}/api/v1/segmented`, options);
const simple = (options) => connect(`${STANDIN_URL}/api/v1/simple`, options);

async function through(path, options, server = STANDIN_URL) {
  const proxy = new Proxy(new URL(server));
  open.push(proxy);
  const url = await proxy.listen();
  return { proxy, ...connect(`${url}/api/v1/${path}`, { reconnect: QUICK, ...options }) };
}

function until(client, type, fits = () => true) {
  return new Promise((resolve) => {
    const off = client.on(type, (event) => {
      if (!fits(event)) return;
      off();
      resolve(event);
    });
  });
}

const state = (client, expected) =>
  client.state === expected ? undefined : until(client, 'connection', (event) => event.state === expected);

async function stream(client, audio) {
  for (let at = 0; at < audio.length; at += 1280) {
    await client.ready();
    client.send(audio.subarray(at, at + 1280));
  }
}

test('speech becomes interim and final words, in order', async () => {
  const { client } = segmented({ interimResults: true });
  const events = client.events();
  const received = (async () => {
    const all = [];
    for await (const event of events) all.push(event);
    return all;
  })();
  const started = await client.start(MONO);
  assert.equal(started.interim_results, true);
  await stream(client, speech());
  const stopped = await client.stop();
  const all = await received;
  assert.equal(stopped.audio_seconds, client.position);
  const words = all.filter(({ type }) => type === 'segment').map(({ text }) => text);
  assert.match(words.join(' '), /Ever tried.*again/);
  const kinds = all.map((event) => event.state ?? event.type);
  assert.deepEqual(kinds.slice(0, 3), ['connecting', 'started', 'streaming']);
  assert.deepEqual(kinds.slice(-2), ['stopped', 'idle']);
  assert.ok(kinds.indexOf('active') < kinds.indexOf('inactive'));
  assert.ok(kinds.indexOf('inactive') < kinds.indexOf('segment'));
});

test('an eager interim is the segment, or is taken back', async () => {
  const { client, of } = segmented({ eager: true, words: true });
  const started = await client.start(MONO);
  assert.equal(started.eager, true);
  const sentence = 51_200; // 1.6 seconds: the speech, and a pause that does not end the segment
  const shown = until(client, 'interim');
  await stream(client, speech().subarray(0, sentence));
  const { eager, ...interim } = await shown;
  assert.equal(eager, true);
  assert.match(interim.text, /Ever tried/);
  await stream(client, speech().subarray(sentence));
  await client.stop();
  const [segment] = of('segment');
  if (of('resumed').every(({ time }) => time > segment.end_time)) {
    assert.deepEqual({ ...interim, type: 'segment', is_final: true }, segment);
  }
});

test('settings reach the server, and its reply names those in force', async () => {
  const { client } = segmented({ vad: { threshold: 0.7 }, traceparent: () => TRACEPARENT });
  const started = await client.start({ sample_rate: 48_000, channels: 2 });
  assert.equal(started.trace_id, TRACEPARENT.split('-')[1]);
  assert.equal(started.vad.threshold, 0.7);
  await client.stop();
});

test('a socket serves one stream after another', async () => {
  const { client, of } = simple();
  for (const seconds of [1, 2]) {
    await client.start(MONO);
    for (let n = 0; n < seconds; n += 1) client.send(SECOND);
    const { audio_seconds } = await client.stop({ disconnect: false });
    assert.equal(audio_seconds, seconds);
  }
  assert.equal(of('started').length, 2);
  assert.equal(of('started')[0].session_id, of('started')[1].session_id);
});

test('after stop, the next start opens another connection', async () => {
  const { client, of } = simple();
  for (let n = 0; n < 3; n += 1) {
    await client.start(MONO);
    client.send(SECOND);
    assert.equal((await client.stop()).audio_seconds, 1);
  }
  assert.equal(new Set(of('started').map(({ session_id }) => session_id)).size, 3);
  assert.deepEqual([of('error'), of('lost')], [[], []]);
});

test('start may be called before a stop was answered', async () => {
  const { client, of } = simple();
  await client.start(MONO);
  client.send(SECOND);
  const stopped = client.stop();
  const started = client.start(MONO);
  assert.equal((await stopped).audio_seconds, 1);
  await started;
  client.send(SECOND);
  client.send(SECOND);
  assert.equal((await client.stop()).audio_seconds, 2);
  assert.deepEqual([of('error'), of('lost')], [[], []]);
});

test('two starts at once begin one stream after the other', async () => {
  const { client, of } = simple();
  const [first, second] = await Promise.all([client.start(MONO), client.start({ sample_rate: 8000 })]);
  assert.equal(first.session_id, second.session_id);
  client.send(SECOND);
  assert.equal((await client.stop()).audio_seconds, 2);
  assert.equal(of('started').length, 2);
  const refused = await Promise.allSettled([client.start({ sample_rate: 7 }), client.start(MONO)]);
  assert.deepEqual(refused.map(({ status }) => status), ['rejected', 'fulfilled']);
  const late = client.start(MONO);
  client.close();
  await assert.rejects(late, { code: 'closed' });
});

test('start while the client reconnects opens a connection of its own', async () => {
  const { client, proxy, of } = await through('simple', { reconnect: { initialMs: 60_000 } });
  await client.start(MONO);
  proxy.cut();
  await state(client, 'reconnecting');
  await client.start(MONO);
  client.send(SECOND);
  assert.equal((await client.stop()).audio_seconds, 1);
  assert.equal(of('started').length, 2);
});

test('a person who asks need not wait for the next attempt', async () => {
  const { client, proxy, of } = await through('simple', { reconnect: { initialMs: 60_000, maxMs: 60_000 } });
  client.reconnectNow();
  await client.start(MONO);
  client.reconnectNow();
  proxy.cut();
  await state(client, 'reconnecting');
  client.reconnectNow();
  await state(client, 'streaming');
  await client.stop();
  assert.equal(of('started').length, 2);
});

test('flush brings the result of what was said so far', async () => {
  const { client } = simple();
  await client.start(MONO);
  client.send(SECOND.subarray(0, 3200));
  const segment = until(client, 'segment');
  client.flush();
  assert.deepEqual([(await segment).flushed, (await segment).end_time], [true, 0.1]);
  await client.stop();
});

test('flush waits for the answer of every channel, as often as it is called', async () => {
  const { client, events, of } = simple();
  await client.start({ ...MONO, channels: 2 });
  await client.flush();
  assert.equal(of('flushed').length, 2);
  client.send(SECOND.subarray(0, 6400));
  const [, second] = [client.flush(), client.flush()];
  await second;
  assert.deepEqual(of('flushed').map(({ time }) => time), [0, 0, 0.1, 0.1, 0.1, 0.1]);
  assert.equal(of('segment').length, 2);
  assert.equal(events.at(-1).type, 'flushed');
  await client.stop();
});

test('settings change in the middle of a stream, and stay after the connection was lost', async () => {
  const options = { vad: { min_speech_ms: 100 } };
  const { client, proxy, of } = await through('segmented', options, TRANSCRIBER_URL);
  await client.start(MONO);
  const first = until(client, 'configured');
  assert.equal(client.configure({ vad: { min_silence_ms: 900 }, keyterms: ['Oslo'] }), true);
  const { time, vad, keyterms } = await first;
  assert.deepEqual([time, vad.min_speech_ms, vad.min_silence_ms], [0, 100, 900]);
  assert.deepEqual(keyterms, ['Oslo']);
  const refused = until(client, 'error');
  client.configure({ vad: { min_silence_ms: 1 } });
  assert.equal((await refused).code, 'bad_message');
  const again = until(client, 'started');
  proxy.cut();
  await again;
  assert.equal(of('started').at(-1).vad.min_silence_ms, 900);
  await client.stop();
});

test('settings of no stream, or that there are not, are mistakes', async () => {
  const { client } = simple();
  assert.throws(() => client.configure({ words: true }), { code: 'not_started' });
  await client.start(MONO);
  assert.throws(() => client.configure({ min_silence: 1 }), TypeError);
  await client.stop();
});

test('a flush without a stream is rejected, and nobody need notice', async () => {
  const { client } = simple();
  client.flush();
  await assert.rejects(client.flush(), { code: 'not_started' });
  await client.start(MONO);
  const pending = client.flush();
  client.close();
  await assert.rejects(pending, { code: 'closed' });
});

test('a flush that a server of an older version does not answer ends with the stream', async () => {
  const server = new WebSocketServer({ port: 0 });
  open.push(server);
  server.on('connection', (socket) =>
    socket.on('message', (message) => {
      const { request } = JSON.parse(message);
      const send = (event) => socket.send(JSON.stringify(event));
      if (request === 'start') send({ type: 'started', vad: null });
      if (request === 'stop') send({ type: 'stopped', audio_seconds: 0, segments: 0 });
    }),
  );
  const { client } = connect(`ws://127.0.0.1:${server.address().port}`);
  await client.start(MONO);
  const flushed = client.flush();
  await client.stop();
  await flushed;
});

test('a format that the server refuses is an error of start', async () => {
  const { client, of } = simple();
  await assert.rejects(client.start({ sample_rate: 7 }), { code: 'bad_format', message: /sample_rate/ });
  assert.deepEqual(of('error').map(({ code }) => code), ['bad_format']); // twice, as the README says
  assert.equal(client.state, 'idle');
  await client.start(MONO);
  await client.stop();
});

test('a setting that the server refuses is an error of start', async () => {
  const { client } = simple({ vad: { threshold: 7 } });
  await assert.rejects(client.start(MONO), { code: 'bad_message', message: /threshold/ });
});

test('audio outside of a stream, and half a frame, are errors of the caller', async () => {
  const { client } = simple();
  assert.throws(() => client.send(SECOND), { code: 'not_started' });
  await client.start({ sample_rate: 16_000, channels: 2 });
  assert.throws(() => client.send(new Uint8Array(6)), { code: 'bad_audio', message: /4 bytes/ });
  for (const wrong of [undefined, null, 'audio', 7, [0, 0, 0, 0], {}, { byteLength: 4 }, new Blob(['1234'])]) {
    assert.throws(() => client.send(wrong), { code: 'bad_audio', message: /allowed: an ArrayBuffer/ });
  }
  await client.stop();
  assert.throws(() => client.send(SECOND), StreamerError);
});

test('an array of other elements than the samples of the stream is an error of the caller', async () => {
  const { client } = simple();
  const bytes = [new ArrayBuffer(24), new DataView(new ArrayBuffer(24)), new Uint8Array(24), new Uint8ClampedArray(24), Buffer.alloc(24)];
  for (const [format, fitting, wrong, message] of [
    [{}, new Int16Array(12), new Float32Array(10), /^audio is an array of 32-bit floats, and the stream was started for 16-bit integers: convert it, or start the stream with bit_depth: 32, is_float: true$/],
    [{}, new Int16Array(12), new Int32Array(10), /32-bit integers, .* with bit_depth: 32, is_float: false$/],
    [{}, new Int16Array(12), new BigInt64Array(4), /64-bit integers, .*: convert it$/],
    [{ bit_depth: 24 }, new Uint8Array(24), new Int32Array(6), /for 24-bit integers: convert it, or/],
    [{ bit_depth: 32 }, new Int32Array(6), new Float32Array(6), /for 32-bit integers: convert it, or/],
    [{ bit_depth: 32, is_float: true }, new Float32Array(6), new Int16Array(12), /16-bit integers, and .* for 32-bit floats/],
    [{ bit_depth: 64, is_float: true }, new Float64Array(3), new Float32Array(6), /32-bit floats, and .* for 64-bit floats/],
    [{ bit_depth: 8, encoding: 'mulaw' }, new Uint8Array(24), new Int16Array(12), /16-bit integers, and .* for bytes of mulaw/],
  ]) {
    await client.start({ ...MONO, ...format });
    for (const audio of [fitting, ...bytes]) client.send(audio);
    const { position } = client;
    assert.throws(() => client.send(wrong), { name: 'StreamerError', code: 'bad_audio', message });
    assert.equal(client.position, position);
    await client.stop({ disconnect: false });
  }
});

test('audio of any length is sent, in messages that the server takes', async () => {
  const { client, of } = simple({ maxBufferedSeconds: 60 });
  const { max_message_bytes } = await client.start(MONO);
  const seconds = 20;
  const audio = new Int16Array(1 + seconds * 16_000).subarray(1);
  assert.ok(audio.byteLength > 2 * max_message_bytes);
  assert.ok(client.send(audio));
  assert.ok(client.send(new Uint8Array(seconds * 32_000).buffer));
  assert.ok(client.send(new DataView(new ArrayBuffer(32_000))));
  assert.ok(client.send(new ArrayBuffer(0)));
  const { audio_seconds } = await client.stop();
  assert.equal(audio_seconds, 2 * seconds + 1);
  assert.deepEqual(of('error'), []);
});

test('without a server, start fails, and nothing is tried again', async () => {
  const { client, of } = connect('ws://127.0.0.1:9/api/v1/simple');
  await assert.rejects(client.start(MONO), { code: 'connection_failed' });
  assert.deepEqual(of('error'), []);
  assert.deepEqual(of('connection').map(({ state }) => state), ['connecting', 'idle']);
});

test('http addresses are as good as ws', () => {
  const { client } = connect('https://example.com/base/api/v1/simple');
  assert.equal(client.url, 'wss://example.com/base/api/v1/simple');
});

test('an address that is missing is an error of the caller', () => {
  for (const url of [undefined, null, '']) {
    assert.throws(() => connect(url), { name: 'TypeError', message: /the address is missing.*\/api\/v1\/segmented/ });
  }
});

test('an address without http:// is an error of the caller', () => {
  const page = globalThis.document;
  try {
    for (const base of [undefined, { baseURI: 'http://localhost:8000/docs/' }]) {
      globalThis.document = base;
      for (const url of [
        '127.0.0.1:8080/api/v1/segmented', 'localhost:8080/api/v1/simple', 'speech.example.com:443/api/v1/simple',
        'my-server:80', '[::1]:8080/api/v1/simple', 'localhost/api/v1/simple', '10.0.0.7/api/v1/simple',
      ]) {
        assert.throws(() => connect(url), (error) => {
          assert.equal(error.name, 'TypeError');
          assert.equal(error.message, `http:// is missing before the address ${url}; give http://${url}`);
          return connect(`http://${url}`).client.url === new URL(`ws://${url}`).href;
        });
      }
      for (const url of ['ftp://localhost/api/v1/simple', 'htp://localhost/', 'file:///api/v1/simple']) {
        assert.throws(() => connect(url), { name: 'TypeError', message: /but it must begin with http:, https:, ws: or wss:, such as http:/ });
      }
    }
    for (const url of ['api/v1/simple', '/speech/api/v1/simple', 'v1.2/api/v1/simple', '//localhost:8000/a', '?a=b:80/']) {
      assert.match(connect(url).client.url, /^ws:\/\/localhost:8000\//);
    }
    globalThis.document = { baseURI: 'file:///home/me/index.html' };
    assert.throws(() => connect('/api/v1/simple'), { name: 'TypeError', message: /file:.* must begin with http:/ });
  } finally {
    globalThis.document = page;
  }
  assert.throws(() => connect('/api/v1/simple'), { name: 'TypeError', message: /not valid; give a whole one, such as http:/ });
});

test('an address with a fragment, or what is no address, is an error of the caller', () => {
  for (const url of ['http://localhost:8080/api/v1/simple#x', new URL('ws://localhost/#x')]) {
    const message = `the address ${url} has a fragment, which a WebSocket may not have; leave out #x`;
    assert.throws(() => connect(url), { name: 'TypeError', message });
  }
  assert.equal(connect('ws://localhost/api/v1/simple#').client.url, 'ws://localhost/api/v1/simple');
  for (const [url, shown] of [[42, '42'], [0, '0'], [true, 'true'], [{}, 'an object'], [['/a'], 'a list'], [() => '/', 'a function']]) {
    const message = `the address is ${shown}; allowed: text, or a URL, such as '/api/v1/segmented'`;
    assert.throws(() => connect(url), { name: 'TypeError', message });
  }
  assert.equal(connect(new URL('http://localhost/a')).client.url, 'ws://localhost/a');
});

test('an option or an event that there is not is an error that names the near one', () => {
  for (const [given, near] of [
    ['interim_results', 'interimResults'],
    ['keyTerms', 'keyterms'],
    ['max_buffered_seconds', 'maxBufferedSeconds'],
    ['websocket', 'WebSocket'],
  ]) {
    const message = `there is no option '${given}'; did you mean '${near}'?`;
    assert.throws(() => simple({ [given]: true }), { name: 'TypeError', message });
  }
  assert.throws(() => simple({ banana: true }), { message: /option 'banana'; allowed: interimResults, / });
  const { client } = simple();
  for (const [given, near] of [['segments', 'segment'], ['interims', 'interim'], ['goingAway', 'going_away'], ['Error', 'error']]) {
    const message = `there is no event '${given}'; did you mean '${near}'?`;
    assert.throws(() => client.on(given, () => {}), { name: 'TypeError', message });
  }
  assert.throws(() => client.on('message', () => {}), { message: /event 'message'; allowed: started, / });
});

test('an option may not have any value', () => {
  for (const [options, message] of [
    [{ connectTimeoutMs: '5' }, /^the option 'connectTimeoutMs' is '5'; allowed: a number above 0/],
    [{ connectTimeoutMs: Infinity }, /is Infinity; allowed/],
    [{ maxBufferedSeconds: -1 }, /'maxBufferedSeconds' is -1; allowed: a number, 0 or more/],
    [{ maxBufferedSeconds: NaN }, /is NaN/],
    [{ token: 7 }, /'token' is 7; allowed: text, or a function/],
    [{ traceparent: {} }, /'traceparent' is an object/],
    [{ reconnect: 3 }, /'reconnect' is 3; allowed: false, or an object with initialMs/],
    [{ reconnect: { initial_ms: 3 } }, /there is no option of 'reconnect' 'initial_ms'; did you mean 'initialMs'/],
    [{ reconnect: { attempts: '3' } }, /the option of 'reconnect' 'attempts' is '3'/],
    [{ WebSocket: {} }, /'WebSocket' is an object; allowed: a class/],
  ]) {
    assert.throws(() => simple(options), { name: 'TypeError', message });
  }
  assert.throws(() => new StreamerClient('ws://a/', null), { message: /options are null; allowed: an object/ });
  const fine = { token: undefined, reconnect: { attempts: Infinity, initialMs: 0 }, maxBufferedSeconds: 0 };
  assert.equal(simple(fine).client.state, 'idle');
});

test('an option of stop that there is not is an error', async () => {
  const { client } = simple();
  await client.start(MONO);
  await assert.rejects(client.stop({ disconect: false }), { name: 'TypeError', message: /did you mean 'disconnect'/ });
  await client.stop();
});

test('why there is no microphone is said with what to do', async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  const deny = (name) => ({
    mediaDevices: { getUserMedia: async () => { throw Object.assign(new Error('no'), { name }); } },
  });
  try {
    for (const [device, code, message] of [
      [deny('NotAllowedError'), 'microphone_refused', /may not use the microphone: allow it in the browser's address bar, or in the system's privacy settings/],
      [deny('SecurityError'), 'microphone_refused', /Permissions-Policy/],
      [deny('NotFoundError'), 'microphone_absent', /no microphone was found: connect one/],
      [deny('OverconstrainedError'), 'microphone_absent', /is not there any more: choose another one/],
      [deny('NotReadableError'), 'microphone_busy', /cannot be read: close other programs that may use it/],
      [{}, 'insecure_page', /only to pages over https, or on localhost: open the page there/],
    ]) {
      Object.defineProperty(globalThis, 'navigator', { value: device, configurable: true });
      await assert.rejects(Microphone.open(), { name: 'StreamerError', code, message });
    }
  } finally {
    delete globalThis.navigator;
    if (own) Object.defineProperty(globalThis, 'navigator', own);
  }
});

test('an option of the microphone that there is not, or with a wrong value, is an error', async () => {
  for (const [options, message] of [
    [{ device: 'x' }, /^there is no option 'device'; did you mean 'deviceId'\?$/],
    [{ sample_rate: 16_000 }, /did you mean 'sampleRate'/],
    [{ gain: 2 }, /'gain'; allowed: deviceId, channels, sampleRate, /],
    [{ deviceId: 3 }, /'deviceId' is 3; allowed: text/],
    [{ sampleRate: 'a' }, /^the option 'sampleRate' is 'a'; allowed: a number from 8000 to 192000$/],
    [{ sampleRate: 0 }, /'sampleRate' is 0/],
    [{ channels: 9 }, /^the option 'channels' is 9; allowed: a whole number from 1 to 8$/],
    [{ channels: '2' }, /'channels' is '2'/],
    [{ messageMs: 0 }, /'messageMs' is 0/],
    [{ processing: 'no' }, /'processing' is 'no'; allowed: true, false/],
    [{ workletUrl: 1 }, /'workletUrl' is 1/],
    ['x', /the options are 'x'; allowed: an object/],
    [null, /the options are null/],
  ]) {
    await assert.rejects(Microphone.open(options), { name: 'TypeError', message });
  }
  // There is no microphone in Node, so these get as far as that.
  for (const options of [undefined, {}, { deviceId: '', channels: 8, sampleRate: undefined, messageMs: 40, processing: true }]) {
    await assert.rejects(Microphone.open(options), { name: 'StreamerError', code: 'insecure_page' });
  }
});

test('after a lost connection time goes on, and lost audio is reported', async () => {
  const { client, proxy, of } = await through('simple');
  await client.start(MONO);
  client.send(SECOND);
  await until(client, 'segment', (event) => event.end_time === 1);
  proxy.cut();
  await state(client, 'reconnecting');
  assert.equal(client.send(SECOND), false);
  await state(client, 'streaming');
  client.send(SECOND);
  const { audio_seconds } = await client.stop();
  assert.equal(audio_seconds, 1);
  assert.deepEqual(of('lost'), [{ type: 'lost', start_time: 1, end_time: 2, reason: 'disconnected' }]);
  assert.deepEqual(of('segment').map((one) => one.end_time), [0.25, 0.5, 0.75, 1, 2.25, 2.5, 2.75, 3]);
  assert.equal(of('started').length, 2);
});

test('words have the times of their segment after a lost connection, too', async () => {
  const { client, proxy, of } = await through('segmented', { words: true }, TRANSCRIBER_URL);
  const { words } = await client.start(MONO);
  assert.equal(words, true);
  const audio = speech();
  client.send(audio);
  await until(client, 'segment');
  proxy.cut();
  await state(client, 'reconnecting');
  await state(client, 'streaming');
  client.send(audio);
  await client.stop();
  const late = of('segment').at(-1);
  assert.ok(late.start_time > audio.length / 32_000);
  assert.ok(late.words.length > 0);
  for (const { text, start_time, end_time, confidence } of late.words) {
    assert.equal(typeof text, 'string');
    assert.ok(late.start_time <= start_time && start_time <= end_time && end_time <= late.end_time + 1e-6);
    assert.ok(confidence >= 0 && confidence <= 1);
  }
});

test('pauses between attempts grow, and the client gives up after the last attempt', async () => {
  const { client, proxy, of } = await through('simple', { reconnect: { initialMs: 10, maxMs: 40, attempts: 5 } });
  await client.start(MONO);
  client.send(SECOND);
  proxy.close();
  const error = await until(client, 'error');
  assert.equal(error.code, 'connection_failed');
  const waits = of('connection').filter(({ state }) => state === 'reconnecting');
  assert.deepEqual(waits.map(({ attempt }) => attempt), [1, 2, 3, 4, 5]);
  waits.forEach(({ delay_seconds }, index) => {
    const most = Math.min(0.04, 0.01 * 2 ** index);
    assert.ok(delay_seconds >= most / 2 && delay_seconds <= most);
  });
  assert.equal(of('lost').at(-1).end_time, 1);
  assert.equal(client.state, 'idle');
});

test('a server that accepts streams and soon ends them receives attempts with growing delays', async () => {
  const server = new WebSocketServer({ port: 0 });
  open.push(server);
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (!isBinary) socket.send(JSON.stringify({ type: 'started' }));
      const message = 'too much to do';
      socket.send(JSON.stringify({ type: 'error', code: 'overloaded', message, fatal: true }));
      socket.close(1013);
    });
  });
  const url = `ws://127.0.0.1:${server.address().port}/`;
  const { client, of } = connect(url, { reconnect: { initialMs: 2, maxMs: 1000, attempts: 5 } });
  const over = until(client, 'connection', ({ state }) => state === 'idle');
  await client.start(MONO);
  await over;
  const waits = of('connection').filter(({ state }) => state === 'reconnecting');
  assert.deepEqual(waits.map(({ attempt }) => attempt), [1, 2, 3, 4, 5]);
  assert.ok(waits[4].delay_seconds >= 0.016);
  assert.equal(of('error').at(-1).code, 'overloaded');
});

test('the client waits for a restarting server, and audio that was answered is not lost', async () => {
  const server = new WebSocketServer({ port: 0 });
  open.push(server);
  let times = 0;
  server.on('connection', (socket) => {
    times += 1;
    const send = (fields) => socket.send(JSON.stringify(fields));
    const second = times > 1;
    socket.on('message', (data, isBinary) => {
      if (!isBinary && JSON.parse(data).request === 'start') send({ type: 'started' });
      if (!isBinary || second) return;
      send({ type: 'going_away', message: 'restarting', deadline_seconds: 1 });
      send({ type: 'stopped', audio_seconds: 0.75 });
      socket.close(1012);
    });
  });
  const url = `ws://127.0.0.1:${server.address().port}/`;
  const { client, of } = connect(url, { reconnect: QUICK });
  await client.start(MONO);
  client.send(SECOND);
  const lost = await until(client, 'lost');
  assert.deepEqual([lost.start_time, lost.end_time, lost.reason], [0.75, 1, 'disconnected']);
  assert.equal(of('going_away').length, 1);
  assert.equal(of('error').length, 0);
  server.clients.forEach((socket) => socket.terminate());
});

test('a token that cannot be fetched is requested again, unless it is refused', async () => {
  let requests = 0;
  const token = async () => {
    requests += 1;
    if (requests === 1) return 'ticket';
    if (requests < 4) throw new TypeError('fetch failed');
    throw new StreamerError('unauthorized', 'please log in again');
  };
  const { client, proxy, of } = await through('simple', { token });
  await client.start(MONO);
  proxy.cut();
  const error = await until(client, 'error');
  assert.deepEqual([error.code, error.message, requests], ['unauthorized', 'please log in again', 4]);
  const fresh = connect('ws://127.0.0.1:9/', { token: () => Promise.reject(new Error('no network')) });
  await assert.rejects(fresh.client.start(MONO), { code: 'connection_failed', message: /no network/ });
  assert.equal(of('connection').at(-1).state, 'idle');
});

test('stop while there is no connection ends the attempts', async () => {
  const { client, proxy, of } = await through('simple', { reconnect: { initialMs: 60_000 } });
  await client.start(MONO);
  client.send(SECOND);
  await until(client, 'segment', (event) => event.end_time === 1);
  proxy.cut();
  await state(client, 'reconnecting');
  client.send(SECOND);
  await assert.rejects(client.stop(), { code: 'connection_lost' });
  assert.deepEqual(of('lost').map((one) => [one.start_time, one.end_time]), [[1, 2]]);
});

test('a connection lost while stopping is an error of stop', async () => {
  const { client, proxy, of } = await through('simple');
  await client.start(MONO);
  proxy.hold();
  client.send(SECOND);
  const stopped = client.stop();
  proxy.cut();
  await assert.rejects(stopped, { code: 'connection_lost' });
  assert.deepEqual(of('lost').map((one) => [one.start_time, one.end_time]), [[0, 1]]);
  assert.equal(proxy.connections, 1);
});

test('without reconnecting, a lost connection is the end', async () => {
  const { client, proxy, of } = await through('simple', { reconnect: false });
  await client.start(MONO);
  proxy.cut();
  await until(client, 'error');
  assert.equal(client.state, 'idle');
  const ended = { code: 'not_started', message: /: it has ended, or was not started; then the state is idle/ };
  await assert.rejects(client.ready(), ended);
  await assert.rejects(client.stop(), ended);
  await assert.rejects(client.flush(), ended);
  assert.throws(() => client.send(SECOND), ended);
  assert.throws(() => client.configure({}), ended);
  assert.equal(of('started').length, 1);
});

test('what there is no stream for is said with the reason', async () => {
  const { client } = simple();
  const starting = client.start(MONO);
  await assert.rejects(client.stop(), { code: 'not_started', message: /stop: start\(\) has not resolved yet; close\(\) gives up/ });
  await starting;
  const stopping = client.stop();
  assert.throws(() => client.send(SECOND), { code: 'not_started', message: /send audio to: stop\(\) was called/ });
  await stopping;
  client.close();
  assert.throws(() => client.send(SECOND), { code: 'not_started', message: /close\(\) was called/ });
});

test('audio that outruns the network is not piled up, and times stay right', async () => {
  const { client, proxy, of } = await through('simple', { maxBufferedSeconds: 5 });
  await client.start(MONO);
  proxy.hold();
  let sent = 0;
  while (client.send(SECOND)) {
    sent += 1;
    assert.ok(sent < 10_000, 'the socket takes everything');
    if (sent % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(client.bufferedSeconds < 7);
  client.send(SECOND);
  proxy.release();
  await client.ready();
  client.send(SECOND);
  const { audio_seconds } = await client.stop();
  assert.equal(audio_seconds, 1);
  const lost = { type: 'lost', start_time: sent, end_time: sent + 2, reason: 'outrun' };
  assert.deepEqual(of('lost'), [lost]);
  assert.equal(of('stopped')[0].audio_seconds, sent);
  assert.equal(of('segment').at(-1).end_time, sent + 3);
});

test('speech whose result was pending is lost from its beginning on', async () => {
  const { client, proxy, of } = await through('segmented');
  const [audio, active] = [speech(), until(client, 'active')];
  await client.start(MONO);
  for (let at = 0; client.state === 'streaming'; at += 640) {
    client.send(audio.subarray(at, at + 640));
    if (of('active').length > 0) break;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { time } = await active;
  proxy.cut();
  const lost = await until(client, 'lost');
  assert.equal(lost.start_time, time);
  assert.equal(lost.end_time, client.position);
});

test('close ends the iterator and whatever waits', async () => {
  const { client } = simple();
  const events = client.events();
  await client.start(MONO);
  const stopped = client.stop();
  client.close();
  await assert.rejects(stopped, { code: 'closed' });
  const kinds = [];
  for await (const event of events) kinds.push(event.state ?? event.type);
  assert.equal(kinds.at(-1), 'closed');
  await assert.rejects(client.start(MONO), { code: 'closed' });
});

test('a token travels in start, and no subprotocol is offered', async () => {
  const server = new WebSocketServer({ port: 0 });
  open.push(server);
  const seen = [];
  server.on('connection', (socket, request) => {
    socket.on('message', (data) => {
      seen.push([request.headers['sec-websocket-protocol'], JSON.parse(data).token]);
      socket.send(JSON.stringify({ type: 'started' }));
    });
  });
  const url = `ws://127.0.0.1:${server.address().port}/`;
  await connect(url, { token: 'T0ken.x' }).client.start(MONO);
  await connect(url, { token: async () => 'a/b=' }).client.start(MONO);
  assert.deepEqual(seen, [[undefined, 'T0ken.x'], [undefined, 'a/b=']]);
  server.clients.forEach((socket) => socket.terminate());
});

const AUTO = { encoding: 'auto', channels: 1 };

/** Ten seconds as a `MediaRecorder` gives them: a hundred messages. */
function recorded() {
  const bytes = readFileSync(CONTAINER);
  const size = Math.ceil(bytes.length / 100);
  return Array.from({ length: 100 }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
}

test('the bytes of a container are decoded by the server', async () => {
  const { client, of } = connect(`${STANDIN_URL}/api/v1/segmented`);
  await client.start(AUTO);
  for (const bytes of recorded()) {
    await client.ready();
    assert.equal(client.send(bytes, 0.1), true);
  }
  assert.ok(Math.abs(client.position - 10) < 1e-9);
  const stopped = await client.stop();
  assert.ok(Math.abs(stopped.audio_seconds - 10) < 0.2);
  assert.equal(of('segment').length, 6);
  assert.deepEqual(of('warning').concat(of('error')), []);
});

test('after a reconnection, audio is sent from the next beginning of a container on', async () => {
  const { proxy, client, of } = await through('segmented');
  await client.start(AUTO);
  const messages = recorded();
  for (const bytes of messages.slice(0, 50)) client.send(bytes, 0.1);
  await until(client, 'segment');
  const needed = until(client, 'container_needed');
  proxy.cut();
  await needed;
  for (const bytes of messages.slice(50)) assert.equal(client.send(bytes, 0.1), false, 'no beginning');
  for (const bytes of messages) assert.equal(client.send(bytes, 0.1), true);
  const stopped = await client.stop();
  assert.ok(Math.abs(stopped.audio_seconds - 10) < 0.2);
  assert.equal(of('container_needed').length, 1);
  assert.ok(Math.abs(of('lost').at(-1).end_time - 10) < 1e-6);
  const again = of('segment').filter(({ start_time }) => start_time >= 9.9);
  assert.equal(again.length, 6, 'their times go on behind what was lost');
  assert.deepEqual(of('error'), []);
});

test('a stream that cannot be decoded ends, and the socket serves the next one', async () => {
  const { client, of } = connect(`${STANDIN_URL}/api/v1/segmented`);
  await client.start(AUTO);
  client.send(SECOND, 1);
  await state(client, 'idle');
  assert.equal(of('error').at(-1).code, 'bad_audio');
  assert.throws(() => client.send(SECOND, 1), { code: 'not_started' });
  await client.start(MONO);
  client.send(SECOND);
  assert.equal((await client.stop()).audio_seconds, 1);
});

test('samples are no container', async () => {
  const { client } = connect(`${STANDIN_URL}/api/v1/segmented`);
  await client.start(AUTO);
  assert.throws(() => client.send(new Float32Array(100), 1), { code: 'bad_audio', message: /container/ });
  await client.stop();
});
