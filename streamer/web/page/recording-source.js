/** A recording as a source of audio. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { declaredSeconds, isWavWithoutSamples } from './declared-length.js';
import { RealTimePace } from './real-time-pace.js';

/** @import { Source } from './sources.js' */

/** Seconds of audio in a block that is sent in real time. */
const REAL_TIME_BLOCK_SECONDS = 0.04;

/** Seconds of audio in a block of a recording that is sent as fast as possible. */
const FAST_BLOCK_SECONDS = 0.25;

/** Seconds that a recording may be shorter than its header declares, because it is resampled. */
const MAX_MISSING_SECONDS = 0.01;

/** Bytes in a block. The server's default limit is four times as much. */
const MAX_BLOCK_BYTES = 65_536;

/**
 * @param {ArrayBuffer} file An audio file of any kind that the browser can decode.
 * @param {{label: string, sampleRate: number, maxChannels: number, realTime: boolean}} options
 * @returns {Promise<Source>}
 * @throws {StreamerError} `bad_file`
 */
export async function openRecording(file, { label, sampleRate, maxChannels, realTime }) {
  const declared = declaredSeconds(file); // before `decode`, which takes the buffer away
  const audio = await decode(file, label, sampleRate);
  if (audio.numberOfChannels > maxChannels) {
    const message = `${label} has ${audio.numberOfChannels} channels; allowed: ${maxChannels}`;
    throw new StreamerError('bad_file', message);
  }
  let isStopped = false;
  return {
    format: { sample_rate: sampleRate, channels: audio.numberOfChannels, bit_depth: 16, is_float: false },
    label,
    remark: describeMissing(label, declared, audio.duration),
    run: async ({ take, ready }) => {
      const seconds = realTime ? REAL_TIME_BLOCK_SECONDS : FAST_BLOCK_SECONDS;
      const maxFrames = Math.floor(MAX_BLOCK_BYTES / (2 * audio.numberOfChannels));
      const block = Math.min(Math.round(seconds * sampleRate), maxFrames);
      const pace = new RealTimePace();
      for (let frame = 0; frame < audio.length && !isStopped; frame += block) {
        await ready();
        if (realTime) await pace.waitFor(frame / sampleRate);
        if (!isStopped) take(interleave(audio, frame, Math.min(audio.length, frame + block)));
      }
    },
    stop: async () => {
      isStopped = true;
    },
  };
}

/**
 * @param {ArrayBuffer} file
 * @param {string} label
 * @param {number} sampleRate
 */
async function decode(file, label, sampleRate) {
  if (file.byteLength === 0) throw new StreamerError('bad_file', `${label} is empty`);
  if (isWavWithoutSamples(file)) throw new StreamerError('bad_file', `${label} contains no audio`);
  try {
    return await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(file);
  } catch (cause) {
    const message = `${label} is not audio that this browser can decode`;
    throw new StreamerError('bad_file', message, { cause });
  }
}

/**
 * @param {string} label
 * @param {number | null} declared Seconds.
 * @param {number} found Seconds.
 * @returns {string} That the recording was cut off; empty if it is complete, or the length is not known.
 */
export function describeMissing(label, declared, found) {
  if (declared === null || declared - found <= MAX_MISSING_SECONDS) return '';
  const [missing, all] = [declared - found, declared].map((seconds) => `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`);
  return `${label} ends early: of ${all} that its header declares, ${missing} are missing. The rest is processed.`;
}

/**
 * @param {AudioBuffer} audio
 * @param {number} first
 * @param {number} last The first frame that is not included.
 * @returns {ArrayBuffer} Interleaved 16-bit samples.
 */
function interleave(audio, first, last) {
  const channels = audio.numberOfChannels;
  const pcm = new DataView(new ArrayBuffer((last - first) * channels * 2));
  for (let channel = 0; channel < channels; channel += 1) {
    const samples = audio.getChannelData(channel);
    for (let frame = first; frame < last; frame += 1) {
      const sample = Math.round((samples[frame] ?? 0) * 32_768);
      const clipped = Math.max(-32_768, Math.min(32_767, sample));
      pcm.setInt16(((frame - first) * channels + channel) * 2, clipped, true);
    }
  }
  return pcm.buffer;
}
