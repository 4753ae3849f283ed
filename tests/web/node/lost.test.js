/** The order of the events `lost` and `connection`, against a server of a few lines. */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';

import { StreamerClient } from '../../../streamer/web/streamer-client/streamer-client.js';

const MONO = { sample_rate: 16_000 };
const SECOND = new Uint8Array(32_000);
const QUICK = { initialMs: 1, maxMs: 2 };

const open = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

/** A server that answers `start` and `stop`, and the sockets that are open. */
async function serve() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)));
    socket.on('message', (data, isBinary) => {
      const { request } = isBinary ? {} : JSON.parse(data);
      if (request === 'start') socket.send('{"type": "started", "max_message_bytes": 262144}');
      if (request === 'stop') socket.send('{"type": "stopped", "audio_seconds": 0, "segments": 0}');
    });
  });
  const cut = () => [...sockets].forEach((socket) => socket.terminate());
  open.push({ close: () => (cut(), server.close()) });
  await new Promise((resolve) => server.once('listening', resolve));
  return { cut, url: `ws://127.0.0.1:${server.address().port}/api/v1/simple` };
}

/** A client, and what it tells: the states, and the types of the other events. */
async function connect(options) {
  const { cut, url } = await serve();
  const client = new StreamerClient(url, { WebSocket, reconnect: QUICK, ...options });
  open.unshift(client);
  const told = [];
  const lost = [];
  client.onEvent((event) => told.push(event.state ?? event.type));
  client.on('lost', ({ start_time, end_time, reason }) => lost.push([start_time, end_time, reason]));
  return { client, cut, told, lost };
}

const until = (client, wanted) =>
  new Promise((resolve) => {
    const off = client.on('connection', ({ state }) => state === wanted && (off(), resolve()));
  });

test('lost audio is told after the connection is back', async () => {
  const { client, cut, told, lost } = await connect();
  await client.start(MONO);
  const reconnecting = until(client, 'reconnecting');
  cut();
  await reconnecting;
  client.send(SECOND);
  await until(client, 'streaming');
  await client.stop();
  const first = ['connecting', 'started', 'streaming'];
  assert.deepEqual(told, [
    ...first, 'reconnecting', 'started', 'streaming', 'lost', 'stopping', 'stopped', 'idle',
  ]);
  assert.deepEqual(lost, [[0, 1, 'disconnected']]);
});

test('lost audio is told before the end, if the connection does not come back', async () => {
  const { client, cut, told, lost } = await connect({ reconnect: false });
  await client.start(MONO);
  client.send(SECOND);
  const idle = until(client, 'idle');
  cut();
  await idle;
  assert.deepEqual(told, ['connecting', 'started', 'streaming', 'lost', 'error', 'idle']);
  assert.deepEqual(lost, [[0, 1, 'disconnected']]);
});

test('whoever reads the events in a loop gets the error that ends them', async () => {
  const { client, cut } = await connect({ reconnect: { ...QUICK, attempts: 1 } });
  const events = client.events();
  await client.start(MONO);
  open.pop().close();
  cut();
  const types = [];
  for await (const event of events) types.push(event.state ?? event.type);
  assert.deepEqual(types.slice(-3), ['reconnecting', 'error', 'idle']);
});

test('a listener of the error may begin another stream at once', async () => {
  const { client, cut, told } = await connect({ reconnect: false });
  await client.start(MONO);
  let again;
  client.onEvent(({ type }) => type === 'error' && (again = client.start(MONO)));
  const connecting = until(client, 'connecting');
  cut();
  await connecting;
  await again;
  await client.stop();
  const stream = ['connecting', 'started', 'streaming'];
  assert.deepEqual(told, [...stream, 'error', ...stream, 'stopping', 'stopped', 'idle']);
});

test('a listener of the loss or of the error may close the client, and nothing is told twice', async () => {
  for (const [closing, expected] of [['lost', ['lost', 'closed']], ['error', ['lost', 'error', 'closed']]]) {
    const { client, cut, told, lost } = await connect({ reconnect: false });
    await client.start(MONO);
    client.send(SECOND);
    client.onEvent(({ type }) => type === closing && client.close());
    const closed = until(client, 'closed');
    cut();
    await closed;
    assert.deepEqual(told.filter((event) => event !== 'idle').slice(3, 3 + expected.length), expected);
    assert.deepEqual(lost, [[0, 1, 'disconnected']]);
  }
});

/** A network that takes nothing for a while. */
class Slow extends WebSocket {
  static isFull = false;

  get bufferedAmount() {
    return Slow.isFull ? 1e9 : super.bufferedAmount;
  }
}

test('a listener of the loss may stop the stream, when it is stopped or when audio is sent again', async () => {
  for (const goOn of [(client) => client.stop(), (client) => client.send(SECOND)]) {
    const { client, told, lost } = await connect({ WebSocket: Slow });
    await client.start(MONO);
    Slow.isFull = true;
    assert.equal(client.send(SECOND), false);
    Slow.isFull = false;
    client.on('lost', () => client.stop().catch(() => {}));
    const idle = until(client, 'idle');
    await goOn(client);
    await idle;
    assert.deepEqual(lost, [[0, 1, 'outrun']]);
    assert.deepEqual(told.filter((event) => event === 'stopping' || event === 'stopped'), ['stopping', 'stopped']);
  }
});

test('audio that is sent before there is a connection is lost, and told so', async () => {
  const { client, told, lost } = await connect();
  const started = client.start(MONO);
  assert.equal(client.send(SECOND), false);
  await started;
  client.send(SECOND);
  await client.stop();
  assert.deepEqual(told, ['connecting', 'started', 'streaming', 'lost', 'stopping', 'stopped', 'idle']);
  assert.deepEqual(lost, [[0, 1, 'disconnected']]);
});

test('audio that is sent before a connection that does not come is lost, and told so', async () => {
  const { client, cut, told, lost } = await connect();
  const url = client.url;
  cut();
  open.pop().close();
  assert.equal(client.url, url);
  const started = client.start(MONO);
  client.send(SECOND);
  await assert.rejects(started, { code: 'connection_failed' });
  assert.deepEqual(told, ['connecting', 'lost', 'idle']);
  assert.deepEqual(lost, [[0, 1, 'disconnected']]);
});

test('of a stream that is replaced at once, nothing is lost', async () => {
  const { client, lost } = await connect();
  await client.start(MONO);
  client.send(SECOND);
  await client.start(MONO);
  client.send(SECOND);
  await client.stop();
  assert.deepEqual(lost, []);
});

test('a wait for room ends with the stream, whatever ends it', async () => {
  for (const end of [(client) => client.close(), (client) => client.stop().catch(() => {})]) {
    const { client, cut } = await connect({ reconnect: { initialMs: 60_000, maxMs: 60_000 } });
    await client.start(MONO);
    const reconnecting = until(client, 'reconnecting');
    cut();
    await reconnecting;
    const room = client.ready();
    end(client);
    await assert.rejects(room, { code: 'not_started' });
  }
});
