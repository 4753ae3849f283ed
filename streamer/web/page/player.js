/** Plays a piece of the recording; one at a time. */

/** @typedef {import('./recording.js').Recording} Recording */

export class Player {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {(() => void) | null} */ #stop = null;

  /**
   * Play, or stop what is playing when it is the same.
   * @param {Recording} recording
   * @param {{channel: number, start: number, end: number}} piece Times in seconds.
   * @param {HTMLButtonElement} button Its `aria-pressed` says whether it plays.
   */
  toggle(recording, { channel, start, end }, button) {
    const playing = button.getAttribute('aria-pressed') === 'true';
    this.#stop?.();
    if (playing) return;
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
