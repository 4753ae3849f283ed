/** The form with the settings of a run. */

import { find, make } from './dom.js';
import { Folds } from './folds.js';
import { MicrophoneList } from './microphone-list.js';
import { VadSliders } from './vad-sliders.js';

/**
 * @typedef {object} Info Part of the server's reply to `api/v1/info`.
 * @property {string} version
 * @property {string} model
 * @property {number} sample_rate
 * @property {Array<{name: string, type?: string, sample_rate?: number}>} [models]
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

/** The key of the token in the storage of the tab. */
const TOKEN_KEY = 'streamer.token';

/** Shows what the server offers, and reads what the person has chosen. */
export class Settings {
  #form = find('settings', HTMLFormElement);
  #token = find('token', HTMLInputElement);
  #microphones = new MicrophoneList();
  #vad = new VadSliders();
  #folds = new Folds();
  /** @type {Info | null} */ #info = null;

  /** @param {() => void} onChange The choices are others than before. */
  constructor(onChange) {
    this.#token.value = sessionStorage.getItem(TOKEN_KEY) ?? '';
    this.#form.addEventListener('change', () => {
      this.#showRelevantFields();
      onChange();
    });
    this.#showRelevantFields();
  }

  get token() {
    return this.#token.value.trim();
  }

  /** @param {Info} info */
  showOffer(info) {
    find('sample-choice', HTMLElement).hidden = !info.sample;
    const models = info.models ?? [{ name: info.model }];
    const list = find('model', HTMLSelectElement);
    const chosen = list.value;
    list.replaceChildren(...models.map(({ name }) => make('option', { value: name }, name)));
    if (models.some(({ name }) => name === chosen)) list.value = chosen;
    find('model-field', HTMLElement).hidden = models.length < 2;
    if (JSON.stringify(info.vad) !== JSON.stringify(this.#info?.vad)) this.#vad.create(info.vad);
    this.#info = info;
    this.#showRelevantFields();
  }

  /**
   * Choose files that were dropped onto the page.
   * @param {FileList} files
   */
  useFiles(files) {
    find('file', HTMLInputElement).files = files;
    this.#radio('source', 'file').checked = true;
    this.#showRelevantFields();
  }

  /** Open the field for the token. */
  openTokenField() {
    this.#folds.openAdvanced();
    this.#token.focus();
  }

  /** A run begins: on a phone, only the buttons stay. */
  fold() {
    this.#folds.fold();
  }

  /** Keep the token for a reload of this tab. */
  rememberToken() {
    if (this.token) sessionStorage.setItem(TOKEN_KEY, this.token);
    else sessionStorage.removeItem(TOKEN_KEY);
  }

  async listMicrophones() {
    await this.#microphones.refresh();
  }

  /** @returns {Choices} */
  read() {
    const values = new FormData(this.#form);
    return {
      source: /** @type {Choices['source']} */ (values.get('source') ?? 'microphone'),
      deviceId: this.#microphones.selected,
      channels: Number(find('channels', HTMLSelectElement).value),
      file: find('file', HTMLInputElement).files?.[0],
      realTime: find('real-time', HTMLInputElement).checked,
      endpoint: /** @type {Choices['endpoint']} */ (values.get('endpoint') ?? 'segmented'),
      model: (this.#info?.models?.length ?? 0) > 1 ? find('model', HTMLSelectElement).value : undefined,
      interimResults: find('interim', HTMLInputElement).checked,
      sampleRate: Number(find('rate', HTMLSelectElement).value),
      vad: this.#vad.changed(),
      token: this.token,
    };
  }

  /**
   * Settings cannot be changed while a stream runs.
   * @param {boolean} isLocked
   */
  lock(isLocked) {
    for (const element of this.#form.elements) {
      const isAction = element instanceof HTMLButtonElement && element.id !== 'vad-reset';
      if (!isAction && 'disabled' in element) element.disabled = isLocked;
    }
  }

  /** Hide the fields that have no effect with the present choices. */
  #showRelevantFields() {
    const values = new FormData(this.#form);
    const source = String(values.get('source') ?? 'microphone');
    const endpoint = String(values.get('endpoint') ?? 'segmented');
    for (const element of this.#form.querySelectorAll('[data-for]')) {
      const isRelevant = element.getAttribute('data-for')?.split(' ').includes(source);
      /** @type {HTMLElement} */ (element).hidden = !isRelevant;
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

  /**
   * @param {string} name
   * @param {string} value
   */
  #radio(name, value) {
    const found = this.#form.querySelector(`input[name="${name}"][value="${value}"]`);
    return /** @type {HTMLInputElement} */ (found);
  }
}
