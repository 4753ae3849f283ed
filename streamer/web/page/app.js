/** The page: connects the form, the run and the views. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { copyOnClick } from './clipboard.js';
import { find } from './dom.js';
import { EventLog } from './event-log.js';
import { explainError } from './explanations.js';
import { connectExportButtons, enableExportButtons } from './export-buttons.js';
import { acceptDroppedFiles } from './file-drop.js';
import { LiveView } from './live-view.js';
import { textOf } from './model-output.js';
import { clearNotices, notify } from './notices.js';
import { Player } from './player.js';
import { notifyOfEvent, notifyOfFailure } from './run-notices.js';
import { Run } from './run.js';
import { watchServer } from './server-info.js';
import { Settings } from './settings.js';
import { listenForShortcuts } from './shortcuts.js';
import { openSource } from './sources.js';
import { disableAction, showAction, showConnection, showState } from './status-view.js';
import { showFinals, showTraceId, showUnheard } from './summary-view.js';
import { TranscriptView } from './transcript-view.js';

/** @import { ClientEvent } from '../streamer-client/streamer-client.js' */
/** @import { Choices, Info } from './settings.js' */
/** @import { Source } from './sources.js' */

/** Starts and stops runs, and passes their events to the views. */
class App {
  /** @type {Run | null} The last run, which may be over. */ #run = null;
  #isBusy = false;
  #isStopRequested = false;
  /** @type {Info | null} */ #info = null;
  #settings = new Settings();
  #log = new EventLog();
  #player = new Player();
  #live = new LiveView(() => this.#run);
  #transcript = new TranscriptView(
    (piece, button) => this.#run && this.#player.toggle(this.#run.recording, piece, button),
    ({ start }) => this.#run?.recording.keeps(start) ?? false,
  );

  constructor() {
    find('settings', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#startOrStop();
    });
    find('flush', HTMLButtonElement).addEventListener('click', () => this.#run?.client.flush());
    listenForShortcuts();
    acceptDroppedFiles(
      () => this.#isBusy,
      (files) => {
        this.#settings.useFiles(files);
        void this.#start();
      },
    );
    connectExportButtons(() => this.#run);
    copyOnClick('copy-trace', () => this.#run?.traceIds.at(-1) ?? '');
    this.#transcript.clear(1);
    void this.#settings.listMicrophones();
    void watchServer({
      isBusy: () => this.#isBusy,
      onInfo: (info) => this.#showOffer(info),
      onState: (state) => showState(state),
    });
  }

  /** @param {Info} info */
  #showOffer(info) {
    this.#info = info;
    this.#settings.showOffer(info);
    const names = (info.models ?? [{ name: info.model }]).map(({ name }) => name);
    find('serving', HTMLElement).textContent = `${names.join(', ')} · version ${info.version}`;
  }

  async #startOrStop() {
    if (!this.#isBusy) {
      await this.#start();
      return;
    }
    this.#isStopRequested = true;
    disableAction();
    await this.#run?.stop();
  }

  async #start() {
    this.#isBusy = true;
    this.#isStopRequested = false;
    clearNotices();
    const choices = this.#settings.read();
    this.#settings.lock(true);
    showAction('stop');
    showState('opening');
    const failure = await this.#attempt(choices);
    this.#isBusy = false;
    this.#settings.lock(false);
    showAction('start');
    showState('idle');
    if (failure !== null) this.#onFailure(failure);
  }

  /**
   * @param {Choices} choices
   * @returns {Promise<unknown>} The error that ended the run, or null.
   */
  async #attempt(choices) {
    try {
      const source = await openSource(choices, this.#info);
      if (choices.source === 'microphone') void this.#settings.listMicrophones();
      if (this.#isStopRequested) await source.stop();
      else await this.#stream(source, choices);
      return null;
    } catch (error) {
      return error;
    }
  }

  /**
   * @param {Source} source
   * @param {Choices} choices
   */
  async #stream(source, { endpoint, interimResults, vad, model, token }) {
    const run = new Run(source, `api/v1/${endpoint}`, {
      interimResults,
      vad: endpoint === 'segmented' ? vad : undefined,
      model,
      token: token || undefined,
    });
    this.#run = run;
    this.#log.clear();
    this.#live.clear(source.format.channels);
    this.#transcript.clear(source.format.channels);
    showTraceId(undefined);
    showUnheard([]);
    this.#showFinals(run);
    run.client.onMessage((json) => this.#log.add(JSON.parse(json)));
    run.client.onEvent((event) => this.#onEvent(run, event));
    await run.stream((error) => notify('error', explainError(error.code)));
  }

  /**
   * @param {Run} run
   * @param {ClientEvent} event
   */
  #onEvent(run, event) {
    for (const entry of run.transcript.apply(event, performance.now())) {
      this.#transcript.show(entry);
      if (entry.state === 'final' && textOf(entry) === null) this.#live.addScores(entry);
    }
    if (event.type === 'connection') {
      this.#log.add(event);
      showConnection(event);
    } else if (event.type === 'lost') {
      this.#log.add(event);
      this.#transcript.showGap({ start: event.start_time, end: event.end_time });
    } else if (event.type === 'started') {
      showTraceId(run.traceIds.at(-1));
    } else if (event.type === 'stopped') {
      showUnheard(run.channelSeconds);
    } else if (event.type === 'segment') {
      this.#showFinals(run);
      this.#transcript.disableDropped(run.transcript.entries);
    }
    notifyOfEvent(event, run.client.state);
  }

  /** @param {Run} run */
  #showFinals({ transcript: { finals } }) {
    showFinals(finals);
    enableExportButtons(finals.length > 0);
  }

  /** @param {unknown} error */
  #onFailure(error) {
    notifyOfFailure(error);
    if (error instanceof StreamerError && error.code === 'unauthorized') this.#settings.openTokenField();
  }
}

new App();
