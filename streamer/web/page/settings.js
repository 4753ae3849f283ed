/** The form with the settings of a run. */

import { ContainerRecorder } from '../streamer-client/streamer-client.js';
import { find, make } from './dom.js';
import { passFocus } from './focus.js';
import { Folds } from './folds.js';
import { KeyTermsField } from './key-terms-field.js';
import { MicrophoneList } from './microphone-list.js';
import { VadSliders } from './vad-sliders.js';

/**
 * @typedef {object} Info Part of the server's reply to `api/v1/info`.
 * @property {string} version
 * @property {string} model
 * @property {number} sample_rate
 * @property {Array<{name: string, type?: string, sample_rate?: number, words?: boolean, keyterms?: boolean}>} [models]
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
 * @property {boolean} isCompressed Of a microphone: the browser encodes the audio, and the server decodes it.
 * @property {string[]} keyterms
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
  #keyTerms = new KeyTermsField();
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
    find('mark-field', HTMLElement).hidden = !info.models?.some(({ words }) => words);
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

  /** What the server would not accept, for people; empty if it may accept everything. */
  get problem() {
    return this.#keyTerms.problem;
  }

  /** Open the field that `problem` is about. */
  openProblem() {
    this.#folds.openAdvanced();
    this.#keyTerms.focus();
  }

  /** Show the source, and focus the field for the file if that is the source. */
  openSource() {
    this.#folds.open();
    find('file', HTMLInputElement).focus();
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
      model: this.#model,
      interimResults: find('interim', HTMLInputElement).checked,
      sampleRate: Number(find('rate', HTMLSelectElement).value),
      isCompressed: this.#isCompressed,
      keyterms: this.#keyTerms.terms,
      vad: this.#vad.changed(),
      token: this.token,
    };
  }

  /**
   * Settings of a stream cannot be changed while it runs.
   * @param {boolean} isLocked
   */
  lock(isLocked) {
    for (const element of this.#form.elements) {
      const isAction = element instanceof HTMLButtonElement && element.id !== 'vad-reset';
      if (isAction || element.id === 'mark-uncertain' || !('disabled' in element)) continue;
      if (isLocked) passFocus(element, 'start');
      element.disabled = isLocked;
    }
  }

  /** The name of the model, where there is a choice. */
  get #model() {
    return (this.#info?.models?.length ?? 0) > 1 ? find('model', HTMLSelectElement).value : undefined;
  }

  /** A container of a browser has one channel here: sides that are on their own are sent as PCM. */
  get #mayCompress() {
    return ContainerRecorder.isSupported && find('channels', HTMLSelectElement).value === '1';
  }

  /** Of a microphone. The browser then has a sample rate of its own. */
  get #isCompressed() {
    return this.#mayCompress && find('compressed', HTMLInputElement).checked;
  }

  /** Hide the fields that have no effect with the present choices. */
  #showRelevantFields() {
    this.#keyTerms.show(mayUseKeyTerms(this.#info, this.#model));
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
    if (!this.#mayCompress) find('compressed-field', HTMLElement).hidden = true;
    find('rate-field', HTMLElement).hidden = source === 'microphone' && this.#isCompressed;
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

/**
 * @param {Info | null} info
 * @param {string | undefined} model Its name; the server's first model when absent.
 * @returns {boolean} Whether it gives the times and the certainty of words.
 */
export function hasWords(info, model) {
  return described(info, model)?.words === true;
}

/**
 * @param {Info | null} info
 * @param {string | undefined} model Its name; the server's first model when absent.
 * @returns {boolean} Whether it uses key terms, or the server does not say.
 */
export function mayUseKeyTerms(info, model) {
  return info !== null && described(info, model)?.keyterms !== false;
}

/**
 * @param {Info | null} info
 * @param {string | undefined} model
 */
function described(info, model) {
  const models = info?.models ?? [];
  return models.find(({ name }) => name === model) ?? models[0];
}
