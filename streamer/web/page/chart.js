/** Scores over time, for models that do not transcribe. */

import { ChartPanel } from './chart-panel.js';
import { find } from './dom.js';
import { Series } from './series.js';

/** @import { Entry } from './transcript.js' */

/** Keeps the series of each channel, and a panel for each group of series that share a scale. */
export class Chart {
  /** @type {Map<number, Series>} By channel. */ #series = new Map();
  /** @type {Array<{channel: number, names: string[], panel: ChartPanel}>} */ #panels = [];
  #place = find('panels', HTMLElement);
  #section = find('chart', HTMLElement);

  clear() {
    this.#series.clear();
    this.#panels = [];
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
      for (const scale of series.panels()) {
        this.#panel(channel, scale.names).draw(series, scale, now, this.#series.size > 1);
      }
    }
  }

  /**
   * @param {number} channel
   * @param {string[]} names
   */
  #panel(channel, names) {
    const shared = this.#panels.filter((one) => one.channel === channel && one.names.some((name) => names.includes(name)));
    const [existing] = shared;
    if (existing && existing.names.join('\n') === names.join('\n')) return existing.panel;
    // A series that exceeds its shared scale now gets a panel of its own.
    for (const { panel } of shared) panel.element.remove();
    const panel = new ChartPanel(channel);
    // Results of channels arrive in any order.
    const rest = this.#panels.filter((one) => !shared.includes(one));
    const next = rest.find((one) => one.channel > channel);
    this.#place.insertBefore(panel.element, next?.panel.element ?? null);
    const at = next ? rest.indexOf(next) : rest.length;
    this.#panels = [...rest.slice(0, at), { channel, names, panel }, ...rest.slice(at)];
    return panel;
  }
}
