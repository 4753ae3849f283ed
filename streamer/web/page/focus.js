/** The focus of the keyboard, when the element that has it goes. */

import { find } from './dom.js';

/**
 * Pass the focus on before an element is removed, hidden or disabled. Otherwise the browser drops it, and
 * a person with a keyboard begins at the top of the page again.
 * @param {Element} from It, or an element inside of it, may have the focus.
 * @param {'start' | 'transcript'} to Id of the element that receives the focus.
 */
export function passFocus(from, to) {
  if (from.contains(document.activeElement)) find(to, HTMLElement).focus({ preventScroll: true });
}
