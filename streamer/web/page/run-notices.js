/** Notices about the events and the failure of a run. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { explainError, explainWarning } from './explanations.js';
import { formatTime } from './format.js';
import { notify } from './notices.js';

/** @import { ClientEvent, Lost, State } from '../streamer-client/streamer-client.js' */

/**
 * @param {ClientEvent} event
 * @param {State} state Of the client. An error while it connects ends the run, and is a failure.
 */
export function notifyOfEvent(event, state) {
  if (event.type === 'lost') {
    notifyOfLoss(event);
  } else if (event.type === 'warning') {
    notify('warning', explainWarning(event.code), event.message);
  } else if (event.type === 'error' && state !== 'connecting') {
    notify('error', explainError(event.code), event.message);
  } else if (event.type === 'going_away') {
    notify('warning', 'The server is about to restart. The page will reconnect.', event.message);
  }
}

/** @param {unknown} error That ended a run. An error that is not the client's is thrown again. */
export function notifyOfFailure(error) {
  if (!(error instanceof StreamerError)) {
    notify('error', 'Something went wrong in the page.', String(error));
    throw error;
  }
  if (error.code === 'connection_failed') {
    void notifyOfFailedConnection(error);
    return;
  }
  notify('error', explainError(error.code), error.code.startsWith('microphone') ? '' : error.message);
}

/** @param {Lost} event */
function notifyOfLoss({ start_time: start, end_time: end, reason }) {
  const cause = reason === 'outrun' ? 'the network was too slow' : 'the connection was interrupted';
  const times = `Audio from ${formatTime(start)} to ${formatTime(end)}`;
  notify('warning', `${times} was not transcribed: ${cause}.`);
}

/**
 * A browser does not give the reason why a WebSocket failed. A request shows whether the server runs.
 * @param {StreamerError} error
 */
async function notifyOfFailedConnection({ code, message }) {
  const isRunning = await fetch('api/v1/health').then(
    ({ ok }) => ok,
    () => false,
  );
  notify('error', explainError(isRunning ? 'connection_refused' : code), message);
}
