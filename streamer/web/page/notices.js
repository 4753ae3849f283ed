/** Errors and warnings above the transcript, until they are over or a person dismisses them. */

import { find, make } from './dom.js';
import { passFocus } from './focus.js';

/** Notices of each list that are shown at once. */
const MAX_NOTICES = 4;

/** @typedef {'error' | 'warning' | 'info'} Kind */

/** @typedef {{label: string, act: () => void}} Action A button in the notice. */

/**
 * Show a notice, and scroll to it. Screen readers announce it. It replaces one with the same message: of
 * many segments that fail, only the detail of the last one is shown here; each segment's own line has its detail.
 * @param {Kind} kind
 * @param {string} message
 * @param {object} [options]
 * @param {string} [options.detail] The server's own message.
 * @param {string} [options.topic] For `endNotices`. One that begins with `takes` outlives a run.
 * @param {Action} [options.action]
 */
export function notify(kind, message, { detail = '', topic = '', action } = {}) {
  // `remarks` is a live region; what is added to `alerts` has the role of an alert.
  const list = find(kind === 'error' ? 'alerts' : 'remarks', HTMLElement);
  const same = [...list.children].find((one) => one.firstElementChild?.firstChild?.textContent === message);
  if (same) remove(same);
  const dismiss = make('button', { type: 'button', aria: { label: 'Dismiss' } }, '×');
  const text = make('div', {}, message, ...(detail ? [make('small', {}, detail)] : []));
  const notice = make('div', { className: 'notice', dataset: { kind, topic } }, text);
  if (kind === 'error') notice.setAttribute('role', 'alert');
  if (action) {
    const button = make('button', { type: 'button', className: 'act' }, action.label);
    button.addEventListener('click', () => {
      remove(notice);
      action.act();
    });
    notice.append(button);
  }
  dismiss.addEventListener('click', () => remove(notice));
  notice.append(dismiss);
  list.append(notice);
  for (const surplus of [...list.children].slice(0, -MAX_NOTICES)) remove(surplus);
  notice.scrollIntoView({ block: 'nearest' });
}

/**
 * What these notices say is over.
 * @param {...string} topics
 */
export function endNotices(...topics) {
  for (const topic of topics) {
    const notices = find('notices', HTMLElement).querySelectorAll(`.notice[data-topic="${topic}"]`);
    for (const notice of notices) remove(notice);
  }
}

/** A new run begins: what the last one had to say is over. Notices about takes stay. */
export function clearRunNotices() {
  for (const notice of find('notices', HTMLElement).querySelectorAll('.notice')) {
    if (!/** @type {HTMLElement} */ (notice).dataset.topic?.startsWith('takes')) remove(notice);
  }
}

/** @param {Element} notice */
function remove(notice) {
  passFocus(notice, 'transcript');
  notice.remove();
}
