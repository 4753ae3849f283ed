/** Notices about the events and the failure of a run. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { explainError, explainWarning } from './explanations.js';
import { formatTime } from './format.js';
import { endNotices, notify } from './notices.js';

/** @import { ClientEvent, Lost, State } from '../streamer-client/streamer-client.js' */
/** @import { Entry } from './transcript.js' */

/** Milliseconds from the last word to its result, below which the server is not behind any more. */
const CAUGHT_UP_MS = 3000;

/** Codes of warnings about which the server's message says no more than the page does. */
const TOLD_IN_FULL = new Set(['interim_shed', 'lagging', 'no_speech']);

/**
 * @param {ClientEvent} event
 * @param {State} state Of the client. An error while it connects ends the run, and is a failure.
 * @param {string} processed What the model does with audio, such as `transcribed`.
 */
export function notifyOfEvent(event, state, processed) {
  if (event.type === 'lost') {
    notifyOfLoss(event, processed);
  } else if (event.type === 'warning') {
    const detail = TOLD_IN_FULL.has(event.code) ? '' : event.message;
    notify('warning', explainWarning(event.code), { detail, topic: event.code });
  } else if (event.type === 'error' && state !== 'connecting') {
    const topic = event.fatal ? 'connection' : '';
    notify('error', explainError(event.code), { detail: event.message, topic });
  } else if (event.type === 'going_away') {
    const message = 'The server is about to restart. The page will reconnect.';
    notify('warning', message, { detail: event.message, topic: 'connection' });
  } else if (event.type === 'started') {
    endNotices('connection');
  } else if (event.type === 'active') {
    endNotices('no_speech');
  } else if (event.type === 'stopped') {
    endNotices('lagging', 'interim_shed');
  }
}

/** @param {Entry} entry Its result may show that the server is not behind any more. */
export function endNoticesAfter({ state, latency: { afterAudio } }) {
  const isPrompt = state === 'final' && afterAudio !== undefined && afterAudio < CAUGHT_UP_MS;
  if (isPrompt) endNotices('lagging', 'interim_shed');
}

/**
 * @param {unknown} error That ended a run. An error that is not the client's is thrown again.
 * @param {boolean} hasToken Whether there was a token in the settings.
 */
export function notifyOfFailure(error, hasToken) {
  if (!(error instanceof StreamerError)) {
    notify('error', 'Something went wrong in the page.', { detail: String(error) });
    throw error;
  }
  const isExplained = error.code.startsWith('microphone');
  const reason = error.code === 'unauthorized' && hasToken ? 'wrong_token' : error.code;
  notify('error', explainError(reason), {
    detail: isExplained ? '' : error.message,
    topic: error.code,
  });
}

/**
 * @param {Lost} event
 * @param {string} processed
 */
function notifyOfLoss({ start_time: start, end_time: end, reason }, processed) {
  const cause = reason === 'outrun' ? 'the network was too slow' : 'the connection was interrupted';
  const times = `Audio from ${formatTime(start)} to ${formatTime(end)}`;
  notify('warning', `${times} was not ${processed}: ${cause}.`);
}

/**
 * A browser does not give the reason why a WebSocket failed. A request shows whether the server runs.
 * @param {StreamerError} error `connection_failed`
 * @returns {Promise<StreamerError>} The same, or one that says that the server refused.
 */
export async function examineFailedConnection(error) {
  const isRunning = await fetch('api/v1/health').then(
    ({ ok }) => ok,
    () => false,
  );
  return isRunning ? new StreamerError('connection_refused', error.message) : error;
}
