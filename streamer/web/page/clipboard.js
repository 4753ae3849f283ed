/** Buttons that copy text. */

import { find } from './dom.js';
import { notify } from './notices.js';

/** Milliseconds for which a button shows that it has copied. */
const COPIED_MS = 1500;

/**
 * @param {string} id Of a button.
 * @param {() => string} getText Called when the button is pressed.
 */
export function copyOnClick(id, getText) {
  const button = find(id, HTMLButtonElement);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(getText());
      button.textContent = 'Copied';
    } catch {
      notify('warning', 'The browser does not let this page copy. Use an export instead.');
    }
    setTimeout(() => (button.textContent = 'Copy'), COPIED_MS);
  });
}
