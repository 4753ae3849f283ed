/** The level of one channel, as a bar. */

import { make } from './dom.js';

/** Decibels of full scale at which the bar is empty. */
const QUIETEST_DB = -60;

/** Part of the bar by which it falls at most, from one drawing to the next. */
const FALL_PER_FRAME = 0.015;

export class LevelMeter {
  #bar = make('i');
  #shownPart = 0;

  /** @param {number} channel */
  constructor(channel) {
    this.element = make('span', { className: 'level', role: 'meter' }, this.#bar);
    const range = { label: `Level of channel ${channel + 1}`, valuemin: '-60', valuemax: '0' };
    for (const [key, value] of Object.entries(range)) this.element.setAttribute(`aria-${key}`, value);
    this.element.setAttribute('aria-valuenow', '-60');
  }

  /** @param {number} loudest The loudest sample of the last block, 0 to 1. */
  draw(loudest) {
    const decibel = loudest > 0 ? 20 * Math.log10(loudest) : QUIETEST_DB;
    const part = Math.max(0, Math.min(1, 1 - decibel / QUIETEST_DB));
    this.#shownPart = Math.max(part, this.#shownPart - FALL_PER_FRAME);
    this.#bar.style.clipPath = `inset(0 ${(100 * (1 - this.#shownPart)).toFixed(1)}% 0 0)`;
    const value = String(Math.round(Math.max(QUIETEST_DB, decibel)));
    if (this.element.getAttribute('aria-valuenow') !== value) this.element.setAttribute('aria-valuenow', value);
  }
}
