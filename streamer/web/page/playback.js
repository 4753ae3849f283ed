/** Plays the audio of takes for a person, who sees what is played and can stop it. */

import { find, setText } from './dom.js';
import { formatTime } from './format.js';
import { notify } from './notices.js';
import { Player } from './player.js';

/** @import { Piece } from './entry-view.js' */
/** @import { Played } from './played-place.js' */
/** @import { Recording } from './recording.js' */

/** The topic of the notice why nothing is played. */
const TOPIC = 'playback';

/**
 * @typedef {object} PlaybackHandlers
 * @property {() => boolean} isMicrophoneOpen It would hear what is played.
 * @property {(takeId: string, played: Played | null) => void} onPlayed What is heard now; null at the end.
 */

export class Playback {
  #handlers;
  #player = new Player();
  #bar = find('playing', HTMLElement);
  /** @type {string | null} Of the take that is being played. */ #takeId = null;
  /** @type {Element | null} What had the focus when it began. */ #origin = null;

  /** @param {PlaybackHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    find('playing-stop', HTMLButtonElement).addEventListener('click', () => this.stop());
    document.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.stop();
    });
  }

  /** Id of the take that is being played. */
  get takeId() {
    return this.#takeId;
  }

  /**
   * Play a piece in place of what is being played.
   * @param {{id: string, name: string}} take
   * @param {Recording} recording
   * @param {Piece} piece
   */
  play({ id, name }, recording, piece) {
    this.stop();
    if (this.#handlers.isMicrophoneOpen()) {
      const message = 'While the microphone is on, nothing is played: it would be in this take. Press Stop first.';
      notify('info', message, { topic: TOPIC });
      return;
    }
    const isPlaying = this.#player.play(recording, piece, {
      onTime: (time) => {
        setText('playing-time', formatTime(time));
        this.#handlers.onPlayed(id, { piece, time });
      },
      onEnd: () => this.#end(),
    });
    if (!isPlaying) return;
    setText('playing-text', `Playing “${name}”`);
    this.#takeId = id;
    this.#origin = document.activeElement;
    this.#bar.hidden = false;
  }

  stop() {
    this.#player.stop();
    this.#end();
  }

  #end() {
    if (this.#takeId === null) return;
    const id = this.#takeId;
    this.#takeId = null;
    if (this.#bar.contains(document.activeElement) && this.#origin instanceof HTMLElement) this.#origin.focus();
    this.#bar.hidden = true;
    this.#handlers.onPlayed(id, null);
  }
}
