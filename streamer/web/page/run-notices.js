/** Notices about the events and the failure of a run. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { explainError, explainWarning } from './explanations.js';
import { formatTime } from './format.js';
import { endNotices, notify } from './notices.js';
import { requestServer } from './server-request.js';

/** @import { ClientEvent, Lost, State } from '../streamer-client/streamer-client.js' */
/** @import { Entry } from './transcript.js' */

/** Milliseconds from the last word to its result, below which the server is not behind any more. */
const CAUGHT_UP_MS = 3000;

/** Codes whose message says no more than the page does. */
const TOLD_IN_FULL = new Set([
  'interim_shed', 'lagging', 'no_answer', 'no_speech', 'unauthorized', 'insecure_page', 'audio_blocked',
]);

/**
 * @param {ClientEvent} event
 * @param {State} state Of the client. An error while it connects ends the run, and is a failure.
 * @param {string} processed What the model does with audio, such as `transcribed`.
 */
export function notifyOfEvent(event, state, processed) {
  if (event.type === 'lost') {
    notifyOfLoss(event, processed);
  } else if (event.type === 'warning') {
    // The page asks for words by itself; without them, it shows no less than before.
    if (event.code === 'no_words') return;
    const detail = TOLD_IN_FULL.has(event.code) ? '' : event.message;
    notify('warning', explainWarning(event.code), { detail, topic: event.code });
  } else if (event.type === 'error' && state !== 'connecting') {
    const topic = event.fatal ? 'connection' : '';
    const detail = TOLD_IN_FULL.has(event.code) ? '' : event.message;
    notify('error', explainError(event.code), { detail, topic });
  } else if (event.type === 'going_away') {
    const message = 'The server is about to restart. The page will reconnect.';
    notify('warning', message, { detail: event.message, topic: 'connection' });
  } else if (event.type === 'started') {
    endNotices('connection', 'no_answer');
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
  // What the server says of a token is for programs; of the others, the page says all that there is.
  const isExplained = error.code.startsWith('microphone') || TOLD_IN_FULL.has(error.code);
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
 * Why there is no connection. A browser does not give the reason why a WebSocket failed, and the client's
 * message lists those of any page and any server. This page came from the server, so a request shows
 * more.
 * @returns {Promise<StreamerError>} Its code says whether the server runs; its message, what to do.
 */
export async function examineFailedConnection() {
  const reply = await requestServer('api/v1/ready').catch(() => null);
  // It is not ready while models load, but then a stream waits.
  const { status } = (await reply?.json().catch(() => null)) ?? {};
  if (status === undefined) return new StreamerError('connection_failed', '');
  if (status === 'draining') return new StreamerError('server_ending', '');
  const remedy = `If that does not help, add ${location.origin} to access.origins in the server’s settings.`;
  return new StreamerError('connection_refused', remedy);
}
