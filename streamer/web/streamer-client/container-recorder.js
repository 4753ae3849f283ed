/** A `MediaRecorder` as a source for `{encoding: 'auto'}`: about a tenth of the bytes of PCM. */

import { StreamerError } from './errors.js';
import { EventListeners } from './event-listeners.js';

/** Containers that the server decodes as they come, in the order of preference. */
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4;codecs=mp4a.40.2', 'audio/mp4'];

/**
 * Records a microphone, or another stream of a browser, in a container.
 *
 *     const recorder = new ContainerRecorder(microphone.media);
 *     await client.start(recorder.format);
 *     client.on('container_needed', () => recorder.restart());
 *     recorder.onAudio((bytes, seconds) => client.send(bytes, seconds));
 *     recorder.start();
 */
export class ContainerRecorder {
  #media;
  #options;
  #messageMs;
  /** @type {MediaRecorder | null} */ #recorder = null;
  #listeners = new EventListeners();
  /** Settled when all bytes so far were passed on, in order. */ #passedOn = Promise.resolve();

  /** Whether the browser can record in a container that the server decodes. */
  static get isSupported() {
    return supportedType() !== undefined;
  }

  /**
   * @param {MediaStream} media
   * @param {{bitsPerSecond?: number, messageMs?: number}} [options] Bits of a second, 32000 when
   *   absent; and the length of a message, 100 ms when absent.
   * @throws {StreamerError} `recorder_absent`: the browser has no `MediaRecorder` for such containers.
   */
  constructor(media, { bitsPerSecond = 32_000, messageMs = 100 } = {}) {
    const mimeType = supportedType();
    if (mimeType === undefined) {
      throw new StreamerError('recorder_absent', 'this browser cannot record WebM, Ogg or MP4');
    }
    this.#media = media;
    this.#options = { mimeType, audioBitsPerSecond: bitsPerSecond };
    this.#messageMs = messageMs;
    /** Pass it to `StreamerClient.start`. */
    this.format = /** @type {const} */ ({ encoding: 'auto', channels: 1 });
    /** Of the container, as the browser calls it. */
    this.mimeType = mimeType;
  }

  /**
   * Receive the bytes of the container, and the length of the audio in them in seconds.
   * @param {(bytes: ArrayBuffer, seconds: number) => void} listener An error of it is reported as uncaught.
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} The listener is no function.
   */
  onAudio(listener) {
    return this.#listeners.add('audio', listener);
  }

  /** Begin to record. */
  start() {
    if (this.#recorder !== null) return;
    const recorder = new MediaRecorder(this.#media, this.#options);
    let sinceMs = performance.now();
    recorder.ondataavailable = ({ data }) => {
      const seconds = (performance.now() - sinceMs) / 1000;
      sinceMs = performance.now();
      this.#passOn(data, seconds);
    };
    recorder.start(this.#messageMs);
    this.#recorder = recorder;
  }

  /** Begin a new container: a connection or a stream has begun that knows nothing of the old one. */
  restart() {
    if (this.#recorder === null) return;
    void this.stop();
    this.start();
  }

  /** Pass on what was recorded until now, and end. Resolves when all is passed on. */
  async stop() {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (recorder !== null && recorder.state !== 'inactive') {
      const ended = new Promise((resolve) => (recorder.onstop = resolve));
      recorder.stop();
      await ended;
    }
    await this.#passedOn;
  }

  /**
   * @param {Blob} data
   * @param {number} seconds
   */
  #passOn(data, seconds) {
    const reading = data.arrayBuffer();
    this.#passedOn = this.#passedOn.then(async () => {
      const bytes = await reading;
      if (bytes.byteLength > 0) this.#listeners.call('audio', bytes, seconds);
    });
  }
}

/** @returns {string | undefined} The container that is preferred, of those that the browser has. */
function supportedType() {
  const { MediaRecorder } = globalThis;
  return TYPES.find((type) => MediaRecorder?.isTypeSupported(type));
}
