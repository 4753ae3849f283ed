/** Sentences for people, by code or state. */

/** @type {Record<string, string>} */
const ERRORS = {
  microphone_refused:
    'The microphone is blocked for this page. Allow it in the address bar (or in the system’s privacy settings), then press Start again.',
  microphone_absent: 'No microphone was found. Plug one in, or choose a file instead.',
  microphone_busy: 'The microphone cannot be read. Another program may be using it.',
  microphone_unplugged:
    'The microphone was unplugged. The audio before that has been processed.',
  insecure_page:
    'Browsers give the microphone only to pages over https, or on localhost. Open this page over https, or stream a file.',
  bad_file: 'This file cannot be streamed. Choose another one.',
  no_file: 'Choose an audio file first.',
  connection_failed:
    'The server cannot be reached. Is it running? This notice goes when the server answers; then press Start again.',
  connection_refused:
    'The server runs, but it accepts no stream. Perhaps it has no room now: press Start again in a moment.',
  server_ending: 'The server is about to restart. Press Start again in a moment.',
  audio_blocked: 'The browser has not begun with the audio. Press Start again.',
  worklet_failed:
    'The server cannot be reached. Is it running? This notice goes when the server answers; then press Start again.',
  connection_lost: 'The connection was lost.',
  bad_message: 'The server did not accept a setting.',
  bad_format: 'The server does not support this audio format.',
  bad_audio: 'The server cannot decode the audio any further. What came before has its results.',
  recorder_absent: 'This browser cannot send compressed audio. Switch it off under “Advanced”.',
  unexpected_message: 'Audio arrived when the server did not expect any.',
  inference_failed: 'The model failed on a segment. The stream goes on.',
  worker_lost: 'The model crashed twice on a segment. The stream goes on.',
  inference_timeout: 'The model took too long for a segment. The stream goes on.',
  unauthorized: 'The server needs a token. Enter it under “Advanced”, then press Start again.',
  wrong_token: 'The server does not accept this token. Correct it under “Advanced”, then press Start again.',
  too_large: 'A message was larger than the server allows, so the server ended the stream.',
  idle_timeout: 'The server received no audio for some time, and ended the stream.',
  session_too_long: 'The session reached the server’s time limit. The page begins a new one.',
  overloaded: 'The server has no room for another stream now. Try again in a moment.',
  internal_error: 'Something went wrong on the server. The operator can find the error by the trace id.',
};

/**
 * The page requests interim results only of audio that it sends in real time.
 * @type {Record<string, string>}
 */
const WARNINGS = {
  interim_shed: 'The server is busy, so interim results come less often. Nothing is lost.',
  lagging: 'The server is slower than the audio. Nothing is lost.',
  bad_trace_id: 'The page’s trace id is not valid. The server began a new trace.',
  bad_samples: 'Some samples were not numbers. They were replaced by silence.',
  out_of_scale: 'The samples are far too large: as floats, they have to be between -1 and 1.',
  no_answer: 'The server has not answered yet. Its model may still be loading.',
  no_speech:
    'There is sound, but no speech was found in it. If it is speech, it may be too quiet. For other sounds, choose “Equal chunks” under “Advanced”.',
  other_format: 'The audio is in another format than was stated. The one in its container counts.',
  damaged_audio: 'A part of the audio was damaged, and could not be decoded.',
  no_words: 'This model has no times of words.',
  ignored_field: 'Settings in the server’s address have no effect.',
  deprecated_field: 'The page uses an old name, which a later version of the server will not know.',
  no_keyterms: 'This model does not use key terms.',
  no_eager: 'There are no inferences in pauses, so no result is eager.',
  not_pcm: 'The audio is a file, but the server processed its bytes as raw samples.',
};

/** @param {string} code */
export const explainError = (code) => ERRORS[code] ?? 'Something went wrong.';

/** @param {string} code */
export const explainWarning = (code) => WARNINGS[code] ?? 'The server sent a warning.';

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
