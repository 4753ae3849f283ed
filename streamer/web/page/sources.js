/** Where audio comes from: a microphone, or a recording. Both give 16-bit PCM, block by block. */

import { Microphone, StreamerError } from '../streamer-client/streamer-client.js';

/**
 * @typedef {object} Sink
 * @property {(pcm: ArrayBuffer) => void} take
 * @property {() => Promise<void>} ready Waits until the network has room.
 * @property {(error: StreamerError) => void} ended The source is exhausted or gone by itself.
 */

/** @typedef {{sample_rate: number, channels: number, bit_depth: 16, is_float: false}} Format */

/**
 * @typedef {object} Source
 * @property {Format} format
 * @property {string} label
 * @property {(sink: Sink) => Promise<void>} run Resolves when everything was given.
 * @property {() => Promise<void>} stop Give out what there still is, and end.
 */

/** Of audio in a block: in real time, and of a recording that is sent as fast as it is taken. */
const BLOCK_SECONDS = 0.04;
const LARGE_BLOCK_SECONDS = 0.25;

/** In a block; the server takes four times as much unless it is told otherwise. */
const MAX_BLOCK_BYTES = 65_536;

/**
 * @param {{deviceId?: string, channels: number, sampleRate: number | undefined, processing: boolean}} options
 * @returns {Promise<Source>}
 */
export async function openMicrophone(options) {
  const microphone = await Microphone.open(options);
  let end = () => {};
  return {
    format: microphone.format,
    label: microphone.label,
    run: ({ take, ended }) => {
      microphone.onAudio(take);
      microphone.onEnded(ended);
      return new Promise((resolve) => (end = () => resolve(undefined)));
    },
    stop: async () => {
      await microphone.close();
      end();
    },
  };
}

/**
 * @param {ArrayBuffer} file Any kind of audio file that the browser can decode.
 * @param {{label: string, sampleRate: number, maxChannels: number, realTime: boolean}} options
 * @returns {Promise<Source>}
 * @throws {StreamerError} `bad_file`
 */
export async function openRecording(file, { label, sampleRate, maxChannels, realTime }) {
  const audio = await decode(file, label, sampleRate);
  if (audio.numberOfChannels > maxChannels) {
    const message = `${label} has ${audio.numberOfChannels} channels; allowed: ${maxChannels}`;
    throw new StreamerError('bad_file', message);
  }
  let stopped = false;
  return {
    format: { sample_rate: sampleRate, channels: audio.numberOfChannels, bit_depth: 16, is_float: false },
    label,
    run: async ({ take, ready }) => {
      const seconds = realTime ? BLOCK_SECONDS : LARGE_BLOCK_SECONDS;
      const fitting = Math.floor(MAX_BLOCK_BYTES / (2 * audio.numberOfChannels));
      const block = Math.min(Math.round(seconds * sampleRate), fitting);
      const pace = new Pace();
      for (let frame = 0; frame < audio.length && !stopped; frame += block) {
        await ready();
        if (realTime) await pace.until(frame / sampleRate);
        if (!stopped) take(interleave(audio, frame, Math.min(audio.length, frame + block)));
      }
    },
    stop: async () => {
      stopped = true;
    },
  };
}

/**
 * @param {ArrayBuffer} file
 * @param {string} label
 * @param {number} sampleRate
 */
async function decode(file, label, sampleRate) {
  try {
    return await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(file);
  } catch (cause) {
    const message = `${label} is not audio that this browser can decode`;
    throw new StreamerError('bad_file', message, { cause });
  }
}

/**
 * @param {AudioBuffer} audio
 * @param {number} first
 * @param {number} last
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

/** A recording in real time. After a wait for the network it goes on, and does not catch up. */
class Pace {
  #beginMs = performance.now();

  /** @param {number} seconds Into the recording. */
  async until(seconds) {
    const early = this.#beginMs + seconds * 1000 - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    // Timers of a tab in the background fire once a second: being late by less is caught up with.
    else if (early < -1500) this.#beginMs -= early;
  }
}
