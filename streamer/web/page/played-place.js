/** The place in a take that is being played: its word is lit, and its button is pressed. */

/** @import { Piece } from './entry-view.js' */

/** @typedef {{piece: Piece, time: number}} Played What was asked for, and the time that is heard. */

/** @typedef {{piece: Piece, item: HTMLElement}} Placed A segment or a gap, and its item. */

/** Seconds after its end for which a word stays lit, if the next one does not begin before. */
const LINGER_SECONDS = 0.25;

export class PlayedPlace {
  /** @type {HTMLElement | null} */ #word = null;
  /** @type {HTMLElement | null} */ #button = null;

  /**
   * @param {Placed[]} places In order of time on each channel.
   * @param {Played | null} played Null: nothing.
   */
  show(places, played) {
    const there = played === null ? [] : placesAt(places, played);
    this.#press(played && buttonAt(there, played));
    this.#light(played && wordAt(there, played));
  }

  /** @param {HTMLElement | null} button */
  #press(button) {
    if (button === this.#button) return;
    this.#button?.setAttribute('aria-pressed', 'false');
    button?.setAttribute('aria-pressed', 'true');
    this.#button = button;
  }

  /** @param {HTMLElement | null} word */
  #light(word) {
    if (word === this.#word) return;
    // Who has scrolled away from what is being played is left there.
    if (word && this.#word && isInView(this.#word)) word.scrollIntoView({ block: 'nearest' });
    this.#word?.removeAttribute('aria-current');
    word?.setAttribute('aria-current', 'true');
    this.#word = word;
  }
}

/**
 * @param {Placed[]} places
 * @param {Played} played
 */
function placesAt(places, { piece: { channel }, time }) {
  return places.filter(
    ({ piece }) => piece.channel === channel && piece.start <= time && time < piece.end + LINGER_SECONDS,
  );
}

/**
 * @param {Placed[]} places
 * @param {Played} played
 * @returns {HTMLElement | null} Of the piece that was asked for, or else of the last one at this time.
 */
function buttonAt(places, { piece, time }) {
  const place = places.find((one) => one.piece === piece) ?? places.findLast((one) => time < one.piece.end);
  return place?.item.querySelector('button') ?? null;
}

/**
 * @param {Placed[]} places
 * @param {Played} played The clock may be a little behind the end of its piece.
 * @returns {HTMLElement | null} The last word that has begun, unless it ended a while ago.
 */
function wordAt(places, { piece, time }) {
  const words = places.flatMap(({ item }) => /** @type {HTMLElement[]} */ ([...item.querySelectorAll('.word')]));
  const word = words.findLast(({ dataset: { start } }) => Number(start) <= time && Number(start) < piece.end);
  return word && time < Number(word.dataset.end) + LINGER_SECONDS ? word : null;
}

/** @param {HTMLElement} element */
function isInView(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < globalThis.innerHeight;
}
