/** The error of a method that needs a stream. */

import { StreamerError } from './errors.js';

/** @import { State } from './messages.js' */

/** @type {Partial<Record<State, string>>} */
const REASONS = {
  idle: 'it has ended, or was not started; then the state is idle, and the event `connection` reports it',
  connecting: 'start() has not resolved yet; close() gives up, and ends the client',
  stopping: 'stop() was called before',
  closed: 'close() was called before',
};

/**
 * @param {string} purpose What the method does, such as `flush`.
 * @param {State} state Of the client.
 * @returns {StreamerError} `not_started`
 */
export function noStreamError(purpose, state) {
  return new StreamerError('not_started', `there is no stream to ${purpose}: ${REASONS[state] ?? state}`);
}
