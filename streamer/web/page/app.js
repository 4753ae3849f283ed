/** The page: connects the form, the run and the views. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { copyOnClick } from './clipboard.js';
import { find, setText } from './dom.js';
import { EventLog } from './event-log.js';
import { explainError } from './explanations.js';
import { acceptDroppedFiles } from './file-drop.js';
import { FilePace } from './file-pace.js';
import { LiveView } from './live-view.js';
import { endOutdatedNotices } from './outdated-notices.js';
import { textOf } from './model-output.js';
import { clearRunNotices, endNotices, notify } from './notices.js';
import { Playback } from './playback.js';
import { ReconnectBanner } from './reconnect-banner.js';
import { endNoticesAfter, examineFailedConnection, notifyOfEvent, notifyOfFailure } from './run-notices.js';
import { Run } from './run.js';
import { ServerWatch } from './server-watch.js';
import { Settings, hasWords } from './settings.js';
import { listenForShortcuts } from './shortcuts.js';
import { openSource } from './sources.js';
import { disableAction, showAction, showConnection, showState } from './status-view.js';
import { showFinals, showTraceId, showUnheard } from './summary-view.js';
import { TakeDesk } from './take-desk.js';
import { followMarks } from './word-marks.js';
import { WordTooltip } from './word-tooltip.js';
import { describeResults, describeStart, processed, transcribes } from './wording.js';

/** @import { ClientEvent } from '../streamer-client/streamer-client.js' */
/** @import { Choices, Info } from './settings.js' */
/** @import { Source } from './sources.js' */
/** @import { Take } from './take.js' */

/** Errors that say that the server cannot be reached. */
const UNREACHABLE = ['connection_failed', 'worklet_failed', 'connection_lost'];

/** Errors after which a person chooses another source. */
const NEEDS_SOURCE = ['no_file', 'bad_file', 'microphone_absent', 'insecure_page'];

