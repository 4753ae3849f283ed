/**
 * Types of the options of `StreamerClient` and of `Microphone`.
 *
 * This module holds no code.
 */

/** @import { VadOptions } from './messages.js' */

/**
 * @typedef {object} Backoff
 * @property {number} [initialMs] Before the first attempt to reconnect; doubled for each further one.
 * @property {number} [maxMs] The longest delay.
 * @property {number} [attempts] After these, the client gives up. A stream of ten seconds resets the
 *   count.
 */

/**
 * @typedef {object} ClientOptions
 * @property {boolean} [interimResults]
 * @property {boolean} [eager] Whether each pause has an interim that is marked: it is the segment, unless
 *   `resumed` follows.
 * @property {boolean} [words] Whether segments have the times and the certainty of their words.
 * @property {string[]} [keyterms] Up to 100 names and rare words that are likelier than usual.
 * @property {VadOptions} [vad]
 * @property {string} [model] One of the server's models; its first when absent.
 * @property {string | (() => string | Promise<string>)} [token] A function is called for each
 *   connection, so that it can return a ticket, which is valid once. The client waits for it without limit.
 * @property {string | (() => string | undefined)} [traceparent] W3C trace context of the page's own
 *   tracing. A function is called for each stream. An error of it is reported as uncaught.
 * @property {Backoff | false} [reconnect] False: a lost connection is the end.
 * @property {number} [maxBufferedSeconds] Audio that may wait in the socket. Audio beyond it is not
 *   sent, and is reported as `lost`. 10 when absent.
 * @property {number} [connectTimeoutMs] Until the connection is open. 10000 when absent.
 * @property {number} [startTimeoutMs] Then, until the server has begun the stream. When absent, 120000, in which
 *   a server loads its model; at an address that does not end like one of Streamer, as `connectTimeoutMs`.
 * @property {number} [stopTimeoutMs] After `stop`, how long the server may send nothing. 300000 when absent.
 * @property {WebSocketConstructor} [WebSocket] The global one when absent.
 */

/**
 * Settings that can be changed while a stream is open; as those of `ClientOptions`. What is absent is
 * unchanged.
 * @typedef {Pick<ClientOptions, 'interimResults' | 'words' | 'keyterms' | 'vad' | 'model' | 'eager'>} StreamSettings
 */

/** @typedef {new (url: string, protocols?: string[]) => WebSocket} WebSocketConstructor */

/**
 * @typedef {object} MicrophoneOptions
 * @property {string} [deviceId] One of `navigator.mediaDevices.enumerateDevices()`.
 * @property {number} [channels] The number to request, 1 to 8; a device may have fewer, see
 *   `format`. 1 when absent.
 * @property {number} [sampleRate] In Hz, 8000 to 192000; the device's own when absent. The browser
 *   resamples.
 * @property {number} [messageMs] Length of a message, 1 to 1000. 20 when absent.
 * @property {boolean} [processing] Echo cancellation, noise suppression and automatic gain. Off when
 *   absent, because models work best on unprocessed sound.
 * @property {string | URL} [workletUrl] Of `capture-worklet.js`; beside this module when absent.
 */

export {};
