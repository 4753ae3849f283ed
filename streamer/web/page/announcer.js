/** Final results for screen readers. */

import { find, make } from './dom.js';
import { lineOf } from './model-output.js';

/** @import { Entry } from './transcript.js' */

/** Number of results that stay in the page for a screen reader. */
const MAX_ANNOUNCED = 10;

/** @param {Entry} entry A final one, or one that failed. */
export function announce(entry) {
  const list = find('announcer', HTMLElement);
  const text = entry.state === 'final' ? lineOf(entry) : `No result: ${entry.problem}`;
  if (text) list.append(make('p', {}, text));
  while (list.children.length > MAX_ANNOUNCED) list.firstElementChild?.remove();
}

export function clearAnnouncements() {
  find('announcer', HTMLElement).replaceChildren();
}
