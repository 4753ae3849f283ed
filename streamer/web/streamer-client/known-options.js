/** The options of `StreamerClient` and of `Microphone`: their names, and the values that they may have. */

import { checkName } from './known-names.js';

/** @import { Backoff, ClientOptions, MicrophoneOptions } from './options.js' */

/** @typedef {{allowed: string, fits: (value: any) => boolean}} Kind Of values. */

/** The longest delay that a timer takes; a longer one would be none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @type {Kind} The server checks the value, and its error names the field. */
const CHECKED_BY_SERVER = { allowed: '', fits: () => true };

/** @type {Kind} */
const TEXT_OR_FUNCTION = {
  allowed: 'text, or a function that returns it',
  fits: (value) => value === null || ['string', 'function'].includes(typeof value),
};

/** @type {Kind} */
const MILLISECONDS = {
  allowed: `a number above 0, up to ${MAX_TIMER_MS}`,
  fits: (value) => isNumber(value) && value > 0 && value <= MAX_TIMER_MS,
};

/** @type {Kind} */
const AT_LEAST_0 = { allowed: 'a number, 0 or more', fits: (value) => isNumber(value) && value >= 0 };

/** @type {Record<keyof Backoff, Kind>} */
const BACKOFF = { initialMs: AT_LEAST_0, maxMs: MILLISECONDS, attempts: AT_LEAST_0 };

/** @type {Record<keyof ClientOptions, Kind>} */
const CLIENT_OPTIONS = {
  interimResults: CHECKED_BY_SERVER,
  words: CHECKED_BY_SERVER,
  keyterms: CHECKED_BY_SERVER,
  vad: CHECKED_BY_SERVER,
  model: CHECKED_BY_SERVER,
  eager: CHECKED_BY_SERVER,
  token: TEXT_OR_FUNCTION,
  traceparent: TEXT_OR_FUNCTION,
  reconnect: {
    allowed: 'false, or an object with initialMs, maxMs and attempts',
    fits: (value) => typeof value === 'boolean' || isObject(value),
  },
  maxBufferedSeconds: AT_LEAST_0,
  connectTimeoutMs: MILLISECONDS,
  startTimeoutMs: MILLISECONDS,
  stopTimeoutMs: MILLISECONDS,
  WebSocket: { allowed: 'a class', fits: (value) => typeof value === 'function' },
};

/** @type {Record<keyof MicrophoneOptions, Kind>} */
const MICROPHONE_OPTIONS = {
  deviceId: { allowed: 'text', fits: (value) => typeof value === 'string' },
  channels: {
    allowed: 'a whole number from 1 to 8',
    fits: (value) => Number.isInteger(value) && value >= 1 && value <= 8,
  },
  sampleRate: {
    allowed: 'a number from 8000 to 192000',
    fits: (value) => isNumber(value) && value >= 8000 && value <= 192_000,
  },
  messageMs: {
    allowed: 'a number from 1 to 1000',
    fits: (value) => isNumber(value) && value >= 1 && value <= 1000,
  },
  processing: { allowed: 'true, false', fits: (value) => typeof value === 'boolean' },
  workletUrl: {
    allowed: 'text, or a URL',
    fits: (value) => typeof value === 'string' || value instanceof URL,
  },
};

const OF_THE_FORMAT = 'the format of the audio is given to start()';
const OF_THE_MICROPHONE = 'it is one of Microphone.open()';

/** @type {Record<string, string>} What other programs call an option of the client → what to do. */
const OTHER_CLIENT_OPTIONS = {
  format: OF_THE_FORMAT,
  sample_rate: OF_THE_FORMAT,
  sampleRate: OF_THE_FORMAT,
  encoding: OF_THE_FORMAT,
  bit_depth: OF_THE_FORMAT,
  channels: OF_THE_FORMAT,
  deviceId: OF_THE_MICROPHONE,
  processing: OF_THE_MICROPHONE,
  workletUrl: OF_THE_MICROPHONE,
  language: "each model has its own: choose one with 'model'",
  apiKey: "did you mean 'token'?",
};

/** @type {Record<string, string>} The names of the browser → what to do. */
const OTHER_MICROPHONE_OPTIONS = Object.fromEntries(
  ['echoCancellation', 'noiseSuppression', 'autoGainControl'].map((name) => [
    name,
    "'processing' switches all three, and they are off without it",
  ]),
);

/**
 * @param {ClientOptions} options
 * @throws {TypeError} There is no such option, or it may not have this value.
 */
export function checkClientOptions(options) {
  checkOptions('option', options, CLIENT_OPTIONS, OTHER_CLIENT_OPTIONS);
  if (isObject(options.reconnect)) checkOptions("option of 'reconnect'", options.reconnect, BACKOFF);
}

/**
 * @param {MicrophoneOptions} options
 * @throws {TypeError} There is no such option, or it may not have this value.
 */
export function checkMicrophoneOptions(options) {
  checkOptions('option', options, MICROPHONE_OPTIONS, OTHER_MICROPHONE_OPTIONS);
}

/**
 * @param {string} what They are, for people.
 * @param {any} given An option that is undefined is absent.
 * @param {Record<string, Kind>} kinds By name.
 * @param {Record<string, string>} [others] As those of `checkName`.
 */
function checkOptions(what, given, kinds, others) {
  if (!isObject(given)) throw new TypeError(`the options are ${show(given)}; allowed: an object`);
  for (const [name, value] of Object.entries(given)) {
    checkName(what, name, Object.keys(kinds), others);
    const kind = /** @type {Kind} */ (kinds[name]);
    if (value === undefined || kind.fits(value)) continue;
    throw new TypeError(`the ${what} '${name}' is ${show(value)}; allowed: ${kind.allowed}`);
  }
}

/** @param {unknown} value */
export const isNumber = (value) => typeof value === 'number' && !Number.isNaN(value);

/** @param {unknown} value */
export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param {unknown} value
 * @returns {string} For people.
 */
export function show(value) {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : String(value);
}
