/** The format of audio: its fields, and the values that they may have. */

import { checkName } from './known-names.js';
import { isNumber, isObject, show } from './known-options.js';

/** @import { Kind } from './known-options.js' */
/** @import { AudioFormat, ContainerFormat } from './messages.js' */

const BIT_DEPTHS = [8, 16, 24, 32, 64];
const ENCODINGS = ['pcm', 'mulaw', 'alaw', 'auto'];

/** What to give, for messages. */
const EXAMPLES =
  "microphone.format, { sample_rate: 16000 } for mono 16-bit PCM, or { encoding: 'auto' } for a container";

/** @type {Record<keyof AudioFormat, Kind>} The server checks the ranges, some of which are its settings. */
const FIELDS = {
  sample_rate: { allowed: 'a number, in Hz', fits: isNumber },
  channels: {
    allowed: 'a whole number, 1 or more',
    fits: (value) => Number.isInteger(value) && value >= 1,
  },
  bit_depth: { allowed: BIT_DEPTHS.join(', '), fits: (value) => BIT_DEPTHS.includes(value) },
  is_float: { allowed: 'true, false', fits: (value) => typeof value === 'boolean' },
  encoding: {
    allowed: 'pcm, mulaw, alaw; auto for a container such as WebM',
    fits: (value) => ENCODINGS.includes(value),
  },
};

/**
 * @param {any} format As a program gives it to `start`.
 * @returns {AudioFormat | ContainerFormat} A copy without the fields that are undefined.
 * @throws {TypeError} It is missing, has no sample rate, or has a field that there is not or that may not
 *   have its value.
 */
export function checkFormat(format) {
  if (format === undefined) throw new TypeError(`start() needs the format of the audio; give ${EXAMPLES}`);
  if (typeof format?.then === 'function') {
    throw new TypeError('the format is a promise; wait for it: const microphone = await Microphone.open()');
  }
  if (!isObject(format)) throw new TypeError(`the format is ${show(format)}; give ${EXAMPLES}`);
  if (isObject(format.format)) {
    throw new TypeError('what was given to start() has a format; give that: start(microphone.format)');
  }
  const given = Object.entries(format).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) checkField(name, value);
  /** @type {any} */ const checked = Object.fromEntries(given);
  if (checked.encoding !== 'auto' && checked.sample_rate === undefined) {
    throw new TypeError(`the format has no sample_rate; give ${EXAMPLES}`);
  }
  return checked;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function checkField(name, value) {
  checkName('field of the format', name, Object.keys(FIELDS));
  const kind = FIELDS[/** @type {keyof AudioFormat} */ (name)];
  if (kind.fits(value)) return;
  throw new TypeError(`the field of the format '${name}' is ${show(value)}; allowed: ${kind.allowed}`);
}
