/** Errors and warnings above the transcript, until a person dismisses them. */

import { find, make } from './dom.js';

/** Notices that are shown at once. */
const MAX_NOTICES = 5;

/** @typedef {'error' | 'warning' | 'info'} Kind */

/**
 * @param {Kind} kind
 * @param {string} message
 * @param {string} [detail] The server's own message.
 */
export function notify(kind, message, detail = '') {
  const list = find('notices', HTMLElement);
  const same = [...list.children].find((one) => one.firstElementChild?.textContent === message + detail);
  same?.remove();
  const dismiss = make('button', { type: 'button', aria: { label: 'Dismiss' } }, '×');
  const text = make('div', {}, message, ...(detail ? [make('small', {}, detail)] : []));
  const notice = make('div', { className: 'notice', role: kind === 'error' ? 'alert' : 'status' }, text, dismiss);
  notice.dataset.kind = kind;
  dismiss.addEventListener('click', () => notice.remove());
  list.append(notice);
  while (list.children.length > MAX_NOTICES) list.firstElementChild?.remove();
}

export function clearNotices() {
  find('notices', HTMLElement).replaceChildren();
}
