/** Keeps the newest line in view, unless the person has scrolled away from it. */

import { find } from './dom.js';

/** Pixels by which the newest line may be out of view while the page still follows it. */
const TOLERANCE_PIXELS = 40;

export class Follower {
  #button = find('newest', HTMLButtonElement);
  /** @type {Element | null} */ #newest = null;
  #isFollowing = true;

  constructor() {
    document.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.#button.addEventListener('click', () => this.restart());
  }

  /** Follow from now on. */
  restart() {
    this.#isFollowing = true;
    this.#show();
  }

  /** The run is over: there is no newest line. */
  end() {
    this.#newest = null;
    this.#button.hidden = true;
  }

  /** @param {Element} newest */
  follow(newest) {
    this.#newest = newest;
    this.#show();
  }

  #show() {
    if (this.#isFollowing) this.#newest?.scrollIntoView({ block: 'nearest' });
    this.#button.hidden = this.#isFollowing || this.#newest === null;
  }

  /** The page itself only scrolls to the newest line. */
  #onScroll() {
    if (!this.#newest) return;
    const { top, bottom } = this.#newest.getBoundingClientRect();
    const height = globalThis.innerHeight;
    this.#isFollowing = bottom <= height + TOLERANCE_PIXELS && top >= -TOLERANCE_PIXELS;
    this.#button.hidden = this.#isFollowing;
  }
}
