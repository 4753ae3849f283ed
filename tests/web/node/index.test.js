/** The index of the client: what it exports, and the modules that it reaches. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import * as index from '../../../streamer/web/streamer-client/streamer-client.js';
import { modulesIn, modulesReached } from './modules.js';

const FOLDER = new URL('../../../streamer/web/streamer-client/', import.meta.url);
const INDEX = 'streamer-client.js';

const CLASSES = ['ContainerRecorder', 'Microphone', 'StreamerClient', 'StreamerError'];
const TYPES = [
  'Active', 'AudioFormat', 'Backoff', 'ChannelSeconds', 'ClientEvent', 'ClientOptions', 'Configured',
  'Connection', 'ContainerFormat', 'ContainerNeeded', 'EventOf', 'Failed', 'Flushed',
  'GoingAway', 'Inactive', 'Interim', 'Lost', 'MicrophoneOptions', 'Resumed', 'Segment',
  'Started', 'State', 'Stopped', 'StreamSettings', 'VadOptions', 'Warned', 'WebSocketConstructor', 'Word',
];

const read = (name) => readFileSync(new URL(name, FOLDER), 'utf8');

test('the index exports the public names, and no others', () => {
  assert.deepEqual(Object.keys(index).sort(), CLASSES);
});

test('the declarations hold the public names, and no others', () => {
  const declared = [...read('streamer-client.d.ts').matchAll(/^export (class|type) (\w+)/gm)];
  const named = (kind) => declared.filter((one) => one[1] === kind).map(([, , name]) => name).sort();
  assert.deepEqual(named('class'), CLASSES);
  assert.deepEqual(named('type'), TYPES);
});

test('the index holds nothing but exports from the modules beside it', () => {
  const code = read(INDEX).replace(/\/\*\*.*?\*\//gs, '');
  const lines = code.split('\n').filter((line) => line !== '');
  assert.ok(lines.length > 0);
  for (const line of lines) assert.match(line, /^export (\*|\{ \w+ \}) from '\.\/[a-z-]+\.js';$/);
});

test('the index reaches every module of the client, and nothing outside its folder', () => {
  assert.deepEqual(modulesReached(new URL(INDEX, FOLDER)), modulesIn(FOLDER));
});
