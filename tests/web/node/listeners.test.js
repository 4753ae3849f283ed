/** Listeners and functions of a program that throw, or that are none. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { WebSocket } from 'ws';

import { ContainerRecorder, StreamerClient } from '../../../streamer/web/streamer-client/streamer-client.js';
import { answerAll, serve } from './silent-server.js';
import { fakeMicrophone, FakeRecorder } from './fake-microphone.js';

const MONO = { sample_rate: 16_000 };
const SECOND = new Uint8Array(32_000);
const FLOW = ['connecting', 'started', 'streaming', 'active', 'segment', 'stopping', 'stopped', 'idle'];

const open = [];
let reported = [];
beforeEach(() => {
  reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
});
afterEach(() => {
  open.splice(0).forEach((one) => one.close());
  delete globalThis.reportError;
});

async function connect(options) {
  const server = await serve(answerAll);
  const client = new StreamerClient(`${server.origin}/api/v1/segmented`, { WebSocket, reconnect: false, ...options });
  open.push(client, server);
  return client;
}

const fail = () => {
  throw new Error('of a listener');
};

/** A whole stream; returns what a listener of all events was told. */
async function run(client) {
  const told = [];
  client.onEvent((event) => told.push(event.state ?? event.type));
  await client.start(MONO);
  const segment = new Promise((resolve) => client.on('segment', resolve));
  client.send(SECOND);
  await segment;
  await client.stop();
  return told;
}

for (const type of ['started', 'stopped', 'connection', 'segment', 'active']) {
  test(`a listener of '${type}' that throws is reported, and changes nothing else`, async () => {
    const client = await connect();
    client.on(type, fail);
    assert.deepEqual(await run(client), FLOW);
    const times = FLOW.filter((told) => told === type).length || 4;
    assert.deepEqual(reported, Array(times).fill('of a listener'));
  });
}

test('so is a listener of all events, or of all messages', async () => {
  const client = await connect();
  client.onEvent(fail);
  client.onMessage(fail);
  assert.deepEqual(await run(client), FLOW);
  assert.equal(reported.length, FLOW.length + 4);
});

test('without reportError, the error is one that nobody has caught', async () => {
  delete globalThis.reportError;
  const client = await connect();
  client.on('started', fail);
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
  try {
    assert.deepEqual(await run(client), FLOW);
    assert.equal((await uncaught).message, 'of a listener');
  } finally {
    before.forEach((listener) => process.on('uncaughtException', listener));
  }
});

test('the events in a loop come although a listener throws', async () => {
  const client = await connect();
  client.on('segment', fail);
  const events = client.events();
  await run(client);
  const told = [];
  for await (const event of events) told.push(event.state ?? event.type);
  assert.deepEqual(told, FLOW);
});

test('a traceparent that cannot be had is reported, and the stream goes without', async () => {
  const client = await connect({ traceparent: fail });
  assert.deepEqual(await run(client), FLOW);
  assert.deepEqual(reported, ['of a listener']);
});

test('the listeners of a microphone and of a recorder are no different', async () => {
  const { microphone, give, unplug } = await fakeMicrophone();
  const heard = [];
  microphone.onAudio(fail);
  microphone.onAudio((pcm) => heard.push(pcm));
  microphone.onEnded(fail);
  microphone.onEnded(({ code }) => heard.push(code));
  give('audio');
  unplug();
  assert.deepEqual(heard, ['audio', 'microphone_unplugged']);
  const recorder = new ContainerRecorder(microphone.media);
  const bytes = [];
  recorder.onAudio(fail);
  recorder.onAudio(({ byteLength }) => bytes.push(byteLength));
  recorder.start();
  FakeRecorder.last.ondataavailable({ data: new Blob(['abc']) });
  FakeRecorder.last.ondataavailable({ data: new Blob(['de']) });
  await recorder.stop();
  assert.deepEqual(bytes, [3, 2]);
  assert.deepEqual(reported, Array(4).fill('of a listener'));
});

test('what is no function is no listener', async () => {
  const client = await connect();
  const { microphone } = await fakeMicrophone();
  const recorder = new ContainerRecorder(microphone.media);
  for (const add of [
    (listener) => client.on('started', listener),
    (listener) => client.onEvent(listener),
    (listener) => client.onMessage(listener),
    (listener) => microphone.onAudio(listener),
    (listener) => microphone.onEnded(listener),
    (listener) => recorder.onAudio(listener),
  ]) {
    assert.throws(() => add(), { name: 'TypeError', message: 'the listener is undefined; allowed: a function' });
    assert.throws(() => add('f'), { name: 'TypeError', message: "the listener is 'f'; allowed: a function" });
  }
});
