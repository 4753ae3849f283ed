/** The takes: in the storage, on the page, and while they are made. */

import { clearAnnouncements } from './announcer.js';
import { find, setText } from './dom.js';
import { Follower } from './follower.js';
import { endNotices, notify } from './notices.js';
import { MAX_AUDIO_BYTES, Recordings } from './recordings.js';
import { TakeBook } from './take-book.js';
import { TakeSync } from './take-sync.js';
import { isEmpty, isTranscript } from './take.js';
import { TakesView } from './takes-view.js';

/** @import { TakeAudio } from './entry-view.js' */
/** @import { Playback } from './playback.js' */
/** @import { Played } from './played-place.js' */
/** @import { Recording } from './recording.js' */
/** @import { SourceKind, Take } from './take.js' */
/** @import { Entry } from './transcript.js' */

const KEPT =
  'Takes are kept in this browser, also after a reload. Audio is not stored: after a reload, takes cannot be played.';
const NOT_KEPT =
  'This browser does not store takes for this page: export them before you close or reload it.';

export class TakeDesk {
  #book = new TakeBook();
  #sync;
  #view;
  #follower = new Follower();
  #recordings = new Recordings();
  #playback;
  /** @type {Take | null} The take that is being made. */ #current = null;
  /** @type {Set<string>} Ids of takes without the beginning of their audio, which was said. */
  #shortened = new Set();

