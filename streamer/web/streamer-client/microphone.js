/** The microphone of a browser. */

import { StreamerError } from './errors.js';
import { EventListeners } from './event-listeners.js';
import { checkMicrophoneOptions } from './known-options.js';
import { addWorklet, channelsOf, openContext, openMedia, resume } from './microphone-device.js';

/** @import { MicrophoneOptions } from './options.js' */

/** Milliseconds to wait for the last audio at `close`. A context that the browser suspended gives none. */
const LAST_AUDIO_TIMEOUT_MS = 300;

/**
 * A microphone, captured on the audio thread as 16-bit PCM.
 *
 *     const microphone = await Microphone.open();
 *     client.on('connection', ({ state }) => state === 'idle' && microphone.close());
 *     await client.start(microphone.format);
 *     microphone.onAudio((pcm) => client.state === 'idle' || client.send(pcm));
 */
export class Microphone {
  #context;
  #media;
  #node;
  #isClosing = false;
  #listeners = new EventListeners();

  /**
   * Request the microphone and begin to capture.
   * @param {MicrophoneOptions} [options]
   * @returns {Promise<Microphone>}
   * @throws {StreamerError} `insecure_page`, `microphone_refused`, `microphone_absent`,
   *   `microphone_busy`, `worklet_failed`, `audio_blocked`.
   * @throws {TypeError} There is no such option, or it may not have this value.
   */
  static async open(options = {}) {
    checkMicrophoneOptions(options);
    const { channels = 1, messageMs = 20 } = options;
    const workletUrl = options.workletUrl ?? new URL('./capture-worklet.js', import.meta.url);
    const media = await openMedia(options);
    /** @type {AudioContext | undefined} */
    let context;
    try {
      const [track] = media.getAudioTracks();
      const count = Math.min(channels, channelsOf(track) ?? channels);
      const opened = openContext(media, options.sampleRate);
      context = opened.context;
      await addWorklet(context, workletUrl);
      const node = new AudioWorkletNode(context, 'streamer-capture', {
        numberOfOutputs: 0,
        channelCount: count,
        channelCountMode: 'explicit',
        processorOptions: { channels: count, messageMs },
      });
      opened.source.connect(node);
      await resume(context);
      return new Microphone(context, media, node, count);
    } catch (error) {
      for (const track of media.getTracks()) track.stop();
      await context?.close();
      throw error;
    }
  }

  /**
   * @private Use `Microphone.open`.
   * @param {AudioContext} context
   * @param {MediaStream} media
   * @param {AudioWorkletNode} node
   * @param {number} channels
   */
  constructor(context, media, node, channels) {
    this.#context = context;
    this.#media = media;
    this.#node = node;
    /** The format of the audio for `onAudio`; pass it to `StreamerClient.start`. */
    this.format = /** @type {const} */ ({
      sample_rate: context.sampleRate,
      channels,
      bit_depth: 16,
      is_float: false,
    });
    /** What the browser gives; for `ContainerRecorder`. */
    this.media = media;
    const [track] = media.getAudioTracks();
    /** The browser's name of the device. */
    this.label = track?.label ?? '';
    track?.addEventListener('ended', () => this.#onTrackEnded());
    node.port.onmessage = ({ data }) => this.#listeners.call('audio', data);
  }

  /**
   * Receive the audio: interleaved 16-bit samples, some tens of milliseconds at a time.
   * @param {(pcm: ArrayBuffer) => void} listener An error of it is reported as uncaught.
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} The listener is no function.
   */
  onAudio(listener) {
    return this.#listeners.add('audio', listener);
  }

  /**
   * Receive the reason when the microphone ends by itself: unplugged, or its permission withdrawn.
   * @param {(reason: StreamerError) => void} listener An error of it is reported as uncaught.
   * @returns {() => void} Removes the listener.
   * @throws {TypeError} The listener is no function.
   */
  onEnded(listener) {
    return this.#listeners.add('ended', listener);
  }

  /** Pass on the audio that was captured until now, and release the device. */
  async close() {
    if (this.#isClosing) return;
    this.#isClosing = true;
    await this.#passOnLastAudio();
    for (const track of this.#media.getTracks()) track.stop();
    await this.#context.close();
  }

  #passOnLastAudio() {
    return new Promise((resolve) => {
      const { port } = this.#node;
      const passOn = port.onmessage;
      port.onmessage = (message) => {
        if (message.data === null) resolve(undefined);
        else passOn?.call(port, message);
      };
      port.postMessage('stop');
      setTimeout(resolve, LAST_AUDIO_TIMEOUT_MS);
    });
  }

  #onTrackEnded() {
    this.#listeners.call('ended', new StreamerError('microphone_unplugged', 'the microphone was disconnected'));
  }
}