/** Starts and stops runs, and passes their events to the views. */
class App {
  /** @type {Run | null} The last run, which may be over. */ #run = null;
  /** @type {Take | null} Of the run. */ #take = null;
  #isBusy = false;
  #isStopRequested = false;
  #isMicrophoneOpen = false;
  /** @type {Info | null} */ #info = null;
  #settings = new Settings(() => this.#describeStart());
  #log = new EventLog();
  #live = new LiveView(() => this.#run);
  #banner = new ReconnectBanner(() => this.#run?.client.reconnectNow());
  #playback = new Playback({
    isMicrophoneOpen: () => this.#isMicrophoneOpen,
    onPlayed: (id, played) => this.#desk.showPlayed(id, played),
  });
  #desk = new TakeDesk(this.#playback, () => this.#describeStart());
  #server = new ServerWatch({
    isBusy: () => this.#isBusy,
    isConnecting: () => this.#isBusy && this.#run?.client.state === 'connecting',
    onInfo: (info) => this.#showOffer(info),
    onState: (state) => showServerState(state),
    onReached: () => endNotices(...UNREACHABLE),
  });

  constructor() {
    find('settings', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#startOrStop();
    });
    find('flush', HTMLButtonElement).addEventListener('click', () => this.#run?.client.flush());
    globalThis.addEventListener('online', () => this.#run?.client.reconnectNow());
    listenForShortcuts();
    endOutdatedNotices();
    acceptDroppedFiles(
      () => this.#isBusy,
      (files) => {
        this.#settings.useFiles(files);
        void this.#start();
      },
    );
    copyOnClick('copy-trace', () => this.#run?.traceIds.at(-1) ?? '');
    followMarks(() => this.#desk.arrangeStops());
    new WordTooltip();
    void this.#settings.listMicrophones();
    void this.#desk.load();
    this.#server.watch();
  }

  /** @param {Info} info */
  #showOffer(info) {
    this.#info = info;
    this.#settings.showOffer(info);
    const names = (info.models ?? [{ name: info.model }]).map(({ name }) => name);
    find('serving', HTMLElement).textContent = `${names.join(', ')} · version ${info.version}`;
    this.#describeStart();
  }

  /** Say what to do and to expect with the present choices. */
  #describeStart() {
    const { source, endpoint, model, file } = this.#settings.read();
    const isTranscriber = transcribes(this.#info, model, this.#desk?.takes ?? []);
    const text = this.#isBusy
      ? describeResults(isTranscriber, endpoint, source)
      : describeStart(isTranscriber, endpoint, source, file !== undefined);
    setText('empty-text', text);
  }

  async #startOrStop() {
    if (!this.#isBusy) {
      await this.#start();
      return;
    }
    if (this.#isStopRequested) return;
    this.#isStopRequested = true;
    disableAction();
    await this.#run?.stop();
  }

  async #start() {
    clearRunNotices();
    const { problem } = this.#settings;
    if (problem !== '') {
      this.#settings.openProblem();
      notify('error', problem);
      return;
    }
    this.#isBusy = true;
    this.#isStopRequested = false;
    const choices = this.#settings.read();
    this.#settings.rememberToken();
    this.#settings.lock(true);
    this.#settings.fold();
    this.#isMicrophoneOpen = choices.source === 'microphone';
    if (this.#isMicrophoneOpen) this.#playback.stop();
    showAction('stop');
    showState('opening');
    this.#describeStart();
    const failure = await this.#attempt(choices);
    this.#isBusy = false;
    this.#isMicrophoneOpen = false;
    endNotices('playback');
    this.#banner.hide();
    this.#desk.end();
    this.#take = null;
    this.#settings.lock(false);
    showAction('start');
    showState('idle');
    this.#describeStart();
    if (failure !== null) this.#onFailure(failure);
  }

  /**
   * @param {Choices} choices
   * @returns {Promise<unknown>} The error that ended the run, or null.
   */
  async #attempt(choices) {
    try {
      const source = await openSource(choices, this.#info);
      if (choices.source === 'microphone') {
        void this.#settings.listMicrophones();
        notifyOfMono(choices.channels, source.format.channels);
      }
      if (source.remark) notify('warning', source.remark);
      if (this.#isStopRequested) await source.stop();
      else await this.#stream(source, choices);
      return null;
    } catch (error) {
      const isFailed = error instanceof StreamerError && error.code === 'connection_failed';
      return isFailed ? examineFailedConnection() : error;
    }
  }

  /**
   * @param {Source} source
   * @param {Choices} choices
   */
  async #stream(source, choices) {
    const { endpoint, interimResults, keyterms, vad, model, token } = choices;
    const { channels } = source.format;
    const isLive = choices.source === 'microphone' || choices.realTime;
    const chunkSeconds = endpoint === 'simple' ? (this.#info?.simple.chunk_seconds ?? 1) : null;
    const run = new Run(
      source,
      `api/v1/${endpoint}`,
      {
        // The interim results of a file that is sent at once are not read, and they delay the others.
        interimResults: interimResults && isLive,
        vad: endpoint === 'segmented' ? vad : undefined,
        words: hasWords(this.#info, model) || undefined,
        keyterms: keyterms.length > 0 ? keyterms : undefined,
        model,
        token: token || undefined,
      },
      isLive ? null : new FilePace({ channels, chunkSeconds }, performance.now()),
    );
    this.#run = run;
    this.#log.clear();
    this.#live.clear(channels);
    showTraceId(undefined);
    showUnheard([], endpoint);
    showFinals([]);
    run.client.onMessage((json) => this.#log.add(JSON.parse(json)));
    run.client.onEvent((event) => this.#onEvent(run, event, source, choices));
    await run.stream((error) => notify('error', explainError(error.code), { topic: error.code }));
  }

  /**
   * @param {Run} run
   * @param {ClientEvent} event
   * @param {Source} source
   * @param {Choices} choices
   */
  #onEvent(run, event, source, choices) {
    if (event.type === 'started') {
      this.#take ??= this.#beginTake(run, source, choices);
      showTraceId(run.traceIds.at(-1));
    }
    for (const entry of run.transcript.apply(event, performance.now())) {
      this.#desk.show(entry);
      endNoticesAfter(entry);
      if (entry.state === 'final' && textOf(entry) === null) this.#live.addScores(entry);
    }
    if (event.type === 'connection') {
      this.#log.add(event);
      showConnection(event);
      this.#banner.update(event);
    } else if (event.type === 'lost') {
      this.#log.add(event);
      this.#desk.showGap({ start: event.start_time, end: event.end_time });
    } else if (event.type === 'stopped') {
      showUnheard(run.channelSeconds, choices.endpoint);
    } else if (event.type === 'segment') {
      showFinals(run.transcript.finals);
      this.#desk.trimAudio();
    }
    const verb = this.#take ? processed(this.#take) : 'processed';
    notifyOfEvent(event, run.client.state, verb);
  }

  /**
   * @param {Run} run
   * @param {Source} source
   * @param {Choices} choices
   */
  #beginTake({ recording, transcript, traceIds, model }, { label }, choices) {
    const { entries, gaps } = transcript;
    const isTranscriber = transcribes(this.#info, model, this.#desk.takes);
    const { source } = choices;
    return this.#desk.begin({
      source, label, model, transcribes: isTranscriber, recording, entries, gaps, traceIds,
    });
  }

  /** @param {unknown} error */
  #onFailure(error) {
    const code = error instanceof StreamerError ? error.code : '';
    if (UNREACHABLE.includes(code)) {
      showState('failed');
      this.#server.watch();
    }
    if (code === 'unauthorized') this.#settings.openTokenField();
    if (NEEDS_SOURCE.includes(code)) this.#settings.openSource();
    notifyOfFailure(error, Boolean(this.#settings.token));
  }
}

/** @param {'loading' | 'idle' | 'failed'} state Of the server. */
function showServerState(state) {
  const isNew = find('state', HTMLElement).dataset.state !== state;
  showState(state);
  if (state === 'failed' && isNew) notify('error', explainError('connection_failed'), { topic: 'connection_failed' });
}

/**
 * @param {number} wanted Channels.
 * @param {number} given Channels.
 */
function notifyOfMono(wanted, given) {
  if (wanted > 1 && given === 1) {
    notify('info', 'This microphone has one channel, so the stream is mono.');
  }
}

new App();
