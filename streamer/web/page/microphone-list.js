/** The list of microphones in the form. */

import { find, make } from './dom.js';

export class MicrophoneList {
  #select = find('device', HTMLSelectElement);

  constructor() {
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.refresh());
  }

  /** Id of the microphone that is chosen; empty for the default one. */
  get selected() {
    return this.#select.value;
  }

  /** Browsers reveal the names only after the person has allowed a microphone. */
  async refresh() {
    const chosen = this.#select.value;
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const inputs = all.filter((one) => one.kind === 'audioinput' && one.deviceId && one.label);
    if (inputs.length === 0) return;
    this.#select.replaceChildren(
      ...inputs.map(({ deviceId, label }) => {
        const value = deviceId === 'default' ? '' : deviceId;
        return make('option', { value }, label);
      }),
    );
    this.#select.value = inputs.some((one) => one.deviceId === chosen) ? chosen : '';
    if (this.#select.selectedIndex < 0) this.#select.selectedIndex = 0;
  }
}
