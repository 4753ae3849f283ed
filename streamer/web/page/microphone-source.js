/** A microphone as a source of audio. */

import { ContainerRecorder, Microphone } from '../streamer-client/streamer-client.js';

/** @import { Source } from './sources.js' */

/**
 * @param {{deviceId?: string, channels: number, sampleRate: number | undefined, processing: boolean}} options
 * @param {boolean} isCompressed The browser encodes what is sent. What is shown is captured beside it.
 * @returns {Promise<Source>}
 */
export async function openMicrophone(options, isCompressed) {
  const microphone = await Microphone.open(options);
  const recorder = isCompressed ? new ContainerRecorder(microphone.media) : null;
  let end = () => {};
  return {
    format: microphone.format,
    sentFormat: recorder?.format ?? microphone.format,
    label: microphone.label,
    run: ({ take, takeContainer, ended }) => {
      microphone.onAudio(take);
      microphone.onEnded(ended);
      recorder?.onAudio(takeContainer);
      recorder?.start();
      return new Promise((resolve) => (end = () => resolve(undefined)));
    },
    restart: () => recorder?.restart(),
    stop: async () => {
      await recorder?.stop();
      await microphone.close();
      end();
    },
  };
}
