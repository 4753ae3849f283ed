/** Sentences for people, by code or state. */

/** @type {Record<string, string>} */
const ERRORS = {
  microphone_refused:
    'The microphone is blocked for this page. Allow it in the address bar (or in the system’s privacy settings), then press Start again.',
  microphone_absent: 'No microphone was found. Plug one in, or choose a file instead.',
  microphone_busy: 'The microphone cannot be read. Another program may be using it.',
  microphone_unplugged:
    'The microphone was unplugged. The audio up to then has been processed.',
  insecure_page:
    'Browsers give the microphone only to pages over https, or on localhost. Open this page over https, or stream a file.',
  bad_file: 'This file cannot be streamed.',
  no_file: 'Choose an audio file first.',
  connection_failed: 'The server cannot be reached. Is it running?',
  connection_refused:
    'The server lives, but lets no stream in: it has no room now, or it does not allow this page’s origin.',
  worklet_failed: 'The server cannot be reached. Is it running?',
  connection_lost: 'The connection was lost.',
  bad_message: 'The server did not accept a setting.',
  bad_format: 'The server does not take audio in this format.',
  unexpected_message: 'Audio arrived when the server did not expect any.',
  inference_failed: 'The model failed on one segment. The stream goes on.',
  worker_lost: 'The model crashed on one segment, twice. The stream goes on.',
  inference_timeout: 'The model took too long for one segment. The stream goes on.',
  unauthorized: 'The server needs a token. Enter it under “Advanced”, then press Start again.',
  wrong_token: 'The server does not accept this token. Correct it under “Advanced”, then press Start again.',
  too_large: 'A message was larger than the server takes.',
  idle_timeout: 'The server received nothing for a while and ended the stream.',
  session_too_long: 'The server’s longest session is over; a new one is begun.',
  overloaded: 'The server has no room for another stream now. Try again in a moment.',
  internal_error: 'Something went wrong on the server. Its operator will find it under the trace id.',
};

/** @type {Record<string, string>} */
const WARNINGS = {
  interim_shed: 'The server is busy, or the audio comes too fast, so interim results come less often. Nothing is lost.',
  lagging: 'The server is behind the audio. Nothing is lost.',
  bad_trace_id: 'The page’s trace id was not understood; the server began a trace of its own.',
  bad_samples: 'Some samples were not numbers and were taken as silence.',
  out_of_scale: 'The samples are far too large: as floats, they have to be between -1 and 1.',
  no_speech:
    'There is sound, but no speech was found in it. If it is speech, it may be too quiet. For other sounds, choose “Equal chunks” under “Advanced”.',
  no_words: 'This model gives no times of words.',
  no_keyterms: 'This model makes no use of key terms.',
  not_pcm: 'The bytes are those of an audio file, and were processed as raw samples.',
};

/** @param {string} code */
export const explainError = (code) => ERRORS[code] ?? 'Something went wrong.';

/** @param {string} code */
export const explainWarning = (code) => WARNINGS[code] ?? 'The server has a remark.';

/** @type {Record<string, string>} */
export const STATES = {
  idle: 'Ready',
  loading: 'Model is loading',
  opening: 'Opening audio',
  connecting: 'Connecting',
  streaming: 'Streaming',
  stopping: 'Finishing',
  reconnecting: 'Reconnecting',
  closed: 'Stopped',
  failed: 'Not reachable',
};
