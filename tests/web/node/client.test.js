/** The client's protocol part against real servers; `tests/web/test_node.py` starts them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';

import { StreamerClient, StreamerError } from '../../../streamer/web/streamer-client/streamer-client.js';
import { Proxy } from './proxy.js';

const { TRANSCRIBER_URL, STANDIN_URL, RECORDING } = process.env;
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
  const { client } = simple();
  await assert.rejects(client.start({ sample_rate: 7 }), { code: 'bad_format', message: /sample_rate/ });
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
  await assert.rejects(client.ready(), { code: 'not_started' });
  assert.equal(of('started').length, 1);
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
