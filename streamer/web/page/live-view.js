/** The part of the page that moves while audio is sent. */

import { Chart } from './chart.js';
import { find, setText } from './dom.js';
import { formatTime } from './format.js';
import { Lane } from './lane.js';

/** @import { Run } from './run.js' */
/** @import { Entry } from './transcript.js' */

/** Milliseconds from one drawing to the next for people who prefer reduced motion. */
const REDUCED_MOTION_MS = 500;

/** Draws the lanes of the channels, the chart of scores, and the length of the audio. */
export class LiveView {
  #getRun;
  #chart = new Chart();
  /** @type {Lane[]} */ #lanes = [];
  #reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
  #drawnAtMs = 0;

  /** @param {() => Run | null} getRun */
  constructor(getRun) {
    this.#getRun = getRun;
    this.#setLanes(1);
    requestAnimationFrame((now) => this.#draw(now));
  }

  /** @param {number} channels */
  clear(channels) {
    this.#chart.clear();
    this.#setLanes(channels);
  }

  /** @param {Entry} entry A final one, of a model that does not transcribe. */
  addScores(entry) {
    this.#chart.add(entry);
  }

  /** @param {number} now In milliseconds. */
  #draw(now) {
    requestAnimationFrame((next) => this.#draw(next));
    if (this.#reducedMotion.matches && now - this.#drawnAtMs < REDUCED_MOTION_MS) return;
    this.#drawnAtMs = now;
    const run = this.#getRun();
    const seconds = run?.recording.seconds ?? 0;
    const isLive = run !== null && !run.isOver;
    for (const lane of this.#lanes) {
      lane.draw(run?.recording ?? null, run?.transcript ?? null, isLive, now);
    }
    this.#chart.draw(seconds);
    setText('n-audio', formatTime(seconds));
    setText('n-waiting', `${(run?.client.bufferedSeconds ?? 0).toFixed(1)} s`);
  }

  /** @param {number} channels */
  #setLanes(channels) {
    this.#lanes = Array.from({ length: channels }, (_, channel) => new Lane(channel, channels));
    const place = find('lanes', HTMLElement);
    place.dataset.lanes = channels > 1 ? 'many' : 'one';
    place.replaceChildren(...this.#lanes.map((lane) => lane.element));
  }
}
