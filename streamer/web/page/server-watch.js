/** What the server offers, and whether it is ready. */

import { requestServer } from './server-request.js';

/** @import { Info } from './settings.js' */

/** Milliseconds between two requests while the server's models load. */
const READY_POLL_MS = 1000;

/** Milliseconds until the next attempt when the server cannot be reached. */
const RETRY_MS = 3000;

/**
 * @typedef {object} ServerHandlers
 * @property {() => boolean} isBusy Whether a run is under way. It shows its own state.
 * @property {() => boolean} isConnecting Whether a run waits for the server. It does not know why.
 * @property {(info: Info) => void} onInfo
 * @property {(state: 'loading' | 'idle' | 'failed') => void} onState During a run, only `loading`.
 * @property {() => void} onReached The server answers.
 */

export class ServerWatch {
  #handlers;
  #isWatching = false;

  /** @param {ServerHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Request the server's information until it answers, and wait until it is ready. */
  watch() {
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#watch();
  }

  async #watch() {
    const { isBusy, onState } = this.#handlers;
    while (!(await this.#reach()) && !isBusy()) {
      onState('failed');
      await pause(RETRY_MS);
    }
    this.#isWatching = false;
    if (!isBusy()) onState('idle');
  }

  /** @returns {Promise<boolean>} Whether the server is ready. */
  async #reach() {
    const { isBusy, isConnecting, onInfo, onState, onReached } = this.#handlers;
    try {
      const reply = await requestServer('api/v1/info');
      if (!reply.ok) return false;
      onInfo(await reply.json());
      onReached();
      let isLoading = false;
      while (!(await requestServer('api/v1/ready')).ok) {
        isLoading = true;
        if (!isBusy() || isConnecting()) onState('loading');
        await pause(READY_POLL_MS);
      }
      // What a model can do is known when it is loaded.
      if (isLoading) onInfo(await (await requestServer('api/v1/info')).json());
      return true;
    } catch {
      return false;
    }
  }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
