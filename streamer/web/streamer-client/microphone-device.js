/** Access to the microphone through the browser's interfaces, with errors that name the cause. */

import { StreamerError } from './errors.js';

/** @import { MicrophoneOptions } from './options.js' */

/** @type {Record<string, [string, string]>} The browser's name of an error → code and message. */
const MEDIA_ERRORS = {
  NotAllowedError: ['microphone_refused', 'the page may not use the microphone'],
  SecurityError: ['microphone_refused', 'the page may not use the microphone'],
  NotFoundError: ['microphone_absent', 'no microphone was found'],
  OverconstrainedError: ['microphone_absent', 'this microphone is not there any more'],
  NotReadableError: ['microphone_busy', 'the microphone cannot be read; is it in use elsewhere?'],
};

/**
 * @param {MicrophoneOptions} options
 * @returns {Promise<MediaStream>}
 */
export async function openMedia({ deviceId, channels = 1, processing = false }) {
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices) {
    const message = 'browsers give the microphone only to pages over https, or on localhost';
    throw new StreamerError('insecure_page', message);
  }
  const audio = {
    channelCount: { ideal: channels },
    echoCancellation: processing,
    noiseSuppression: processing,
    autoGainControl: processing,
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  };
  try {
    return await devices.getUserMedia({ audio });
  } catch (error) {
    const { name, message } = /** @type {DOMException} */ (error);
    const [code, meaning] = MEDIA_ERRORS[name] ?? ['microphone_busy', message];
    throw new StreamerError(code, meaning, { cause: error });
  }
}

/**
 * @param {MediaStreamTrack | undefined} track Of a microphone.
 * @returns {number | undefined} Its channels; undefined where the browser does not say. A browser may
 *   say that a mono microphone gives as many channels as were requested, all of them the same; then
 *   its capabilities tell.
 */
export function channelsOf(track) {
  const given = track?.getSettings().channelCount;
  const most = track?.getCapabilities?.().channelCount?.max;
  return given === undefined || most === undefined ? (given ?? most) : Math.min(given, most);
}

/**
 * @param {MediaStream} media
 * @param {number | undefined} sampleRate In Hz.
 * @returns {{context: AudioContext, source: MediaStreamAudioSourceNode}}
 */
export function openContext(media, sampleRate) {
  const context = new AudioContext(sampleRate ? { sampleRate } : {});
  try {
    return { context, source: context.createMediaStreamSource(media) };
  } catch (error) {
    // Some browsers do not resample a microphone. Then its own rate is used.
    void context.close();
    if (sampleRate) return openContext(media, undefined);
    throw error;
  }
}

/**
 * @param {AudioContext} context
 * @param {string | URL} url
 */
export async function addWorklet(context, url) {
  try {
    await context.audioWorklet.addModule(url);
  } catch (error) {
    throw new StreamerError('worklet_failed', `cannot load ${url}`, { cause: error });
  }
}
