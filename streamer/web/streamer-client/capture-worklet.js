/**
 * Runs on the audio thread: converts the microphone's audio to interleaved 16-bit PCM, and posts it
 * in messages of equal length. It posts `null` after the last message.
 */

/**
 * The part of the browser's `AudioWorkletGlobalScope` that is used here.
 * @typedef {{sampleRate: number, AudioWorkletProcessor: new () => {port: MessagePort},
 *   registerProcessor: (name: string, processor: unknown) => void}} Scope
 */
const { AudioWorkletProcessor, registerProcessor, sampleRate } = /** @type {Scope} */ (
  /** @type {unknown} */ (globalThis)
);

/** Frames that the browser passes to `process` at once. */
const QUANTUM = 128;

class Capture extends AudioWorkletProcessor {
  /** @param {{processorOptions: {channels: number, messageMs: number}}} options */
  constructor({ processorOptions: { channels, messageMs } }) {
    super();
    this.channels = channels;
    this.framesPerMessage = Math.max(QUANTUM, Math.round((sampleRate * messageMs) / 1000));
    this.message = this.newMessage();
    this.filledFrames = 0;
    this.isStopped = false;
    this.port.onmessage = () => this.stop();
  }

  newMessage() {
    return new DataView(new ArrayBuffer(this.framesPerMessage * this.channels * 2));
  }

  stop() {
    const pcm = this.message.buffer.slice(0, this.filledFrames * this.channels * 2);
    if (pcm.byteLength > 0) this.port.postMessage(pcm, [pcm]);
    this.port.postMessage(null);
    this.isStopped = true;
  }

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    if (this.isStopped) return false;
    // A muted track has no channels, but time goes on.
    const length = input?.[0]?.length ?? QUANTUM;
    for (let frame = 0; frame < length; frame += 1) {
      for (let channel = 0; channel < this.channels; channel += 1) {
        const sample = Math.round((input?.[channel]?.[frame] ?? 0) * 32_768);
        const clipped = Math.max(-32_768, Math.min(32_767, sample));
        this.message.setInt16((this.filledFrames * this.channels + channel) * 2, clipped, true);
      }
      this.filledFrames += 1;
      if (this.filledFrames === this.framesPerMessage) this.postFilledMessage();
    }
    return true;
  }

  postFilledMessage() {
    const pcm = this.message.buffer;
    this.message = this.newMessage();
    this.filledFrames = 0;
    this.port.postMessage(pcm, [pcm]);
  }
}

registerProcessor('streamer-capture', Capture);
