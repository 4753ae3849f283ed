/** What the client waits for, and how each wait ends. The times are options, as short as they can be. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, mock, test } from 'node:test';
import { WebSocket } from 'ws';

import { StreamerClient } from '../../../streamer/web/streamer-client/streamer-client.js';
import { fakeWebSocket } from './fake-socket.js';
import { browser, fakeMicrophone, tracks } from './fake-microphone.js';
import { answerAll, serve } from './silent-server.js';

const MONO = { sample_rate: 16_000 };
const RIGHT = '/api/v1/segmented';

const open = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

async function connect(answer, options = {}, path = RIGHT) {
  const server = await serve(answer);
  const client = new StreamerClient(`${server.origin}${path}`, { WebSocket, reconnect: false, ...options });
  open.push(client, server);
  const told = [];
  client.onEvent((event) => told.push(event.state ?? event.type));
  return { client, server, told };
}

/** Everything that has been begun and waits for no timer. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A client whose socket and timers are those of the test. */
function connectHere(answer, options = {}, path = RIGHT) {
  mock.timers.enable({ apis: ['setTimeout'] });
  open.push({ close: () => mock.timers.reset() });
  const url = `ws://127.0.0.1:1${path}`;
  const client = new StreamerClient(url, { WebSocket: fakeWebSocket(answer), reconnect: false, ...options });
  open.unshift(client);
  const told = [];
  client.onEvent((event) => told.push(event.state ?? event.type));
  return { client, told };
}

/** Whether the promise is settled after this time, but not before. */
async function endsAfter(promise, ms) {
  let isSettled = false;
  promise.catch(() => {}).then(() => (isSettled = true));
  await settle();
  mock.timers.tick(ms - 1);
  await settle();
  assert.equal(isSettled, false);
  mock.timers.tick(1);
  await settle();
  assert.equal(isSettled, true);
}

test('a server that accepts and stays silent is given up, after a warning', async () => {
  for (const [options, warnMs, startMs] of [
    [{}, 10_000, 120_000],
    [{ connectTimeoutMs: 300, startTimeoutMs: 800 }, 300, 800],
  ]) {
    const { client, told } = connectHere(() => {}, options);
    const warned = new Promise((resolve) => client.on('warning', resolve));
    const started = client.start(MONO);
    await endsAfter(warned, warnMs);
    const { code, message } = await warned;
    assert.equal(code, 'no_answer');
    const silence = (ms) =>
      `the server at ${client.url} has accepted the connection, and answered nothing for ${ms / 1000} s: ` +
      'it is not Streamer, or a proxy that does not pass this path on, or it still loads its model';
    assert.equal(message, `${silence(warnMs)}; this waits until ${startMs / 1000} s`);
    await endsAfter(started, startMs - warnMs);
    await assert.rejects(started, { name: 'StreamerError', code: 'connection_failed', message: silence(startMs) });
    assert.deepEqual(told, ['connecting', 'warning', 'idle']);
    mock.timers.reset();
  }
});

test('at a path without a stream, no model is being loaded', async () => {
  const { client, told } = connectHere(() => {}, {}, '/v1/listen');
  const started = client.start(MONO);
  await endsAfter(started, 10_000);
  await assert.rejects(started, {
    code: 'connection_failed',
    message: /for 10 s: there is no stream at this path \(use \/api\/v1\/segmented or \/api\/v1\/simple\), or it is not Streamer$/,
  });
  assert.deepEqual(told, ['connecting', 'idle']);
});

test('a server that answers late is waited for', async () => {
  let answerNow;
  const { client, told } = connectHere((...given) => {
    if (given[0] === 'start') answerNow = () => answerAll(...given);
    else answerAll(...given);
  });
  const started = client.start(MONO);
  await settle();
  mock.timers.tick(119_999);
  answerNow();
  await started;
  mock.timers.tick(1_000_000);
  await client.stop();
  assert.deepEqual(told, ['connecting', 'warning', 'started', 'streaming', 'stopping', 'stopped', 'idle']);
});

test('after a silent server was given up, the next start has a connection of its own', async () => {
  let isSilent = true;
  const { client } = connectHere((...given) => isSilent || answerAll(...given));
  const started = client.start(MONO);
  await endsAfter(started, 120_000);
  isSilent = false;
  await client.start(MONO);
  await client.stop();
});

test('a server that falls silent while the client reconnects is tried again', async () => {
  let starts = 0;
  const answer = (request, socket) => {
    if (request === 'start') starts += 1;
    if (starts !== 2) answerAll(request, socket);
    if (request === undefined) socket.close();
  };
  const { client } = connectHere(answer, { reconnect: { initialMs: 10, maxMs: 10 } });
  await client.start(MONO);
  client.send(new Uint8Array(320));
  for (const ms of [10, 120_000, 10]) {
    await settle();
    mock.timers.tick(ms);
  }
  await settle();
  assert.deepEqual([starts, client.state], [3, 'streaming']);
});

