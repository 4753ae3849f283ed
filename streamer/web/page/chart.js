/** Scores over time, for models that do not transcribe. */

import { clock, colour, find, fit, make } from './dom.js';
import { round } from './exports.js';
import { Series } from './series.js';

const COLOURS = 8;
const WINDOW_SECONDS = 60;
const LEFT = 40;
const BOTTOM = 18;

export class Chart {
  /** @type {Map<number, Series>} By channel. */ #series = new Map();
  /** @type {Map<string, {element: HTMLElement, canvas: HTMLCanvasElement, legend: HTMLElement}>} */
  #panels = new Map();
  #place = find('panels', HTMLElement);
  #section = find('chart', HTMLElement);

  clear() {
    this.#series.clear();
    this.#panels.clear();
    this.#place.replaceChildren();
    this.#section.hidden = true;
  }

  /** @param {import('./transcript.js').Entry} entry A final one. */
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
      for (const panel of series.panels()) this.#drawPanel(channel, series, panel, now);
    }
  }

  /**
   * @param {number} channel
   * @param {Series} series
   * @param {{names: string[], low: number, high: number}} panel
   * @param {number} now
   */
  #drawPanel(channel, series, { names, low, high }, now) {
    const { canvas, legend } = this.#panel(channel, names);
    const place = fit(canvas);
    if (place === null) return;
    const { context, width, height } = place;
    const from = Math.max(0, now - WINDOW_SECONDS);
    const span = Math.max(10, Math.min(WINDOW_SECONDS, now));
    const spread = high - low || 1;
    /** @type {(time: number) => number} */
    const x = (time) => LEFT + ((time - from) / span) * (width - LEFT - 8);
    /** @type {(value: number) => number} */
    const y = (value) => 8 + (1 - (value - low) / spread) * (height - BOTTOM - 12);
    drawAxes(context, { low, high, from, span, width, height, x, y });
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT, height);
    context.clip();
    names.slice(0, COLOURS).forEach((name, index) => {
      context.strokeStyle = colour(`series-${index + 1}`);
      context.lineWidth = 2;
      context.lineJoin = 'round';
      context.beginPath();
      let before = -Infinity;
      for (const { start, end, value } of series.byName.get(name) ?? []) {
        if (end < from) continue;
        // A pause between segments is a pause in the line.
        if (start - before > 0.01) context.moveTo(x(start), y(value));
        else context.lineTo(x(start), y(value));
        context.lineTo(x(end), y(value));
        before = end;
      }
      context.stroke();
    });
    context.restore();
    legend.replaceChildren(...names.map((name, index) => label(name, index, series)));
    canvas.setAttribute('aria-label', describe(channel, names, series));
  }

  /**
   * @param {number} channel
   * @param {string[]} names
   */
  #panel(channel, names) {
    const key = `${channel} ${names.join(' ')}`;
    const known = this.#panels.get(key);
    if (known) return known;
    // A series that has outgrown a shared scale has a panel of its own from now on.
    for (const [other, panel] of this.#panels) {
      const shared = other.split(' ').slice(1).some((name) => names.includes(name));
      if (other.startsWith(`${channel} `) && shared) {
        panel.element.remove();
        this.#panels.delete(other);
      }
    }
    const canvas = make('canvas', { role: 'img' });
    const legend = make('ul', { className: 'legend' });
    const element = make('div', { className: 'panel' }, legend, canvas);
    if (this.#series.size > 1) legend.setAttribute('aria-label', `Channel ${channel + 1}`);
    this.#place.append(element);
    const panel = { element, canvas, legend };
    this.#panels.set(key, panel);
    return panel;
  }
}

/**
 * @param {string} name
 * @param {Series} series
 */
function latest(name, series) {
  const value = series.byName.get(name)?.at(-1)?.value;
  return value === undefined ? '–' : round(value);
}

/**
 * @param {string} name
 * @param {number} index
 * @param {Series} series
 */
function label(name, index, series) {
  const swatch = make('span', { className: 'swatch', aria: { hidden: 'true' } });
  swatch.style.background = index < COLOURS ? `var(--series-${index + 1})` : 'none';
  return make('li', {}, swatch, `${name} `, make('b', {}, latest(name, series)));
}

/**
 * @param {number} channel
 * @param {string[]} names
 * @param {Series} series
 */
const describe = (channel, names, series) =>
  `Channel ${channel + 1} over time; now ${names.map((name) => `${name} ${latest(name, series)}`).join(', ')}`;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{low: number, high: number, from: number, span: number, width: number, height: number,
 *   x: (time: number) => number, y: (value: number) => number}} axes
 */
function drawAxes(context, { low, high, from, span, width, height, x, y }) {
  context.font = `11px ${colour('sans')}`;
  context.textAlign = 'right';
  for (const value of [low, (low + high) / 2, high]) {
    context.fillStyle = colour('line');
    context.fillRect(LEFT, Math.round(y(value)), width - LEFT - 8, 1);
    context.fillStyle = colour('soft');
    context.fillText(compact(value), LEFT - 6, y(value) + 4);
  }
  context.textAlign = 'left';
  const every = span > 30 ? 10 : 2;
  for (let time = Math.ceil(from / every) * every; time < from + span; time += every) {
    context.fillText(clock(time).slice(0, -2), x(time), height - 4);
  }
}

/** @param {number} value */
const compact = (value) =>
  new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 }).format(value);
