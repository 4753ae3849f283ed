/** The sliders for voice activity detection (VAD) in the form. */

import { find, make } from './dom.js';

/** @typedef {{name: string, label: string, min: number, max: number, step: number, unit: string, hint?: string}} Range */

const SILENCE_HINT = 'Shorter: final texts come sooner. Longer: fewer sentences are cut in a pause, so fewer words are wrong. '
  + 'Interim results show the words in each pause, whatever this is.';

/** @type {Range[]} Ranges for a person to try; the protocol allows more. */
const RANGES = [
  { name: 'threshold', label: 'Threshold', min: 0.05, max: 0.95, step: 0.05, unit: '' },
  { name: 'min_silence_ms', label: 'Silence that ends a segment', min: 50, max: 3000, step: 50, unit: ' ms', hint: SILENCE_HINT },
  { name: 'min_speech_ms', label: 'Shortest speech', min: 0, max: 1000, step: 10, unit: ' ms' },
  { name: 'prefix_padding_ms', label: 'Audio kept before speech', min: 0, max: 1000, step: 10, unit: ' ms' },
  { name: 'max_segment_ms', label: 'Longest segment', min: 2000, max: 60000, step: 500, unit: ' ms' },
];

export class VadSliders {
  /**
   * `initial` is the slider's value for the server's setting, which may lie between two steps.
   * @type {Map<string, {slider: HTMLInputElement, initial: string}>}
   */
  #sliders = new Map();

  constructor() {
    find('vad-reset', HTMLButtonElement).addEventListener('click', () => this.#reset());
  }

  /** @param {Record<string, number | string>} defaults The server's settings. */
  create(defaults) {
    const rows = RANGES.map((range) => this.#makeRow(range, String(defaults[range.name])));
    find('vad', HTMLElement).replaceChildren(...rows);
  }

  /** @returns {Record<string, number>} The settings that differ from the server's. */
  changed() {
    const changed = [...this.#sliders].filter(([, { slider, initial }]) => slider.value !== initial);
    return Object.fromEntries(changed.map(([name, { slider }]) => [name, Number(slider.value)]));
  }

  /**
   * @param {Range} range
   * @param {string} value The server's setting.
   */
  #makeRow({ name, label, min, max, step, unit, hint }, value) {
    const id = `vad-${name}`;
    const slider = make('input', { type: 'range', id, min: String(min), max: String(max), step: String(step) });
    slider.value = value;
    const initial = slider.value;
    const output = make('output', {}, `${value}${unit}`);
    output.htmlFor.add(id);
    const showValue = () => {
      const shown = slider.value === initial ? value : Number(slider.value);
      output.textContent = `${shown}${unit}`;
    };
    slider.addEventListener('input', showValue);
    slider.addEventListener('change', showValue);
    this.#sliders.set(name, { slider, initial });
    const row = make('div', { className: 'slider' }, make('label', { htmlFor: id }, label), output, slider);
    if (hint !== undefined) {
      slider.setAttribute('aria-describedby', `${id}-hint`);
      row.append(make('p', { className: 'hint', id: `${id}-hint` }, hint));
    }
    return row;
  }

  #reset() {
    for (const { slider, initial } of this.#sliders.values()) {
      slider.value = initial;
      slider.dispatchEvent(new Event('change'));
    }
  }
}
