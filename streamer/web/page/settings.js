/** The form: what the server offers, and what the person has chosen. */

import { find, make } from './dom.js';

/**
 * @typedef {object} Info Part of what `api/v1/info` says.
 * @property {string} version
 * @property {string} model
 * @property {number} sample_rate
 * @property {Array<{name: string, sample_rate?: number}>} [models]
 * @property {Record<string, number | string>} vad
 * @property {{chunk_seconds: number}} simple
 * @property {{max_channels: number}} limits
 * @property {string | null} [sample]
 */

/**
 * @typedef {object} Choices
 * @property {'microphone' | 'file' | 'sample'} source
 * @property {string} deviceId
 * @property {number} channels
 * @property {File | undefined} file
 * @property {boolean} realTime
 * @property {'segmented' | 'simple'} endpoint
 * @property {string | undefined} model
 * @property {boolean} interimResults
 * @property {number} sampleRate
 * @property {Record<string, number>} vad Only those that differ from the server's.
 * @property {string} token
 */

/** Ranges that make sense to try; the protocol allows more. */
const VAD = [
  { name: 'threshold', label: 'Threshold', min: 0.05, max: 0.95, step: 0.05, unit: '' },
  { name: 'min_silence_ms', label: 'Silence that ends a segment', min: 50, max: 3000, step: 50, unit: ' ms' },
  { name: 'min_speech_ms', label: 'Shortest speech', min: 0, max: 1000, step: 10, unit: ' ms' },
  { name: 'prefix_padding_ms', label: 'Audio kept before speech', min: 0, max: 1000, step: 10, unit: ' ms' },
  { name: 'max_segment_ms', label: 'Longest segment', min: 2000, max: 60000, step: 500, unit: ' ms' },
];

const TOKEN_KEY = 'streamer.token';

export class Settings {
  #form = find('settings', HTMLFormElement);
  #token = find('token', HTMLInputElement);
  /** @type {Info | null} */ #info = null;
  /**
   * With the position of the server's own value, which may lie between two steps.
   * @type {Map<string, {slider: HTMLInputElement, untouched: string}>}
   */
  #sliders = new Map();

  constructor() {
    this.#token.value = sessionStorage.getItem(TOKEN_KEY) ?? '';
    this.#form.addEventListener('change', () => this.#arrange());
    find('vad-reset', HTMLButtonElement).addEventListener('click', () => this.#resetVad());
    const devices = navigator.mediaDevices;
    devices?.addEventListener('devicechange', () => void this.listDevices());
    this.#arrange();
  }

  get token() {
    return this.#token.value.trim();
  }

  /** @param {Info} info */
  offer(info) {
    this.#info = info;
    find('sample-choice', HTMLElement).hidden = !info.sample;
    const models = info.models ?? [{ name: info.model }];
    find('model', HTMLSelectElement).replaceChildren(
      ...models.map(({ name }) => make('option', { value: name }, name)),
    );
    find('model-field', HTMLElement).hidden = models.length < 2;
    this.#makeSliders(info.vad);
    this.#arrange();
  }

  /** Show what the file dialogue, or a drop, has brought. @param {FileList} files */
  useFiles(files) {
    find('file', HTMLInputElement).files = files;
    this.#radio('source', 'file').checked = true;
    this.#arrange();
  }

  /** Open the field for the token. */
  askForToken() {
    find('access', HTMLDetailsElement).open = true;
    this.#token.focus();
  }

  /** Names are known only once a microphone was allowed. */
  async listDevices() {
    const select = find('device', HTMLSelectElement);
    const chosen = select.value;
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const inputs = all.filter((one) => one.kind === 'audioinput' && one.deviceId && one.label);
    if (inputs.length === 0) return;
    select.replaceChildren(
      ...inputs.map(({ deviceId, label }) => {
        const value = deviceId === 'default' ? '' : deviceId;
        return make('option', { value }, label);
      }),
    );
    select.value = inputs.some((one) => one.deviceId === chosen) ? chosen : '';
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  /** @returns {Choices} */
  read() {
    const values = new FormData(this.#form);
    if (this.token) sessionStorage.setItem(TOKEN_KEY, this.token);
    else sessionStorage.removeItem(TOKEN_KEY);
    return {
      source: /** @type {Choices['source']} */ (values.get('source')),
      deviceId: find('device', HTMLSelectElement).value,
      channels: Number(find('channels', HTMLSelectElement).value),
      file: find('file', HTMLInputElement).files?.[0],
      realTime: find('real-time', HTMLInputElement).checked,
      endpoint: /** @type {Choices['endpoint']} */ (values.get('endpoint')),
      model: (this.#info?.models?.length ?? 0) > 1 ? find('model', HTMLSelectElement).value : undefined,
      interimResults: find('interim', HTMLInputElement).checked,
      sampleRate: Number(find('rate', HTMLSelectElement).value),
      vad: this.#changedVad(),
      token: this.token,
    };
  }

  /** While a stream runs, its settings cannot be changed. @param {boolean} locked */
  lock(locked) {
    for (const element of this.#form.elements) {
      const isAction = element instanceof HTMLButtonElement && element.id !== 'vad-reset';
      if (!isAction && 'disabled' in element) element.disabled = locked;
    }
  }

  /** Show only what matters for the choices made. */
  #arrange() {
    const values = new FormData(this.#form);
    const source = String(values.get('source') ?? 'microphone');
    const endpoint = String(values.get('endpoint') ?? 'segmented');
    for (const element of this.#form.querySelectorAll('[data-for]')) {
      const fits = element.getAttribute('data-for')?.split(' ').includes(source);
      /** @type {HTMLElement} */ (element).hidden = !fits;
    }
    for (const element of this.#form.querySelectorAll('[data-endpoint]')) {
      /** @type {HTMLElement} */ (element).hidden = element.getAttribute('data-endpoint') !== endpoint;
    }
    const chunk = this.#info?.simple.chunk_seconds ?? 1;
    find('endpoint-hint', HTMLElement).textContent =
      endpoint === 'segmented'
        ? 'Only speech reaches the model, cut at pauses.'
        : `Every sample reaches the model, ${chunk} s at a time.`;
  }

  /** @param {Record<string, number | string>} defaults */
  #makeSliders(defaults) {
    const rows = VAD.map(({ name, label, min, max, step, unit }) => {
      const id = `vad-${name}`;
      const value = String(defaults[name]);
      const slider = make('input', { type: 'range', id, min: String(min), max: String(max), step: String(step) });
      slider.value = value;
      const untouched = slider.value;
      const output = make('output', {}, `${value}${unit}`);
      output.htmlFor.add(id);
      const show = () => {
        const shown = slider.value === untouched ? value : Number(slider.value);
        output.textContent = `${shown}${unit}`;
      };
      slider.addEventListener('input', show);
      slider.addEventListener('change', show);
      this.#sliders.set(name, { slider, untouched });
      return make('div', { className: 'slider' }, make('label', { htmlFor: id }, label), output, slider);
    });
    find('vad', HTMLElement).replaceChildren(...rows);
  }

  #resetVad() {
    for (const { slider, untouched } of this.#sliders.values()) {
      slider.value = untouched;
      slider.dispatchEvent(new Event('change'));
    }
  }

  #changedVad() {
    const changed = [...this.#sliders].filter(([, { slider, untouched }]) => slider.value !== untouched);
    return Object.fromEntries(changed.map(([name, { slider }]) => [name, Number(slider.value)]));
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  #radio(name, value) {
    const found = this.#form.querySelector(`input[name="${name}"][value="${value}"]`);
    return /** @type {HTMLInputElement} */ (found);
  }
}
