/** The state of the page, and the buttons that depend on it. */

import { find, setText } from './dom.js';
import { STATES } from './explanations.js';
import { passFocus } from './focus.js';

/** @import { Connection } from '../streamer-client/streamer-client.js' */

/**
 * @param {string} state
 * @param {string} [text] The name of the state when absent.
 */
export function showState(state, text) {
  find('state', HTMLElement).dataset.state = state;
  setText('state-text', text ?? STATES[state] ?? state);
}

/** @param {Connection} event */
export function showConnection({ state }) {
  if (state === 'idle' || state === 'closed') return;
  showState(state);
  enableFlush(state === 'streaming');
}

/** @param {'start' | 'stop'} action Of the main button. */
export function showAction(action) {
  const button = find('start', HTMLButtonElement);
  button.dataset.does = action;
  document.body.dataset.running = String(action === 'stop');
  button.setAttribute('aria-disabled', 'false');
  setText('start-text', action === 'stop' ? 'Stop' : 'Start');
  if (action === 'start') enableFlush(false);
}

/** The run is ending; the main button has no effect until it has ended. It keeps the focus. */
export function disableAction() {
  find('start', HTMLButtonElement).setAttribute('aria-disabled', 'true');
}

/** @param {boolean} isEnabled */
function enableFlush(isEnabled) {
  const button = find('flush', HTMLButtonElement);
  if (!isEnabled) passFocus(button, 'start');
  button.disabled = !isEnabled;
}
