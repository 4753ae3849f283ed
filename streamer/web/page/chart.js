/** Scores over time, for models that do not transcribe. */

import { ChartPanel } from './chart-panel.js';
import { find } from './dom.js';
import { Series } from './series.js';

/** @import { Entry } from './transcript.js' */

/** Keeps the series of each channel, and a panel for each group of series that share a scale. */
export class Chart {
  /** @type {Map<number, Series>} By channel. */ #series = new Map();
  /** @type {Map<string, ChartPanel>} By channel and names of the series. */ #panels = new Map();
  #place = find('panels', HTMLElement);
  #section = find('chart', HTMLElement);

  clear() {
    this.#series.clear();
    this.#panels.clear();
    this.#place.replaceChildren();
    this.#section.hidden = true;
  }

  /** @param {Entry} entry A final one. */
  add({ channel, start, end, output }) {
    if (output === null) return;
    const series = this.#series.get(channel) ?? new Series();
    this.#series.set(channel, series);
    series.add(start, end, output);
    this.#section.hidden = false;
  }

  /** @param {number} now In seconds. */
  draw(now) {
    for (const [channel, series] of this.#series) {
      for (const scale of series.panels()) this.#panel(channel, scale.names).draw(series, scale, now);
    }
  }

  /**
   * @param {number} channel
   * @param {string[]} names
   */
  #panel(channel, names) {
    const key = `${channel} ${names.join(' ')}`;
    const existing = this.#panels.get(key);
    if (existing) return existing;
    // A series that exceeds its shared scale now gets a panel of its own.
    for (const [other, panel] of this.#panels) {
      const isShared = other.split(' ').slice(1).some((name) => names.includes(name));
      if (other.startsWith(`${channel} `) && isShared) {
        panel.element.remove();
        this.#panels.delete(other);
      }
    }
    const panel = new ChartPanel(channel, this.#series.size > 1);
    this.#place.append(panel.element);
    this.#panels.set(key, panel);
    return panel;
  }
}
