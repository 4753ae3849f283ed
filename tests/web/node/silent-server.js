/** A WebSocket server of a few lines, whose answers the test gives. */

import { WebSocketServer } from 'ws';

/**
 * @param {(request: string | undefined, socket: import('ws').WebSocket) => void} answer Called with each
 *   request of the client; undefined: it is audio.
 * @returns {Promise<{origin: string, close: () => void}>}
 */
export async function serve(answer = () => {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => answer(isBinary ? undefined : JSON.parse(data).request, socket)),
  );
  await new Promise((resolve) => server.once('listening', resolve));
  const close = () => {
    server.clients.forEach((socket) => socket.terminate());
    server.close();
  };
  return { origin: `ws://127.0.0.1:${server.address().port}`, close };
}

/** Answers as Streamer does: one segment for each message of audio. */
export function answerAll(request, socket) {
  const send = (event) => socket.send(JSON.stringify(event));
  if (request === 'start') send({ type: 'started', max_message_bytes: 262_144 });
  if (request === undefined) {
    send({ type: 'active', time: 0, channel: 0 });
    send({ type: 'segment', start_time: 0, end_time: 1, channel: 0, text: 'one' });
  }
  if (request === 'stop') send({ type: 'stopped', audio_seconds: 1, segments: 1 });
}
