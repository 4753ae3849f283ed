/**
 * Types of the messages between client and server, and of the events that a program receives.
 *
 * This module holds no code.
 */

/**
 * Interleaved little-endian audio.
 * @typedef {object} AudioFormat
 * @property {number} sample_rate In Hz.
 * @property {number} [channels] 1 when absent.
 * @property {8 | 16 | 24 | 32 | 64} [bit_depth] 16 when absent.
 * @property {boolean} [is_float]
 * @property {'pcm' | 'mulaw' | 'alaw' | 'auto'} [encoding] `pcm` when absent. `auto`: see `ContainerFormat`.
 */

/**
 * Segmentation settings of a stream. A setting that is absent keeps the server's value.
 * @typedef {object} VadOptions
 * @property {number} [threshold]
 * @property {number} [min_silence_ms]
 * @property {number} [min_speech_ms]
 * @property {number} [prefix_padding_ms]
 * @property {number} [max_segment_ms]
 */

/**
 * @typedef {object} Started A stream began with these settings.
 * @property {'started'} type
 * @property {string} session_id
 * @property {string} trace_id
 * @property {string} model
 * @property {number} sample_rate
 * @property {boolean} interim_results
 * @property {{engine: string, threshold: number, min_silence_ms: number, min_speech_ms: number,
 *   prefix_padding_ms: number, max_segment_ms: number} | null} vad
 * @property {number} max_message_bytes Of a message to the server, at most.
 * @property {number} protocol
 * @property {boolean} [words] Whether segments have words; absent when they were not asked for.
 * @property {boolean} [eager] Whether pauses have eager interims; absent when they were not asked for.
 */

/**
 * @typedef {object} Configured The settings in force from now on. They count for speech that begins
 *   at `time`, or later.
 * @property {'configured'} type
 * @property {number} time
 * @property {string} model
 * @property {boolean} interim_results
 * @property {{engine: string, threshold: number, min_silence_ms: number, min_speech_ms: number,
 *   prefix_padding_ms: number, max_segment_ms: number} | null} vad
 * @property {string[]} keyterms
 * @property {boolean} [words] As in `started`.
 * @property {boolean} [eager] As in `started`.
 */

/**
 * @typedef {object} Active Speech began.
 * @property {'active'} type
 * @property {number} time
 * @property {number} channel
 */

/**
 * @typedef {object} Inactive Speech ended.
 * @property {'inactive'} type
 * @property {number} time
 * @property {number} channel
 */

/**
 * The model's output for a segment that still grows. It may be corrected later. A transcriber
 * adds `text`, other models add their own fields. `eager`: speech has paused, and this is the segment,
 * unless `resumed` follows; `confidence` and `words` are there as in a segment.
 * @typedef {{type: 'interim', start_time: number, end_time: number, is_final: false,
 *   channel: number, eager?: true, text?: string, confidence?: number, words?: Word[],
 *   [field: string]: unknown}} Interim
 */

/**
 * @typedef {object} Resumed Speech goes on: the last eager interim of the channel is not the segment.
 * @property {'resumed'} type
 * @property {number} time
 * @property {number} channel
 */

/**
 * The model's output for a whole segment. `words` is there when the client asked for it.
 * @typedef {{type: 'segment', start_time: number, end_time: number, is_final: true,
 *   channel: number, flushed?: boolean, text?: string, confidence?: number, words?: Word[],
 *   [field: string]: unknown}} Segment
 */

/**
 * @typedef {object} Flushed The answer to a flush: all results of the channel until `time` have
 *   arrived.
 * @property {'flushed'} type
 * @property {number} time
 * @property {number} channel
 */

/**
 * @typedef {object} Warned The server reports a problem that loses nothing.
 * @property {'warning'} type
 * @property {string} code
 * @property {string} message
 */

/**
 * @typedef {object} Failed The server did not do something that was requested.
 * @property {'error'} type
 * @property {string} code
 * @property {string} message
 * @property {boolean} fatal
 * @property {number} [channel]
 * @property {number} [start_time]
 * @property {number} [end_time]
 */

/**
 * Where the audio of a channel went, in seconds. `received` is the sum of `transcribed`, `failed`,
 * `dropped`, and what was taken for silence.
 * @typedef {object} ChannelSeconds
 * @property {number} channel
 * @property {number} received
 * @property {number} speech Between `active` and `inactive`.
 * @property {number} transcribed In segments that have a result.
 * @property {number} failed In segments that have an error.
 * @property {number} dropped Too short for speech, or silence to the model.
 * @property {number} loud_unheard Taken for silence, but louder than the background.
 */

/**
 * @typedef {object} Stopped A stream ended; nothing of it follows.
 * @property {'stopped'} type
 * @property {number} audio_seconds
 * @property {number} segments
 * @property {string} session_id
 * @property {ChannelSeconds[]} seconds Absent from servers of older versions.
 */

/**
 * @typedef {object} GoingAway The server is about to end; the client reconnects afterwards.
 * @property {'going_away'} type
 * @property {string} message
 * @property {number} deadline_seconds
 */

/**
 * @typedef {object} Lost The connection lost this piece of audio: it has no result.
 * @property {'lost'} type
 * @property {number} start_time
 * @property {number} end_time
 * @property {'disconnected' | 'outrun'} reason `outrun`: the network was slower than the audio.
 */

/**
 * @typedef {object} Connection The state of the client changed.
 * @property {'connection'} type
 * @property {State} state
 * @property {number} [attempt] Number of this attempt to reconnect, from 1.
 * @property {number} [delay_seconds] Until this attempt.
 */

/**
 * Audio in a container, such as a `MediaRecorder` gives it: the bytes say what it is, and the server
 * decodes them as they come. With 1 channel it gets a mix of all; without, those of the container.
 * @typedef {{encoding: 'auto', channels?: number}} ContainerFormat
 */

/**
 * @typedef {object} ContainerNeeded A part of a container is missing on the server: the connection is
 *   a new one, or the audio outran the network. Until a new container begins, no audio is sent.
 * @property {'container_needed'} type
 * @property {number} time
 */

/**
 * @typedef {object} Word A word of a segment, from a transcriber.
 * @property {string} text With the punctuation that follows it.
 * @property {number} start_time
 * @property {number} end_time
 * @property {number} confidence How certain the model is of it, 0 to 1.
 */

/**
 * @typedef {'idle' | 'connecting' | 'streaming' | 'reconnecting' | 'stopping' | 'closed'} State
 */

/**
 * Times are in seconds since `start()`. They go on after a reconnection, although the server counts
 * from 0 again.
 * @typedef {Started | Configured | Active | Inactive | Interim | Resumed | Segment | Flushed | Warned | Failed | Stopped |
 *   GoingAway | Lost | Connection | ContainerNeeded} ClientEvent
 */

/**
 * @template {ClientEvent['type']} T
 * @typedef {Extract<ClientEvent, {type: T}>} EventOf
 */

export {};
