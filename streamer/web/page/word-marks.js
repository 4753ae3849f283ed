/** Whether uncertain words are marked, as a person chose it. */

import { find } from './dom.js';

/** The key that remembers the choice. */
const KEY = 'streamer.mark-uncertain';

/** Whether the choice is that uncertain words are marked. */
export const areWordsMarked = () => find('mark-uncertain', HTMLInputElement).checked;

/**
 * Restore the choice, and follow it.
 * @param {() => void} onChange
 */
export function followMarks(onChange) {
  const choice = find('mark-uncertain', HTMLInputElement);
  const show = () => {
    find('takes', HTMLElement).dataset.marks = String(choice.checked);
    onChange();
  };
  choice.checked = read() !== 'off';
  choice.addEventListener('change', () => {
    write(choice.checked ? 'on' : 'off');
    show();
  });
  show();
}

function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // the browser stores nothing
  }
}

/** @param {string} value */
function write(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // It is not remembered.
  }
}
