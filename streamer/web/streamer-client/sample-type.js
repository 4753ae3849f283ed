/** Whether an array holds samples of the kind that a stream was started for. */

import { StreamerError } from './errors.js';

/** @import { AudioFormat, ContainerFormat } from './messages.js' */

/** Views that are bytes, whatever the samples are. */
const BYTES = ['DataView', 'Uint8Array', 'Uint8ClampedArray', 'Int8Array'];

/** Bits of a sample that a stream may have, besides those of bytes. */
const INTEGER_BITS = [16, 32];
const FLOAT_BITS = [32, 64];

/**
 * Floats that were sent as integers would be noise.
 * @param {ArrayBuffer | ArrayBufferView} audio Bytes are taken as they are.
 * @param {Required<AudioFormat> | ContainerFormat | null} format Of the stream; null before the first one.
 * @throws {StreamerError} `bad_audio`: its elements are others than the samples of the stream.
 */
export function requireSamples(audio, format) {
  const kind = Object.prototype.toString.call(audio).slice(8, -1);
  if (format === null || !ArrayBuffer.isView(audio) || BYTES.includes(kind)) return;
  const bits = /** @type {Int16Array} */ (audio).BYTES_PER_ELEMENT * 8;
  const isFloat = kind.startsWith('Float');
  if (format.encoding === 'auto') {
    const message = `audio is an array of ${describe(bits, isFloat)}, and the stream was started for a ` +
      'container, which is bytes';
    throw new StreamerError('bad_audio', message);
  }
  const isPcm = format.encoding === 'pcm';
  if (isPcm && bits === format.bit_depth && isFloat === format.is_float) return;
  const expected = isPcm ? describe(format.bit_depth, format.is_float) : `bytes of ${format.encoding}`;
  const canBeSent = (isFloat ? FLOAT_BITS : INTEGER_BITS).includes(bits);
  const other = canBeSent ? `, or start the stream with bit_depth: ${bits}, is_float: ${isFloat}` : '';
  throw new StreamerError(
    'bad_audio',
    `audio is an array of ${describe(bits, isFloat)}, and the stream was started for ${expected}: ` +
      `convert it${other}`,
  );
}

/**
 * @param {number} bits
 * @param {boolean} isFloat
 */
const describe = (bits, isFloat) => `${bits}-bit ${isFloat ? 'floats' : 'integers'}`;
