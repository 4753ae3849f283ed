/** The level of one channel, as a bar. */

import { make } from './dom.js';

/** Decibels of full scale at which the bar is empty. */
const QUIETEST_DB = -60;

/** Part of the bar by which it falls in a second at most, however often it is drawn. */
const FALL_PER_SECOND = 0.9;

export class LevelMeter {
  #bar = make('i');
  #shownPart = 0;
  #drawnAtMs = 0;

  /** @param {number} channel */
  constructor(channel) {
    this.element = make('span', { className: 'level', role: 'meter' }, this.#bar);
    const range = { label: `Level of channel ${channel + 1}`, valuemin: '-60', valuemax: '0' };
    for (const [key, value] of Object.entries(range)) this.element.setAttribute(`aria-${key}`, value);
    this.element.setAttribute('aria-valuenow', '-60');
  }

  /**
   * @param {number} loudest The loudest sample of the last block, 0 to 1.
   * @param {number} nowMs
   */
  draw(loudest, nowMs) {
    const decibel = loudest > 0 ? 20 * Math.log10(loudest) : QUIETEST_DB;
    const part = Math.max(0, Math.min(1, 1 - decibel / QUIETEST_DB));
    this.#shownPart = Math.max(part, fallen(this.#shownPart, nowMs - this.#drawnAtMs));
    this.#drawnAtMs = nowMs;
    this.#bar.style.clipPath = `inset(0 ${(100 * (1 - this.#shownPart)).toFixed(1)}% 0 0)`;
    const value = String(Math.round(Math.max(QUIETEST_DB, decibel)));
    if (this.element.getAttribute('aria-valuenow') !== value) this.element.setAttribute('aria-valuenow', value);
  }
}

/**
 * @param {number} part Of the bar, that was shown.
 * @param {number} elapsedMs Since then.
 * @returns {number} The part to which it may fall.
 */
export const fallen = (part, elapsedMs) => Math.max(0, part - (FALL_PER_SECOND * elapsedMs) / 1000);
