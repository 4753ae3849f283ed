/** Access to the microphone through the browser's interfaces, with errors that name the cause. */

import { StreamerError } from './errors.js';
import { sleep } from './sleep.js';

/** @import { MicrophoneOptions } from './options.js' */

/** Milliseconds that the browser has to load the worklet, and to begin with the audio. */
const BROWSER_TIMEOUT_MS = 10_000;

/** @type {Record<string, [string, string]>} The browser's name of an error → code and message. */
const MEDIA_ERRORS = {
  NotAllowedError: [
    'microphone_refused',
    "the page may not use the microphone: allow it in the browser's address bar, or in the system's privacy " +
      'settings; a page inside another one needs allow="microphone" in its iframe',
  ],
  SecurityError: [
    'microphone_refused',
    'the page may not use the microphone: the browser, or a Permissions-Policy of the page, forbids it',
  ],
  NotFoundError: ['microphone_absent', 'no microphone was found: connect one'],
  OverconstrainedError: ['microphone_absent', 'this microphone is not there any more: choose another one'],
  NotReadableError: ['microphone_busy', 'the microphone cannot be read: close other programs that may use it'],
};

/**
 * @param {MicrophoneOptions} options
 * @returns {Promise<MediaStream>}
 */
export async function openMedia({ deviceId, channels = 1, processing = false }) {
  const devices = globalThis.navigator?.mediaDevices;
  if (!devices) {
    const message = 'browsers give the microphone only to pages over https, or on localhost: open the page there';
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
  const context = newContext(sampleRate);
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
 * @param {number | undefined} sampleRate In Hz.
 * @returns {AudioContext}
 */
function newContext(sampleRate) {
  if (sampleRate === undefined) return new AudioContext();
  try {
    return new AudioContext({ sampleRate });
  } catch {
    return new AudioContext(); // this browser does not have the rate
  }
}

/**
 * @param {AudioContext} context
 * @param {string | URL} url
 */
export async function addWorklet(context, url) {
  try {
    await inTime(context.audioWorklet.addModule(url));
  } catch (error) {
    throw new StreamerError('worklet_failed', `cannot load ${url}: serve capture-worklet.js there, or give its address as workletUrl`, { cause: error });
  }
}

/**
 * Begin with the audio. Some browsers wait with this, without limit, until a person has used the page.
 * @param {AudioContext} context
 */
export async function resume(context) {
  try {
    await inTime(context.resume());
  } catch (cause) {
    const message = 'the browser does not begin with the audio: open the microphone when a person presses a button';
    throw new StreamerError('audio_blocked', message, { cause });
  }
}

/** @param {Promise<void>} work Of the browser. */
async function inTime(work) {
  const done = new AbortController();
  const late = sleep(BROWSER_TIMEOUT_MS, done.signal).then(() => {
    throw new Error(`nothing has happened for ${BROWSER_TIMEOUT_MS / 1000} s`);
  });
  await Promise.race([work, late]).finally(() => done.abort(new Error('done')));
}
