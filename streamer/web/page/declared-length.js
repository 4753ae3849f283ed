/** What the header of a recording declares, to find out whether the file was cut off. */

/** Lengths of samples from which on a program that wrote the header did not know them. */
const UNKNOWN_BYTES = 0x7fff_0000;
const UNKNOWN_LONG_BYTES = 2 ** 62;

/** In a chunk's length: the real one is in the chunk `ds64`. */
const IN_DS64 = 0xffff_ffff;

/** Format tags of a codec whose frames have equal lengths: integers, floats, A-law, mu-law, extensible. */
const EQUAL_FRAMES = [1, 3, 6, 7, 0xfffe];

/**
 * @param {ArrayBuffer} file
 * @returns {number | null} Seconds of audio; null when the header does not say, or in other formats
 *   than WAV and FLAC.
 */
export function declaredSeconds(file) {
  const view = new DataView(file);
  if (tagAt(view, 0) === 'fLaC') return flacSeconds(view);
  const { bytesPerSecond, declaredBytes } = (isWav(view) && findSamples(view)) || NO_SAMPLES;
  return declaredBytes > 0 && bytesPerSecond > 0 ? declaredBytes / bytesPerSecond : null;
}

/**
 * @param {ArrayBuffer} file
 * @returns {boolean} Whether it is a WAV file that ends before its samples.
 */
export function isWavWithoutSamples(file) {
  const view = new DataView(file);
  return isWav(view) && (findSamples(view) ?? NO_SAMPLES).begin >= view.byteLength;
}

const NO_SAMPLES = { begin: Infinity, bytesPerSecond: 0, declaredBytes: 0 };

/** @param {DataView} view */
const isWav = (view) => ['RIFF', 'RF64', 'BW64'].includes(tagAt(view, 0)) && tagAt(view, 8) === 'WAVE';

/**
 * @param {DataView} view Of a WAV file.
 * @returns {typeof NO_SAMPLES | null} `declaredBytes` is 0 when the header does not say; null when there
 *   is no chunk `data`.
 */
function findSamples(view) {
  let [bytesPerSecond, longBytes] = [0, 0];
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const [tag, bytes, begin] = [tagAt(view, at), view.getUint32(at + 4, true), at + 8];
    if (tag === 'fmt ' && begin + 14 <= view.byteLength) bytesPerSecond = wavBytesPerSecond(view, begin);
    if (tag === 'ds64' && begin + 16 <= view.byteLength) longBytes = Number(view.getBigUint64(begin + 8, true));
    if (tag === 'data') {
      const isLong = bytes === IN_DS64 && longBytes > 0;
      const [declared, unknown] = isLong ? [longBytes, UNKNOWN_LONG_BYTES] : [bytes, UNKNOWN_BYTES];
      return { begin, bytesPerSecond, declaredBytes: declared < unknown ? declared : 0 };
    }
    at = begin + bytes + (bytes % 2);
  }
  return null;
}

/**
 * @param {DataView} view
 * @param {number} at Of the content of the chunk `fmt `.
 */
function wavBytesPerSecond(view, at) {
  const isEqual = EQUAL_FRAMES.includes(view.getUint16(at, true));
  const [rate, average, frameBytes] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true), view.getUint16(at + 12, true)];
  return isEqual ? rate * frameBytes : average;
}

/** @param {DataView} view Its first block is STREAMINFO: 20 bits of the rate, 36 of the samples. */
function flacSeconds(view) {
  if (view.byteLength < 26) return null;
  const rate = view.getUint32(18) >>> 12;
  const samples = (view.getUint8(21) & 0x0f) * 2 ** 32 + view.getUint32(22);
  return rate > 0 && samples > 0 ? samples / rate : null;
}

/**
 * @param {DataView} view
 * @param {number} at
 */
const tagAt = (view, at) =>
  at + 4 > view.byteLength ? '' : String.fromCharCode(...new Uint8Array(view.buffer, at, 4));
