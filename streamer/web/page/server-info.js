/** What the server offers, and whether it is ready. */

/** @import { Info } from './settings.js' */

/** Milliseconds between two requests while the server's models load. */
const READY_POLL_MS = 1000;

/** Milliseconds until the next attempt when the server cannot be reached. */
const RETRY_MS = 3000;

/**
 * @typedef {object} ServerHandlers
 * @property {() => boolean} isBusy Whether a run is under way. It shows its own state.
 * @property {(info: Info) => void} onInfo
 * @property {(state: 'loading' | 'idle' | 'failed') => void} onState Not called during a run.
 */

/**
 * Request the server's information, and wait until it is ready.
 * @param {ServerHandlers} handlers
 */
export async function watchServer(handlers) {
  const { isBusy, onInfo, onState } = handlers;
  try {
    const reply = await fetch('api/v1/info');
    if (!reply.ok) throw new Error(String(reply.status));
    onInfo(await reply.json());
    while (!(await fetch('api/v1/ready')).ok) {
      if (!isBusy()) onState('loading');
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    if (!isBusy()) onState('idle');
  } catch {
    if (isBusy()) return;
    onState('failed');
    setTimeout(() => void watchServer(handlers), RETRY_MS);
  }
}
