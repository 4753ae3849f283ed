/** The keys that press buttons of the page. */

import { find } from './dom.js';

/** Control and Enter start or stop a run. With Shift, they finish the segment. */
export function listenForShortcuts() {
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const id = event.shiftKey ? 'flush' : 'start';
    find(id, HTMLButtonElement).click();
  });
}
