/** A microphone as a source of audio. */

import { Microphone } from '../streamer-client/streamer-client.js';

/** @import { Source } from './sources.js' */

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
