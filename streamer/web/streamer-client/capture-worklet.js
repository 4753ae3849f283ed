/**
 * On the audio thread: gathers what the microphone gives, converts it to interleaved 16-bit PCM, and
 * posts it in messages of equal length. `null` is posted after the last one.
 */

/**
 * The browser's `AudioWorkletGlobalScope`, as far as it is used here.
 * @typedef {{sampleRate: number, AudioWorkletProcessor: new () => {port: MessagePort},
 *   registerProcessor: (name: string, processor: unknown) => void}} Scope
 */
const { AudioWorkletProcessor, registerProcessor, sampleRate } = /** @type {Scope} */ (
  /** @type {unknown} */ (globalThis)
);

const QUANTUM = 128;

class Capture extends AudioWorkletProcessor {
  /** @param {{processorOptions: {channels: number, messageMs: number}}} options */
  constructor({ processorOptions: { channels, messageMs } }) {
    super();
    this.channels = channels;
    this.frames = Math.max(QUANTUM, Math.round((sampleRate * messageMs) / 1000));
    this.message = this.empty();
    this.filled = 0;
    this.stopped = false;
    this.port.onmessage = () => this.stop();
  }

  empty() {
    return new DataView(new ArrayBuffer(this.frames * this.channels * 2));
  }

  stop() {
    const pcm = this.message.buffer.slice(0, this.filled * this.channels * 2);
    if (pcm.byteLength > 0) this.port.postMessage(pcm, [pcm]);
    this.port.postMessage(null);
    this.stopped = true;
  }

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    if (this.stopped) return false;
    // A muted track has no channels, but time goes on.
    const length = input?.[0]?.length ?? QUANTUM;
    for (let frame = 0; frame < length; frame += 1) {
      for (let channel = 0; channel < this.channels; channel += 1) {
        const sample = Math.round((input?.[channel]?.[frame] ?? 0) * 32_768);
        const clipped = Math.max(-32_768, Math.min(32_767, sample));
        this.message.setInt16((this.filled * this.channels + channel) * 2, clipped, true);
      }
      this.filled += 1;
      if (this.filled === this.frames) {
        const pcm = this.message.buffer;
        this.message = this.empty();
        this.filled = 0;
        this.port.postMessage(pcm, [pcm]);
      }
    }
    return true;
  }
}

registerProcessor('streamer-capture', Capture);
