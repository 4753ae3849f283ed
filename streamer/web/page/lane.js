/** One channel of the audio: its level and its waveform. */

import { make } from './dom.js';
import { LevelMeter } from './level-meter.js';
import { Waveform } from './waveform.js';

/** @import { Recording } from './recording.js' */
/** @import { Transcript } from './transcript.js' */

export class Lane {
  #channel;
  #meter;
  #waveform;
  #speechMark = make('span', { className: 'hearing' });

  /**
   * @param {number} channel
   * @param {number} channels
   */
  constructor(channel, channels) {
    this.#channel = channel;
    this.#meter = new LevelMeter(channel);
    this.#waveform = new Waveform(channel);
    const name = make('b', {}, channels > 1 ? `Channel ${channel + 1}` : 'Level');
    const head = make('div', { className: 'lane-head' }, name, this.#meter.element, this.#speechMark);
    this.element = make('div', { className: 'lane' }, head, this.#waveform.element);
  }

  /**
   * @param {Recording | null} recording
   * @param {Transcript | null} transcript
   * @param {boolean} isLive Whether audio arrives. Without it, the level is zero.
   * @param {number} nowMs
   */
  draw(recording, transcript, isLive, nowMs) {
    this.#meter.draw(isLive ? (recording?.levels[this.#channel] ?? 0) : 0, nowMs);
    const isSpeech = isLive && transcript?.regions.some((one) => one.channel === this.#channel && one.end === null);
    this.element.dataset.speech = String(isSpeech ?? false);
    const mark = isSpeech ? 'Speech' : '';
    if (this.#speechMark.textContent !== mark) this.#speechMark.textContent = mark;
    this.#waveform.draw(recording, transcript);
  }
}
