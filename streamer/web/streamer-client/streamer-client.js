/**
 * Streams audio to a Streamer server, and receives the events that the server sends back.
 *
 * `StreamerClient` speaks the protocol and runs wherever there is a WebSocket. `Microphone`
 * captures audio in a browser. Import this module only; the modules beside it are its parts.
 */

export { StreamerClient } from './client.js';
export { StreamerError } from './errors.js';
export { ContainerRecorder } from './container-recorder.js';
export { Microphone } from './microphone.js';
export * from './messages.js';
export * from './options.js';