test('stop ends when the server sends nothing any more', async () => {
  let server;
  const { client, told } = connectHere((request, socket) => {
    if (request === 'stop') server = socket;
    else answerAll(request, socket);
  });
  await client.start(MONO);
  client.send(new Uint8Array(32_000));
  const flushed = client.flush();
  const stopped = client.stop();
  for (let n = 0; n < 3; n += 1) {
    await settle();
    mock.timers.tick(299_999);
    server.send('{"type": "interim"}');
  }
  await endsAfter(stopped, 300_000);
  await assert.rejects(stopped, { code: 'connection_lost', message: /has sent nothing for 300 s, and not ended the stream$/ });
  await assert.rejects(flushed, { code: 'connection_lost' });
  assert.deepEqual(told.slice(-2), ['error', 'idle']);
});

test('an answer in another language than the protocol is said at once', async () => {
  for (const answer of ['hello', '{"request": "start"}', '7', 'null', '[]']) {
    const { client, told } = await connect((request, socket) => socket.send(answer));
    await assert.rejects(client.start(MONO), {
      code: 'connection_failed',
      message: `the server at ${client.url} is not Streamer: its answer is ${JSON.stringify(answer)}`,
    });
    assert.deepEqual(told, ['connecting', 'idle']);
  }
});

test('in a stream, such an answer changes nothing', async () => {
  const { client } = await connect((request, socket) => {
    if (request === 'stop') socket.send('hello');
    answerAll(request, socket);
  });
  await client.start(MONO);
  await client.stop();
});

test('a connection that ends before an answer says of what it may come', async () => {
  for (const [path, message] of [
    ['/v1/listen', /^the connection was lost \(code 1011\) before the server at .*\/v1\/listen had begun the stream: there is no stream at this path/],
    [RIGHT, /had begun the stream: it is not Streamer, or a proxy/],
  ]) {
    const { client } = await connect((request, socket) => socket.close(1011), {}, path);
    await assert.rejects(client.start(MONO), { code: 'connection_lost', message });
  }
});

test('close ends the wait for a token, a connection and an answer', async () => {
  class Unopened {
    readyState = 0;
    addEventListener() {}
    close() {}
  }
  for (const options of [{ token: () => new Promise(() => {}) }, { WebSocket: Unopened }, {}]) {
    const { client } = await connect(() => {}, options);
    const started = client.start(MONO);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await assert.rejects(client.stop(), { code: 'not_started', message: /start\(\) has not resolved yet; close\(\) gives up, and ends the client$/ });
    client.close();
    await assert.rejects(started, { code: 'closed' });
  }
});

test('an HTTP answer instead of a WebSocket names who may give it', async () => {
  const server = createServer((request, response) => response.writeHead(404).end());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  for (const [path, message] of [
    [RIGHT, /: the answer is HTTP 404: the server is not Streamer, or a proxy that does not pass this path on$/],
    ['/live', /: the answer is HTTP 404: there is no stream at this path \(use \/api/],
    [`${RIGHT}${RIGHT}`, /HTTP 404: there is no stream at this path, which has \/api\/v1\/ twice \(use .* once\)$/],
  ]) {
    const client = new StreamerClient(`http://127.0.0.1:${server.address().port}${path}`, { WebSocket });
    await assert.rejects(client.start(MONO), { code: 'connection_failed', message });
  }
});

test('a browser that does not begin with the audio, or loads no worklet, is not waited for', async () => {
  const { addModule, resume } = browser;
  for (const [name, code] of [['addModule', 'worklet_failed'], ['resume', 'audio_blocked']]) {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const asked = new Promise((resolve) => {
        browser[name] = () => (resolve(), new Promise(() => {}));
      });
      const opened = fakeMicrophone();
      await asked;
      await Promise.resolve();
      mock.timers.tick(10_000);
      await assert.rejects(opened, { name: 'StreamerError', code });
      assert.equal(tracks.at(-1).isStopped, true);
    } finally {
      mock.timers.reset();
      Object.assign(browser, { addModule, resume });
    }
  }
});

test('a token that is refused names the option', async () => {
  const error = { type: 'error', code: 'unauthorized', message: 'a token is needed', fatal: true };
  const { client } = await connect((request, socket) => {
    socket.send(JSON.stringify(error));
    socket.close(1008);
  });
  const told = new Promise((resolve) => client.on('error', resolve));
  const message = "a token is needed (with this client: in the option 'token')";
  await assert.rejects(client.start(MONO), { code: 'unauthorized', message });
  assert.equal((await told).message, message);
});
