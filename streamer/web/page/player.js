/** Plays pieces of a recording, one at a time. */

/** @import { Piece } from './entry-view.js' */
/** @import { Recording } from './recording.js' */

/** Seconds of audio that are handed to the browser at a time. Two such parts wait at once. */
const PART_SECONDS = 10;

/**
 * @typedef {object} PlayHandlers
 * @property {(time: number) => void} onTime The time that is heard now, in seconds of the recording.
 * @property {() => void} onEnd It has come to its end; `stop` does not call this.
 */

/**
 * @typedef {object} Playing What is being played. Times in seconds.
 * @property {AudioContext} context
 * @property {Recording} recording
 * @property {Piece} piece
 * @property {PlayHandlers} handlers
 * @property {number} beganAt By the clock of the context.
 * @property {number} next Where the next part begins.
 * @property {Set<AudioBufferSourceNode>} parts
 */

export class Player {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {Playing | null} */ #playing = null;

  /**
   * Play a piece in place of what is being played. Audio that is not kept is not played.
   * @param {Recording} recording
   * @param {Piece} piece It may end after the recording.
   * @param {PlayHandlers} handlers
   * @returns {boolean} Whether there is something to play.
   */
  play(recording, piece, handlers) {
    this.stop();
    const start = Math.max(0, piece.start);
    if (!recording.keeps(start) || start >= Math.min(piece.end, recording.seconds)) return false;
    const context = this.#contextFor(recording.sampleRate);
    void context.resume();
    const beganAt = context.currentTime;
    const playing = { context, recording, piece: { ...piece, start }, handlers, beganAt, next: start, parts: new Set() };
    this.#playing = playing;
    this.#addPart(playing);
    this.#addPart(playing);
    this.#followTime(playing);
    return true;
  }

  stop() {
    const playing = this.#playing;
    this.#playing = null;
    for (const part of playing?.parts ?? []) {
      part.onended = null;
      part.stop();
      part.disconnect();
    }
  }

  /**
   * With a context of the recording's own rate, the parts follow each other without a click.
   * @param {number} sampleRate
   */
  #contextFor(sampleRate) {
    if (this.#context?.sampleRate !== sampleRate) {
      void this.#context?.close();
      this.#context = new AudioContext({ sampleRate });
    }
    return this.#context;
  }

  /** @param {Playing} playing */
  #addPart(playing) {
    const { context, recording, piece, beganAt, next, parts } = playing;
    const samples = recording.slice(piece.channel, next, Math.min(piece.end, next + PART_SECONDS));
    if (samples.length === 0 || !recording.keeps(next)) return;
    const buffer = context.createBuffer(1, samples.length, recording.sampleRate);
    buffer.copyToChannel(samples, 0);
    const part = new AudioBufferSourceNode(context, { buffer });
    part.connect(context.destination);
    part.start(beganAt + next - piece.start);
    playing.next = next + samples.length / recording.sampleRate;
    parts.add(part);
    part.onended = () => {
      part.disconnect();
      parts.delete(part);
      this.#addPart(playing);
      if (parts.size > 0) return;
      this.#playing = null;
      playing.handlers.onEnd();
    };
  }

  /** @param {Playing} playing */
  #followTime(playing) {
    if (this.#playing !== playing) return;
    const { context, piece, beganAt, handlers } = playing;
    // Safari does not tell its latency.
    const heardAt = context.currentTime - (context.outputLatency || 0);
    handlers.onTime(piece.start + Math.max(0, heardAt - beganAt));
    requestAnimationFrame(() => this.#followTime(playing));
  }
}
