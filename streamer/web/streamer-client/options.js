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
 * @property {boolean} [words] Whether segments have the times and the certainty of their words.
 * @property {string[]} [keyterms] Up to 100 names and rare words that are likelier than usual.
 * @property {VadOptions} [vad]
 * @property {string} [model] One of the server's models; its first when absent.
 * @property {string | (() => string | Promise<string>)} [token] A function is called for each
 *   connection, so that it can return a ticket, which is valid once.
 * @property {string | (() => string | undefined)} [traceparent] W3C trace context of the page's own
 *   tracing. A function is called for each stream.
 * @property {Backoff | false} [reconnect] False: a lost connection is the end.
 * @property {number} [maxBufferedSeconds] Audio that may wait in the socket. Audio beyond it is not
 *   sent, and is reported as `lost`. 10 when absent.
 * @property {number} [connectTimeoutMs] 10000 when absent.
 * @property {WebSocketConstructor} [WebSocket] The global one when absent.
 */

/** @typedef {new (url: string, protocols?: string[]) => WebSocket} WebSocketConstructor */

/**
 * @typedef {object} MicrophoneOptions
 * @property {string} [deviceId] One of `navigator.mediaDevices.enumerateDevices()`.
 * @property {number} [channels] The number to request; a device may have fewer. 1 when absent.
 * @property {number} [sampleRate] In Hz; the device's own when absent. The browser resamples.
 * @property {number} [messageMs] Length of a message. 20 when absent.
 * @property {boolean} [processing] Echo cancellation, noise suppression and automatic gain. Off when
 *   absent, because models work best on unprocessed sound.
 * @property {string | URL} [workletUrl] Of `capture-worklet.js`; beside this module when absent.
 */

export {};
