/** A question in the page before something is removed. */

import { make } from './dom.js';

/**
 * Show a question in a place of its own, and move the focus there.
 * @param {HTMLElement} place
 * @param {{question: string, yes: string, no: string, returnTo: HTMLElement}} texts `returnTo`
 *   receives the focus when the answer is no.
 * @param {() => void} onYes
 */
export function ask(place, { question, yes, no, returnTo }, onYes) {
  const agree = make('button', { type: 'button', className: 'secondary' }, yes);
  const refuse = make('button', { type: 'button', className: 'secondary' }, no);
  const close = () => {
    place.hidden = true;
    place.replaceChildren();
  };
  agree.addEventListener('click', () => {
    close();
    onYes();
  });
  refuse.addEventListener('click', () => {
    close();
    returnTo.focus();
  });
  place.replaceChildren(make('p', {}, question), agree, refuse);
  place.hidden = false;
  place.scrollIntoView({ block: 'nearest' });
  refuse.focus({ preventScroll: true });
}
