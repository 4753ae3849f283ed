/** Plays pieces of the recording, one at a time. */

/** @import { Recording } from './recording.js' */

export class Player {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {(() => void) | null} */ #stop = null;

  /**
   * Play a piece, or stop it when it is the one that plays.
   * @param {Recording} recording
   * @param {{channel: number, start: number, end: number}} piece Times in seconds.
   * @param {HTMLButtonElement} button Its `aria-pressed` shows whether the piece plays.
   */
  toggle(recording, { channel, start, end }, button) {
    const isPlaying = button.getAttribute('aria-pressed') === 'true';
    this.#stop?.();
    if (isPlaying) return;
    const samples = recording.slice(channel, start, end);
    if (samples.length === 0) return;
    this.#context ??= new AudioContext();
    void this.#context.resume();
    const audio = this.#context.createBuffer(1, samples.length, recording.sampleRate);
    audio.copyToChannel(samples, 0);
    const node = new AudioBufferSourceNode(this.#context, { buffer: audio });
    node.connect(this.#context.destination);
    button.setAttribute('aria-pressed', 'true');
    this.#stop = () => {
      node.onended = null;
      node.stop();
      node.disconnect();
      button.setAttribute('aria-pressed', 'false');
      this.#stop = null;
    };
    node.onended = this.#stop;
    node.start();
  }
}
