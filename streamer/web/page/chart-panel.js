/** Series that share a scale, as lines over time with a legend. */

import { fitCanvas, styleValue } from './canvas.js';
import { make } from './dom.js';
import { formatCompact, formatNumber, formatTime } from './format.js';

/** @import { Series } from './series.js' */

/** Number of colours; further series have no line. */
const COLOURS = 8;

/** Seconds that the chart shows. */
const WINDOW_SECONDS = 60;

/** Seconds that the chart shows at the beginning. */
const MIN_WINDOW_SECONDS = 10;

/** Pixels left of the lines, for the numbers of the scale. */
const LEFT = 40;

/** Pixels below the lines, for the times. */
const BOTTOM = 18;

/** Seconds between two results from which on the line is interrupted. */
const PAUSE_SECONDS = 0.01;

/**
 * @typedef {object} Axes Times in seconds, sizes in pixels.
 * @property {CanvasRenderingContext2D} context
 * @property {number} width
 * @property {number} height
 * @property {number} low
 * @property {number} high
 * @property {number} from
 * @property {number} span
 * @property {(time: number) => number} x
 * @property {(value: number) => number} y
 */

export class ChartPanel {
  #channel;
  #canvas = make('canvas', { role: 'img' });
  #legend = make('ul', { className: 'legend' });
  #title = make('p', { className: 'hint', hidden: true });

  /** @param {number} channel */
  constructor(channel) {
    this.#channel = channel;
    this.#title.textContent = `Channel ${channel + 1}`;
    this.element = make('div', { className: 'panel' }, this.#title, this.#legend, this.#canvas);
  }

  /**
   * @param {Series} series
   * @param {{names: string[], low: number, high: number}} scale
   * @param {number} now
   * @param {boolean} isNamed Whether the panel names its channel.
   */
  draw(series, { names, low, high }, now, isNamed) {
    this.#title.hidden = !isNamed;
    const place = fitCanvas(this.#canvas);
    if (place === null) return;
    const { context, width, height } = place;
    const from = Math.max(0, now - WINDOW_SECONDS);
    const span = Math.max(MIN_WINDOW_SECONDS, Math.min(WINDOW_SECONDS, now));
    const range = high - low || 1;
    /** @type {(time: number) => number} */
    const x = (time) => LEFT + ((time - from) / span) * (width - LEFT - 8);
    /** @type {(value: number) => number} */
    const y = (value) => 8 + (1 - (value - low) / range) * (height - BOTTOM - 12);
    const axes = { ...place, low, high, from, span, x, y };
    drawAxes(axes);
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, width - LEFT, height);
    context.clip();
    names.slice(0, COLOURS).forEach((name, index) => drawLine(axes, series, name, index));
    context.restore();
    this.#legend.replaceChildren(...legendItems(names, series));
    this.#canvas.setAttribute('aria-label', describe(this.#channel, names, series));
  }
}

/**
 * @param {Axes} axes
 * @param {Series} series
 * @param {string} name
 * @param {number} index Of the colour.
 */
function drawLine({ context, from, x, y }, series, name, index) {
  context.strokeStyle = styleValue(`series-${index + 1}`);
  context.lineWidth = 2;
  context.lineJoin = 'round';
  context.beginPath();
  let previousEnd = -Infinity;
  for (const { start, end, value } of series.byName.get(name) ?? []) {
    if (end < from) continue;
    if (start - previousEnd > PAUSE_SECONDS) context.moveTo(x(start), y(value));
    else context.lineTo(x(start), y(value));
    context.lineTo(x(end), y(value));
    previousEnd = end;
  }
  context.stroke();
}

/** @param {Axes} axes */
function drawAxes({ context, low, high, from, span, width, height, x, y }) {
  context.font = `11px ${styleValue('sans')}`;
  context.textAlign = 'right';
  for (const value of [low, (low + high) / 2, high]) {
    context.fillStyle = styleValue('line');
    context.fillRect(LEFT, Math.round(y(value)), width - LEFT - 8, 1);
    context.fillStyle = styleValue('soft');
    context.fillText(formatCompact(value), LEFT - 6, y(value) + 4);
  }
  context.textAlign = 'left';
  const every = span > 30 ? 10 : 2;
  for (let time = Math.ceil(from / every) * every; time < from + span; time += every) {
    context.fillText(formatTime(time).slice(0, -2), x(time), height - 4);
  }
}

/**
 * @param {string[]} names
 * @param {Series} series
 */
function legendItems(names, series) {
  const items = names.map((name, index) => legendItem(name, index, series));
  if (names.length <= COLOURS) return items;
  const remark = `Values without a line: ${names.length - COLOURS}`;
  return [...items.slice(0, COLOURS), make('li', { className: 'hint' }, remark), ...items.slice(COLOURS)];
}

/**
 * @param {string} name
 * @param {number} index
 * @param {Series} series
 */
function legendItem(name, index, series) {
  const item = make('li', {}, `${name} `, make('b', {}, latest(name, series)));
  if (index >= COLOURS) return item;
  const swatch = make('span', { className: 'swatch', aria: { hidden: 'true' } });
  swatch.style.background = `var(--series-${index + 1})`;
  item.prepend(swatch);
  return item;
}

/**
 * @param {number} channel
 * @param {string[]} names
 * @param {Series} series
 */
const describe = (channel, names, series) =>
  `Channel ${channel + 1} over time; now ${names.map((name) => `${name} ${latest(name, series)}`).join(', ')}`;

/**
 * @param {string} name
 * @param {Series} series
 */
function latest(name, series) {
  const value = series.byName.get(name)?.at(-1)?.value;
  return value === undefined ? '–' : formatNumber(value);
}
