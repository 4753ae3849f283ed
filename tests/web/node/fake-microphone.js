/** The interfaces of a browser for the microphone, as far as the client uses them. */

import { Microphone } from '../../../streamer/web/streamer-client/streamer-client.js';

/** Resolves at once; a test replaces what is not to. */
export const browser = {
  addModule: async () => {},
  resume: async () => {},
};

class FakeContext {
  sampleRate = 48_000;
  audioWorklet = { addModule: () => browser.addModule() };
  createMediaStreamSource = () => ({ connect() {} });
  resume = () => browser.resume();
  close = async () => {};
}

/** A `MediaRecorder`; the last one is kept. */
export class FakeRecorder {
  state = 'inactive';
  static last;
  static isTypeSupported = () => true;

  constructor() {
    FakeRecorder.last = this;
  }

  start() {
    this.state = 'recording';
  }

  stop() {
    this.state = 'inactive';
    queueMicrotask(() => this.onstop());
  }
}

/** The tracks that were opened: whether they were stopped. */
export const tracks = [];

/**
 * @returns {Promise<{microphone: Microphone, give: (pcm: unknown) => void, unplug: () => void}>} `give`:
 *   the microphone has captured this.
 */
export async function fakeMicrophone() {
  const port = { postMessage() {} };
  let unplug = () => {};
  const track = {
    label: 'fake',
    isStopped: false,
    stop: () => (track.isStopped = true),
    getSettings: () => ({}),
    addEventListener: (type, listener) => (unplug = listener),
  };
  tracks.push(track);
  const media = { getAudioTracks: () => [track], getTracks: () => [track] };
  Object.defineProperty(globalThis, 'navigator', {
    value: { mediaDevices: { getUserMedia: async () => media } },
    configurable: true,
    writable: true,
  });
  globalThis.AudioContext = FakeContext;
  globalThis.AudioWorkletNode = class {
    port = port;
  };
  globalThis.MediaRecorder = FakeRecorder;
  const microphone = await Microphone.open();
  return { microphone, give: (data) => port.onmessage({ data }), unplug: () => unplug() };
}