  /**
   * @param {Playback} playback
   * @param {() => void} onChange The takes are others than before.
   */
  constructor(playback, onChange) {
    this.#playback = playback;
    this.onChange = onChange;
    this.#view = new TakesView({
      rename: (take, name) => this.#rename(take, name),
      remove: (take) => this.#remove(take),
      forget: () => this.#forget(),
    });
    this.#sync = new TakeSync({
      onChanged: (take, bytes) => this.#onChangedElsewhere(take, bytes),
      onRemoved: (id) => this.#onRemovedElsewhere(id),
      onForgotten: () => this.#book.takes.forEach(({ id }) => this.#onRemovedElsewhere(id)),
      onSaved: (take, bytes) => this.#book.setSize(take.id, bytes),
      onTrouble: (message) => notify('warning', message, { topic: 'takes' }),
      onUnavailable: () => setText('kept-text', NOT_KEPT),
    });
    setText('kept-text', KEPT);
  }

  get takes() {
    return this.#book.takes;
  }

  /** Show the takes that are stored. */
  async load() {
    const { takes, unreadable } = await this.#sync.load();
    for (const { take, bytes } of takes) this.#book.put(take, bytes);
    this.#arrange();
    const last = this.#book.takes.at(-1);
    if (last) this.#view.open(last);
    this.#announceSurplus();
    if (unreadable.length > 0) this.#offerToRemove(unreadable);
  }

  /**
   * Begin a take below the last one.
   * @param {{source: SourceKind, label: string, model: string, transcribes: boolean | null,
   *   recording: Recording, entries: Entry[], gaps: Take['gaps'], traceIds: string[]}} run Its lists
   *   grow.
   * @returns {Take}
   */
  begin({ source, label, model, transcribes, recording, entries, gaps, traceIds }) {
    this.#removeEmpty();
    const removed = this.#book.removeAnnounced();
    for (const { id } of removed) this.#recordings.remove(id);
    void this.#sync.remove(removed.map(({ id }) => id));
    /** @type {Take} */
    const take = {
      id: newId(),
      name: this.#book.newName(source === 'microphone' ? undefined : label),
      source,
      startedAt: new Date().toISOString(),
      model,
      channels: recording.channels,
      traceIds,
      seconds: 0,
      entries,
      gaps,
      transcribes,
      isOver: false,
    };
    this.#current = take;
    this.#book.put(take);
    this.#recordings.add(take.id, recording);
    this.#sync.begin(take);
    clearAnnouncements();
    this.#arrange();
    this.#view.open(take);
    this.#announceSurplus();
    this.#follower.restart();
    const element = find('takes', HTMLElement).lastElementChild;
    if (element && transcribes !== false) this.#follower.follow(element);
    return take;
  }

  /** @param {Entry} entry Of the take that is being made; new or changed. */
  show(entry) {
    const take = this.#current;
    if (take === null) return;
    const item = this.#view.show(take, entry);
    // Of scores, the chart above shows the newest.
    if (isTranscript(take) === false || take.transcribes === false) this.#follower.end();
    else if (item) this.#follower.follow(item);
    if (entry.state !== 'speaking' && entry.state !== 'pending') this.#saveCurrent(take);
  }

  /** @param {{start: number, end: number}} gap Of the take that is being made. */
  showGap(gap) {
    if (this.#current === null) return;
    this.#view.showGap(this.#current, gap);
    this.#saveCurrent(this.#current);
  }

  /** The run is over. */
  end() {
    const take = this.#current;
    this.#follower.end();
    if (take === null) return;
    this.#current = null;
    take.isOver = true;
    take.seconds = this.#recordings.find(take.id)?.seconds ?? take.seconds;
    void this.#sync.end(take).then(() => this.#announceSurplus());
    this.#view.update();
    this.onChange();
  }

  /** Audio was added: that of older takes may have to go. */
  trimAudio() {
    const shortened = this.#recordings.trim();
    if (shortened.length === 0) return;
    this.#view.disableDropped();
    for (const id of shortened) this.#reportDropped(id);
  }

  /**
   * Show what is being played.
   * @param {string} id Of its take.
   * @param {Played | null} played Null: it has ended.
   */
  showPlayed(id, played) {
    this.#view.showPlayed(id, played);
  }

  /** Whether uncertain words are marked is other than before. */
  arrangeStops() {
    this.#view.arrangeStops();
  }

  /** @param {Take} take */
  #saveCurrent(take) {
    take.seconds = this.#recordings.find(take.id)?.seconds ?? take.seconds;
    this.#sync.saveSoon(take);
  }

  #arrange() {
    const { takeId } = this.#playback;
    if (takeId !== null && !this.#book.find(takeId)) this.#playback.stop();
    this.#view.arrange(this.#book.takes, (take) => this.#audioOf(take));
    endNotices(...this.#book.takeBackAnnouncements().map(surplusTopic));
    this.onChange();
  }

  /**
   * @param {Take} take
   * @returns {TakeAudio | null}
   */
  #audioOf(take) {
    const recording = this.#recordings.find(take.id);
    if (!recording) return null;
    return {
      play: (piece) => this.#playback.play(take, recording, piece),
      stop: () => this.#playback.stop(),
      keeps: ({ start }) => recording.keeps(start),
    };
  }

  /** @param {string} id Of a take whose audio was dropped, from its beginning on. */
  #reportDropped(id) {
    const take = this.#book.find(id);
    if (!take || this.#shortened.has(id)) return;
    this.#shortened.add(id);
    const message =
      `The page keeps the last ${MAX_AUDIO_BYTES / 2 ** 20} MiB of audio. The oldest, from the beginning of ` +
      `“${take.name}”, is forgotten and cannot be played any more. All text stays.`;
    notify('info', message, { topic: 'takes-audio' });
  }

  /** Nothing was said in these takes, so they need not stay. */
  #removeEmpty() {
    const empty = this.#book.takes.filter((take) => take.isOver && isEmpty(take));
    for (const { id } of empty) this.#book.remove(id);
    void this.#sync.remove(empty.map(({ id }) => id));
  }

  /**
   * @param {Take} take
   * @param {string} name
   */
  #rename(take, name) {
    this.#book.rename(take.id, name);
    this.#view.update();
    if (take.isOver) void this.#sync.save(take);
    else this.#sync.saveSoon(take);
  }

  /** @param {Take} take */
  #remove(take) {
    this.#book.remove(take.id);
    void this.#sync.remove([take.id]);
    this.#arrange();
    this.#offerUndo(`“${take.name}” was removed.`, [take]);
  }

  #forget() {
    const takes = this.#book.takes;
    for (const { id } of takes) this.#book.remove(id);
    void this.#sync.clear();
    this.#arrange();
    endNotices('takes');
    this.#offerUndo('All takes were forgotten.', takes);
  }

  /**
   * @param {string} message
   * @param {Take[]} takes
   */
  #offerUndo(message, takes) {
    const act = () => {
      for (const take of takes) {
        this.#book.put(take);
        void this.#sync.save(take);
      }
      this.#arrange();
      for (const take of takes) this.#view.open(take);
    };
    notify('info', message, { topic: 'takes', action: { label: 'Undo', act } });
    find('transcript', HTMLElement).focus({ preventScroll: true });
  }

  #announceSurplus() {
    for (const take of this.#book.announceSurplus()) {
      const message =
        `The storage for takes is full. The oldest, “${take.name}”, will be removed when the next ` +
        'take begins: export it if you need it.';
      notify('warning', message, { topic: surplusTopic(take.id) });
    }
  }

  /** @param {IDBValidKey[]} keys */
  #offerToRemove(keys) {
    const what = keys.length === 1 ? 'A stored take' : `${keys.length} stored takes`;
    const act = () => void this.#sync.remove(keys);
    const action = { label: 'Remove from the storage', act };
    notify('warning', `${what} cannot be read.`, { topic: 'takes', action });
  }

  /**
   * @param {Take} take
   * @param {number} bytes
   */
  #onChangedElsewhere(take, bytes) {
    if (take.id === this.#current?.id) return;
    this.#book.put(take, bytes);
    this.#view.forgetView(take.id);
    this.#arrange();
    this.#view.open(take);
  }

  /** @param {string} id A take that is being made here stays. */
  #onRemovedElsewhere(id) {
    if (id === this.#current?.id) return;
    this.#book.remove(id);
    this.#arrange();
  }
}

/** @param {string} id Of a take that is announced to be removed. */
const surplusTopic = (id) => `takes-surplus-${id}`;

/** @returns {string} `crypto.randomUUID` exists on pages over https only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
