/** What a front-end developer writes: it must compile against the declarations. */
import { Microphone, StreamerClient, StreamerError } from '../../streamer/web/streamer-client/streamer-client.js';
import type { ClientEvent, ClientOptions, Segment, Started, Stopped } from '../../streamer/web/streamer-client/streamer-client.js';

const options: ClientOptions = {
  interimResults: true,
  vad: { threshold: 0.6, min_silence_ms: 400 },
  token: async () => 'ticket',
  traceparent: () => '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  reconnect: { initialMs: 250, maxMs: 10_000, attempts: 8 },
};

export async function dictate(show: (text: string) => void): Promise<Stopped> {
  const client = new StreamerClient('wss://example.com/api/v1/segmented', options);
  const off: () => void = client.on('segment', (event) => show(event.text ?? ''));
  client.on('lost', ({ start_time, end_time, reason }) => show(`${start_time}-${end_time} ${reason}`));
  // @ts-expect-error there is no such event
  client.on('sentence', () => {});
  const microphone = await Microphone.open({ channels: 1, messageMs: 20 });
  const started: Started = await client.start(microphone.format);
  microphone.onAudio((pcm) => client.send(pcm));
  microphone.onEnded((reason: StreamerError) => show(reason.code));
  client.flush();
  await client.ready();
  off();
  await microphone.close();
  show(started.trace_id);
  return client.stop({ disconnect: true });
}

export async function read(client: StreamerClient): Promise<Segment[]> {
  const segments: Segment[] = [];
  for await (const event of client) {
    if (event.type === 'segment') segments.push(event);
  }
  return segments;
}

export const lengthOf = (event: ClientEvent): number =>
  event.type === 'segment' ? event.end_time - event.start_time : 0;

// @ts-expect-error audio is bytes
new StreamerClient('/api/v1/simple').send('text');
