/** The page: puts the form, the run and the views together. */

import { StreamerError } from '../streamer-client/streamer-client.js';
import { Chart } from './chart.js';
import { clock, download, find } from './dom.js';
import { EventLog } from './event-log.js';
import { FORMATS } from './exports.js';
import { Lane } from './lane.js';
import { clearNotices, notify } from './notices.js';
import { Player } from './player.js';
import { Run } from './run.js';
import { Settings } from './settings.js';
import { openMicrophone, openRecording } from './sources.js';
import { TranscriptView } from './transcript-view.js';
import { textOf } from './transcript.js';
import { duration, explainError, explainWarning, STATES } from './words.js';

/** @typedef {import('../streamer-client/streamer-client.js').ClientEvent} ClientEvent */
/** @typedef {import('./settings.js').Choices} Choices */

const READY_POLL_MS = 1000;
const CALM_MS = 500;

class App {
  /** @type {Run | null} The last one, which may be over. */ #run = null;
  #busy = false;
  #stopRequested = false;
  /** @type {import('./settings.js').Info | null} */ #info = null;
  #settings = new Settings();
  #log = new EventLog();
  #chart = new Chart();
  #player = new Player();
  /** @type {Lane[]} */ #lanes = [];
  #view = new TranscriptView(
    (piece, button) => this.#run && this.#player.toggle(this.#run.recording, piece, button),
    ({ start }) => this.#run?.recording.keeps(start) ?? false,
  );
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #drawnAtMs = 0;

  constructor() {
    find('settings', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#toggle();
    });
    find('flush', HTMLButtonElement).addEventListener('click', () => this.#run?.client.flush());
    document.addEventListener('keydown', (event) => this.#onKey(event));
    this.#acceptDrops();
    this.#exportButtons();
    this.#setLanes(1);
    this.#view.clear(1);
    requestAnimationFrame((now) => this.#draw(now));
    void this.#settings.listDevices();
    void this.#meetServer();
  }

  /** Learn what is served, and wait until it is ready. */
  async #meetServer() {
    try {
      const reply = await fetch('api/v1/info');
      if (!reply.ok) throw new Error(String(reply.status));
      this.#offer(await reply.json());
      while (!(await fetch('api/v1/ready')).ok) {
        if (!this.#busy) this.#setState('loading');
        await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
      }
      if (!this.#busy) this.#setState('idle');
    } catch {
      if (this.#busy) return;
      this.#setState('failed');
      setTimeout(() => void this.#meetServer(), 3 * READY_POLL_MS);
    }
  }

  /** @param {import('./settings.js').Info} info */
  #offer(info) {
    this.#info = info;
    this.#settings.offer(info);
    const names = (info.models ?? [{ name: info.model }]).map(({ name }) => name);
    find('serving', HTMLElement).textContent = `${names.join(', ')} · version ${info.version}`;
  }

  async #toggle() {
    if (!this.#busy) {
      await this.#start();
      return;
    }
    this.#stopRequested = true;
    find('start', HTMLButtonElement).disabled = true;
    await this.#run?.stop();
  }

  async #start() {
    this.#busy = true;
    this.#stopRequested = false;
    clearNotices();
    const choices = this.#settings.read();
    this.#settings.lock(true);
    this.#setButton('stop');
    this.#setState('opening');
    const failure = await this.#try(choices);
    this.#busy = false;
    this.#settings.lock(false);
    this.#setButton('start');
    this.#setState('idle');
    if (failure !== null) this.#complain(failure);
  }

  /**
   * @param {Choices} choices
   * @returns {Promise<unknown>} What went wrong, or null.
   */
  async #try(choices) {
    try {
      const source = await this.#open(choices);
      if (this.#stopRequested) await source.stop();
      else await this.#stream(source, choices);
      return null;
    } catch (error) {
      return error;
    }
  }

  /**
   * @param {Choices} choices
   * @returns {Promise<import('./sources.js').Source>}
   */
  async #open({ source, deviceId, channels, sampleRate, file, realTime }) {
    if (source === 'microphone') {
      const microphone = await openMicrophone({ deviceId, channels, sampleRate, processing: false });
      void this.#settings.listDevices();
      return microphone;
    }
    const maxChannels = this.#info?.limits.max_channels ?? 8;
    const options = { sampleRate, maxChannels, realTime };
    if (source === 'sample') {
      const reply = await fetch(this.#info?.sample ?? 'sample.wav');
      if (!reply.ok) throw new StreamerError('bad_file', 'the sample is not on the server');
      return openRecording(await reply.arrayBuffer(), { ...options, label: 'The sample' });
    }
    if (file === undefined) throw new StreamerError('no_file', '');
    return openRecording(await file.arrayBuffer(), { ...options, label: file.name });
  }

  /**
   * @param {import('./sources.js').Source} source
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
    this.#chart.clear();
    this.#view.clear(source.format.channels);
    this.#setLanes(source.format.channels);
    this.#showTrace();
    this.#countFinals();
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
      this.#view.show(entry);
      if (entry.state === 'final' && textOf(entry) === null) this.#chart.add(entry);
    }
    if (event.type === 'connection') {
      this.#log.add(event);
      this.#onConnection(event);
    } else if (event.type === 'lost') {
      this.#log.add(event);
      this.#onLost(event);
    } else if (event.type === 'warning') {
      notify('warning', explainWarning(event.code), event.message);
    } else if (event.type === 'error' && run.client.state !== 'connecting') {
      notify('error', explainError(event.code), event.message);
    } else if (event.type === 'going_away') {
      notify('warning', 'The server is about to restart. The page will reconnect.', event.message);
    } else if (event.type === 'started') {
      this.#showTrace();
    } else if (event.type === 'segment') {
      this.#countFinals();
      this.#view.forget(run.transcript.entries);
    }
  }

  /** @param {import('../streamer-client/streamer-client.js').Connection} event */
  #onConnection({ state, attempt = 0, delay_seconds = 0 }) {
    if (state === 'idle' || state === 'closed') return;
    const wait = delay_seconds >= 1 ? ` in ${Math.round(delay_seconds)} s` : '';
    this.#setState(state, state === 'reconnecting' ? `Reconnecting${wait} (attempt ${attempt})` : undefined);
    find('flush', HTMLButtonElement).disabled = state !== 'streaming';
  }

  /** @param {import('../streamer-client/streamer-client.js').Lost} event */
  #onLost({ start_time: start, end_time: end, reason }) {
    this.#view.showGap({ start, end });
    const cause = reason === 'outrun' ? 'the network was too slow' : 'the connection was interrupted';
    const message = `Audio from ${clock(start)} to ${clock(end)} was not transcribed: ${cause}.`;
    notify('warning', message);
  }

  /** @param {unknown} error */
  #complain(error) {
    if (!(error instanceof StreamerError)) {
      notify('error', 'Something went wrong in the page.', String(error));
      throw error;
    }
    if (error.code === 'connection_failed') {
      void this.#complainOfConnection(error);
      return;
    }
    notify('error', explainError(error.code), error.code.startsWith('microphone') ? '' : error.message);
    if (error.code === 'unauthorized') this.#settings.askForToken();
  }

  /**
   * A browser does not say why a WebSocket was refused; whether the server lives can be asked.
   * @param {StreamerError} error
   */
  async #complainOfConnection({ code, message }) {
    const alive = await fetch('api/v1/health').then(
      ({ ok }) => ok,
      () => false,
    );
    notify('error', explainError(alive ? 'connection_refused' : code), message);
  }

  // ── What is shown ──

  /** @param {number} now */
  #draw(now) {
    requestAnimationFrame((next) => this.#draw(next));
    if (this.#calm.matches && now - this.#drawnAtMs < CALM_MS) return;
    this.#drawnAtMs = now;
    const recording = this.#run?.recording ?? null;
    for (const lane of this.#lanes) lane.draw(recording, this.#run?.transcript ?? null);
    this.#chart.draw(recording?.seconds ?? 0);
    write('n-audio', clock(recording?.seconds ?? 0));
    write('n-waiting', `${(this.#run?.client.bufferedSeconds ?? 0).toFixed(1)} s`);
  }

  /** @param {number} channels */
  #setLanes(channels) {
    this.#lanes = Array.from({ length: channels }, (_, channel) => new Lane(channel, channels));
    const place = find('lanes', HTMLElement);
    place.dataset.lanes = channels > 1 ? 'many' : 'one';
    place.replaceChildren(...this.#lanes.map((lane) => lane.element));
  }

  #countFinals() {
    const finals = this.#run?.transcript.finals ?? [];
    write('n-segments', String(finals.length));
    const latencies = finals.flatMap(({ latency }) => latency.afterAudio ?? []).sort((a, b) => a - b);
    write('n-latency', duration(latencies[Math.floor(latencies.length / 2)]));
    for (const button of document.querySelectorAll('.exports button')) {
      /** @type {HTMLButtonElement} */ (button).disabled = finals.length === 0;
    }
  }

  #showTrace() {
    const id = this.#run?.traceIds.at(-1);
    find('trace', HTMLElement).hidden = id === undefined;
    write('trace-id', id ?? '');
  }

  /**
   * @param {string} state
   * @param {string} [text]
   */
  #setState(state, text) {
    find('state', HTMLElement).dataset.state = state;
    write('state-text', text ?? STATES[state] ?? state);
  }

  /** @param {'start' | 'stop'} does */
  #setButton(does) {
    const button = find('start', HTMLButtonElement);
    button.dataset.does = does;
    document.body.dataset.running = String(does === 'stop');
    button.disabled = false;
    write('start-text', does === 'stop' ? 'Stop' : 'Start');
    if (does === 'start') find('flush', HTMLButtonElement).disabled = true;
  }

  // ── What can be done besides ──

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const id = event.shiftKey ? 'flush' : 'start';
    find(id, HTMLButtonElement).click();
  }

  #acceptDrops() {
    const { body } = document;
    body.addEventListener('dragover', (event) => {
      event.preventDefault();
      body.classList.toggle('dropping', !this.#busy);
    });
    body.addEventListener('dragleave', () => body.classList.remove('dropping'));
    body.addEventListener('drop', (event) => {
      event.preventDefault();
      body.classList.remove('dropping');
      const files = event.dataTransfer?.files;
      if (!files?.length || this.#busy) return;
      this.#settings.useFiles(files);
      void this.#start();
    });
  }

  #exportButtons() {
    for (const [format, { type, write: compose }] of Object.entries(FORMATS)) {
      const button = document.querySelector(`[data-export="${format}"]`);
      button?.addEventListener('click', () => {
        if (this.#run) download(`transcript.${format}`, compose(this.#report(this.#run)), type);
      });
    }
    copies('copy', () => (this.#run ? FORMATS.txt.write(this.#report(this.#run)) : ''));
    copies('copy-trace', () => this.#run?.traceIds.at(-1) ?? '');
  }

  /** @param {Run} run */
  #report({ transcript, recording, model, traceIds }) {
    const { finals, gaps } = transcript;
    return { finals, gaps, channels: recording.channels, model, traceIds };
  }
}

/**
 * @param {string} id
 * @param {string} text
 */
function write(id, text) {
  const element = find(id, HTMLElement);
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {string} id Of a button.
 * @param {() => string} text
 */
function copies(id, text) {
  const button = find(id, HTMLButtonElement);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = 'Copied';
    } catch {
      notify('warning', 'The browser does not let this page copy. Use an export instead.');
    }
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  });
}

new App();
