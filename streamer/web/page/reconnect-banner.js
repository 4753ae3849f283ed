/** The banner above the transcript while there is no connection. */

import { find, setText } from './dom.js';
import { passFocus } from './focus.js';

/** @import { Connection } from '../streamer-client/streamer-client.js' */

/** Milliseconds between two changes of the countdown. */
const TICK_MS = 250;

export class ReconnectBanner {
  #banner = find('reconnect', HTMLElement);
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  #nextAttemptMs = 0;
  #attempt = 0;

  /** @param {() => void} onTryNow */
  constructor(onTryNow) {
    find('try-now', HTMLButtonElement).addEventListener('click', () => {
      this.#nextAttemptMs = performance.now();
      this.#show();
      onTryNow();
    });
  }

  /** @param {Connection} event */
  update({ state, attempt = 0, delay_seconds = 0 }) {
    if (state !== 'reconnecting') {
      this.hide();
      return;
    }
    this.#attempt = attempt;
    this.#nextAttemptMs = performance.now() + delay_seconds * 1000;
    this.#banner.hidden = false;
    // A screen reader announces this text, and not the countdown.
    setText('reconnect-text', 'The connection was lost. Audio is not processed until it is back.');
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#show(), TICK_MS);
    this.#show();
  }

  hide() {
    clearInterval(this.#timer);
    passFocus(this.#banner, 'start');
    this.#banner.hidden = true;
    setText('reconnect-text', '');
  }

  #show() {
    const seconds = Math.ceil((this.#nextAttemptMs - performance.now()) / 1000);
    const next = seconds > 0 ? `Next attempt in ${seconds} s` : 'Connecting …';
    setText('reconnect-countdown', `${next} (attempt ${this.#attempt})`);
    // It keeps the focus: the next attempt may fail too.
    find('try-now', HTMLButtonElement).setAttribute('aria-disabled', String(seconds <= 0));
  }
}
