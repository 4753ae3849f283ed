/** Sources of audio. Each gives 16-bit PCM, block by block; a microphone may be sent in a container. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { openMicrophone } from './microphone-source.js';
import { openRecording } from './recording-source.js';

/** @import { AudioFormat, ContainerFormat } from '../streamer-client/streamer-client.js' */
/** @import { Choices, Info } from './settings.js' */

/**
 * @typedef {object} Sink The receiver of a source's audio.
 * @property {(pcm: ArrayBuffer) => void} take
 * @property {(bytes: ArrayBuffer, seconds: number) => void} takeContainer Sent in the place of the PCM.
 * @property {() => Promise<void>} ready Waits until the network has room.
 * @property {(error: StreamerError) => void} ended The source ended by itself.
 */

/** @typedef {{sample_rate: number, channels: number, bit_depth: 16, is_float: false}} Format */

/**
 * @typedef {object} Source
 * @property {Format} format Of the PCM.
 * @property {AudioFormat | ContainerFormat} [sentFormat] Of what is sent, if it is not the PCM.
 * @property {string} label
 * @property {string} [remark] What is wrong with the audio, for people; empty if nothing is.
 * @property {(sink: Sink) => Promise<void>} run Resolves when the sink has received all audio.
 * @property {() => void} [restart] Begin a new container.
 * @property {() => Promise<void>} stop Pass on the audio that is there, and end.
 */

/** Channels of a recording, when the server has not named its limit. */
const DEFAULT_MAX_CHANNELS = 8;

/**
 * @param {Choices} choices
 * @param {Info | null} info
 * @returns {Promise<Source>}
 * @throws {StreamerError}
 */
export async function openSource(choices, info) {
  const { source, deviceId, channels, sampleRate, file, realTime, isCompressed } = choices;
  if (source === 'microphone') {
    return openMicrophone({ deviceId, channels, sampleRate, processing: false }, isCompressed);
  }
  const maxChannels = info?.limits.max_channels ?? DEFAULT_MAX_CHANNELS;
  const options = { sampleRate, maxChannels, realTime };
  if (source === 'sample') {
    const reply = await fetch(info?.sample ?? 'sample.wav');
    if (!reply.ok) throw new StreamerError('bad_file', 'the sample is not on the server');
    return openRecording(await reply.arrayBuffer(), { ...options, label: 'The sample' });
  }
  if (file === undefined) throw new StreamerError('no_file', '');
  return openRecording(await file.arrayBuffer(), { ...options, label: file.name });
}
