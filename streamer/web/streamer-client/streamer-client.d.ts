/**
 * Streams audio to a Streamer server and gives back what it observes.
 *
 * `StreamerClient` speaks the protocol and runs wherever there is a WebSocket. `Microphone`
 * captures audio in a browser. Nothing else is needed: no dependencies, no build step.
 */
/**
 * Interleaved little-endian audio.
 * @typedef {object} AudioFormat
 * @property {number} sample_rate In Hz.
 * @property {number} [channels] 1 when absent.
 * @property {8 | 16 | 24 | 32 | 64} [bit_depth] 16 when absent.
 * @property {boolean} [is_float]
 * @property {'pcm' | 'mulaw' | 'alaw'} [encoding] `pcm` when absent.
 */
/**
 * Segmentation settings of a stream; whatever is absent keeps the server's value.
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
 * @property {Record<string, unknown> | null} vad
 * @property {number} protocol
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
 * What the model makes of a segment that is still growing; it may be corrected later. A transcriber
 * adds `text`, other models their own fields.
 * @typedef {{type: 'interim', start_time: number, end_time: number, is_final: false,
 *   channel: number, text?: string, [field: string]: unknown}} Interim
 */
/**
 * The model's output for a whole segment.
 * @typedef {{type: 'segment', start_time: number, end_time: number, is_final: true,
 *   channel: number, flushed?: boolean, text?: string, [field: string]: unknown}} Segment
 */
/**
 * @typedef {object} Warned Something to know; nothing is lost.
 * @property {'warning'} type
 * @property {string} code
 * @property {string} message
 */
/**
 * @typedef {object} Failed Something that was asked for is not going to happen.
 * @property {'error'} type
 * @property {string} code
 * @property {string} message
 * @property {boolean} fatal
 * @property {number} [channel]
 * @property {number} [start_time]
 * @property {number} [end_time]
 */
/**
 * @typedef {object} Stopped A stream ended; nothing of it follows.
 * @property {'stopped'} type
 * @property {number} audio_seconds
 * @property {number} segments
 * @property {string} session_id
 */
/**
 * @typedef {object} GoingAway The server is about to end; the client reconnects when it has.
 * @property {'going_away'} type
 * @property {string} message
 * @property {number} deadline_seconds
 */
/**
 * @typedef {object} Lost This much audio was not heard, because of the connection.
 * @property {'lost'} type
 * @property {number} start_time
 * @property {number} end_time
 * @property {'disconnected' | 'outrun'} reason `outrun`: the network was slower than the audio.
 */
/**
 * @typedef {object} Connection How the connection is now.
 * @property {'connection'} type
 * @property {State} state
 * @property {number} [attempt] Of reconnecting, from 1.
 * @property {number} [delay_seconds] Until this attempt.
 */
/**
 * @typedef {'idle' | 'connecting' | 'streaming' | 'stopping' | 'reconnecting' | 'closed'} State
 */
/**
 * Times in seconds since `start()`. They go on after a reconnection, though the server counts anew.
 * @typedef {Started | Active | Inactive | Interim | Segment | Warned | Failed | Stopped |
 *   GoingAway | Lost | Connection} ClientEvent
 */
/**
 * @template {ClientEvent['type']} T
 * @typedef {Extract<ClientEvent, {type: T}>} EventOf
 */
/**
 * @typedef {object} Backoff
 * @property {number} [initialMs] Before the first attempt to reconnect; doubled for each further.
 * @property {number} [maxMs] The longest wait.
 * @property {number} [attempts] Then the client gives up. A stream of ten seconds begins the count anew.
 */
/**
 * @typedef {object} ClientOptions
 * @property {boolean} [interimResults]
 * @property {VadOptions} [vad]
 * @property {string} [model] One of the server's models; its first when absent.
 * @property {string | (() => string | Promise<string>)} [token] Asked for anew for each connection,
 *   so that it can be a ticket, which serves once.
 * @property {string | (() => string | undefined)} [traceparent] W3C trace context of the page's own
 *   tracing; asked for anew for each stream.
 * @property {Backoff | false} [reconnect] False: a lost connection is the end.
 * @property {number} [maxBufferedSeconds] Audio that may wait in the socket. More is not sent, and
 *   reported as `lost`.
 * @property {number} [connectTimeoutMs]
 * @property {WebSocketConstructor} [WebSocket] For where there is no global one.
 */
/** @typedef {new (url: string, protocols?: string[]) => WebSocket} WebSocketConstructor */
/** Why something could not be done; `code` is for programs, `message` for people. */
export class StreamerError extends Error {
    /**
     * @param {string} code The server's, or `connection_failed`, `connection_lost`, `not_started`,
     *   `bad_audio`, `closed`; from a microphone `microphone_refused`, `microphone_absent`,
     *   `microphone_busy`, `microphone_unplugged`, `insecure_page`, `worklet_failed`.
     * @param {string} message
     * @param {ErrorOptions} [options]
     */
    constructor(code: string, message: string, options?: ErrorOptions);
    code: string;
}
/** A stream of audio to the server, and of events back. */
export class StreamerClient {
    /**
     * @param {string | URL} url Of an endpoint, such as `api/v1/segmented`; relative to the page, and
     *   with `http:` or `ws:` as you like.
     * @param {ClientOptions} [options]
     */
    constructor(url: string | URL, options?: ClientOptions);
    /** The endpoint's address, absolute. */
    url: string;
    /** @returns {State} */
    get state(): State;
    /** How much audio was offered since `start()`, in seconds. */
    get position(): number;
    /** How much audio waits in the socket, in seconds. */
    get bufferedSeconds(): number;
    /**
     * Begin a stream, and first connect if need be. Time restarts at 0. A stream that is open is
     * finished first, as `stop` would.
     * @param {AudioFormat} format Of the audio that `send` will be given.
     * @returns {Promise<Started>} The settings in force. While the server loads its model, this waits.
     * @throws {StreamerError} There is no connection, or the server refuses.
     */
    start(format: AudioFormat): Promise<Started>;
    /**
     * Send audio. This never waits: `ready` does, until the network has room.
     * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio Whole frames in the format of `start`.
     * @returns {boolean} Whether it was sent. What is not sent is reported by a `lost` event.
     * @throws {StreamerError} `not_started`, or `bad_audio`: a frame is split.
     */
    send(audio: ArrayBuffer | ArrayBufferView<ArrayBuffer>): boolean;
    /**
     * Wait until the connection stands and has room for more.
     * @returns {Promise<void>}
     * @throws {StreamerError} There is no stream any more.
     */
    ready(): Promise<void>;
    /** End the current segment now, and keep the stream open. Its `segment` has `flushed: true`. */
    flush(): void;
    /**
     * End the stream. Everything that is still owed comes first.
     * @param {{disconnect?: boolean}} [options] `disconnect: false` keeps the socket for the next
     *   `start`.
     * @returns {Promise<Stopped>}
     * @throws {StreamerError} The connection broke before the end, or there is no stream.
     */
    stop({ disconnect }?: {
        disconnect?: boolean;
    }): Promise<Stopped>;
    /** Close the connection at once, whatever is still owed. The client cannot be used again. */
    close(): void;
    /**
     * Be told of events of one type.
     * @template {ClientEvent['type']} T
     * @param {T} type
     * @param {(event: EventOf<T>) => void} listener
     * @returns {() => void} Call it to be told no more.
     */
    on<T extends ClientEvent["type"]>(type: T, listener: (event: EventOf<T>) => void): () => void;
    /**
     * Be told of every event.
     * @param {(event: ClientEvent) => void} listener
     * @returns {() => void} Call it to be told no more.
     */
    onEvent(listener: (event: ClientEvent) => void): () => void;
    /**
     * Be told of every message of the server, as it came; for logs.
     * @param {(json: string) => void} listener
     * @returns {() => void} Call it to be told no more.
     */
    onMessage(listener: (json: string) => void): () => void;
    /**
     * Every event from now on, until there is no stream any more: after `stop()` or `close()`, or when
     * the client gives up. To miss nothing, call it before `start()`. A reader that does not keep up
     * is spared interim results, and nothing else.
     * @returns {AsyncGenerator<ClientEvent, void, void>}
     */
    events(): AsyncGenerator<ClientEvent, void, void>;
    /** `for await (const event of client)` */
    [Symbol.asyncIterator](): AsyncGenerator<ClientEvent, void, void>;
    #private;
}
/**
 * @typedef {object} MicrophoneOptions
 * @property {string} [deviceId] One of `navigator.mediaDevices.enumerateDevices()`.
 * @property {number} [channels] As many as wanted; a device may have fewer. 1 when absent.
 * @property {number} [sampleRate] In Hz; the device's own when absent. The browser resamples.
 * @property {number} [messageMs] Length of a message. 20 when absent.
 * @property {boolean} [processing] Echo cancellation, noise suppression and automatic gain. Off when
 *   absent: models want the sound as it is.
 * @property {string | URL} [workletUrl] Of `capture-worklet.js`; beside this module when absent.
 */
/**
 * A microphone, captured on the audio thread as 16-bit PCM.
 *
 *     const microphone = await Microphone.open();
 *     await client.start(microphone.format);
 *     microphone.onAudio((pcm) => client.send(pcm));
 */
export class Microphone {
    /**
     * Ask for the microphone and begin to capture.
     * @param {MicrophoneOptions} [options]
     * @returns {Promise<Microphone>}
     * @throws {StreamerError} `insecure_page`, `microphone_refused`, `microphone_absent`,
     *   `microphone_busy`, `worklet_failed`.
     */
    static open(options?: MicrophoneOptions): Promise<Microphone>;
    /**
     * @private Use `Microphone.open`.
     * @param {AudioContext} context
     * @param {MediaStream} media
     * @param {AudioWorkletNode} node
     * @param {number} channels
     */
    private constructor();
    /** What `onAudio` gives, for `StreamerClient.start`. */
    format: {
        readonly sample_rate: number;
        readonly channels: number;
        readonly bit_depth: 16;
        readonly is_float: false;
    };
    /** What the browser calls the device. */
    label: string;
    /**
     * Be given the audio: interleaved 16-bit samples, some tens of milliseconds at a time.
     * @param {(pcm: ArrayBuffer) => void} listener
     * @returns {() => void} Call it to be given no more.
     */
    onAudio(listener: (pcm: ArrayBuffer) => void): () => void;
    /**
     * Be told when the microphone ends by itself: unplugged, or its permission withdrawn.
     * @param {(reason: StreamerError) => void} listener
     * @returns {() => void} Call it to be told no more.
     */
    onEnded(listener: (reason: StreamerError) => void): () => void;
    /** Hand out what was captured up to now, and let go of the device. */
    close(): Promise<void>;
    #private;
}
/**
 * Interleaved little-endian audio.
 */
export type AudioFormat = {
    /**
     * In Hz.
     */
    sample_rate: number;
    /**
     * 1 when absent.
     */
    channels?: number | undefined;
    /**
     * 16 when absent.
     */
    bit_depth?: 8 | 16 | 32 | 64 | 24 | undefined;
    is_float?: boolean | undefined;
    /**
     * `pcm` when absent.
     */
    encoding?: "pcm" | "mulaw" | "alaw" | undefined;
};
/**
 * Segmentation settings of a stream; whatever is absent keeps the server's value.
 */
export type VadOptions = {
    threshold?: number | undefined;
    min_silence_ms?: number | undefined;
    min_speech_ms?: number | undefined;
    prefix_padding_ms?: number | undefined;
    max_segment_ms?: number | undefined;
};
/**
 * A stream began with these settings.
 */
export type Started = {
    type: "started";
    session_id: string;
    trace_id: string;
    model: string;
    sample_rate: number;
    interim_results: boolean;
    vad: Record<string, unknown> | null;
    protocol: number;
};
/**
 * Speech began.
 */
export type Active = {
    type: "active";
    time: number;
    channel: number;
};
/**
 * Speech ended.
 */
export type Inactive = {
    type: "inactive";
    time: number;
    channel: number;
};
/**
 * What the model makes of a segment that is still growing; it may be corrected later. A transcriber
 * adds `text`, other models their own fields.
 */
export type Interim = {
    type: "interim";
    start_time: number;
    end_time: number;
    is_final: false;
    channel: number;
    text?: string;
    [field: string]: unknown;
};
/**
 * The model's output for a whole segment.
 */
export type Segment = {
    type: "segment";
    start_time: number;
    end_time: number;
    is_final: true;
    channel: number;
    flushed?: boolean;
    text?: string;
    [field: string]: unknown;
};
/**
 * Something to know; nothing is lost.
 */
export type Warned = {
    type: "warning";
    code: string;
    message: string;
};
/**
 * Something that was asked for is not going to happen.
 */
export type Failed = {
    type: "error";
    code: string;
    message: string;
    fatal: boolean;
    channel?: number | undefined;
    start_time?: number | undefined;
    end_time?: number | undefined;
};
/**
 * A stream ended; nothing of it follows.
 */
export type Stopped = {
    type: "stopped";
    audio_seconds: number;
    segments: number;
    session_id: string;
};
/**
 * The server is about to end; the client reconnects when it has.
 */
export type GoingAway = {
    type: "going_away";
    message: string;
    deadline_seconds: number;
};
/**
 * This much audio was not heard, because of the connection.
 */
export type Lost = {
    type: "lost";
    start_time: number;
    end_time: number;
    /**
     * `outrun`: the network was slower than the audio.
     */
    reason: "disconnected" | "outrun";
};
/**
 * How the connection is now.
 */
export type Connection = {
    type: "connection";
    state: State;
    /**
     * Of reconnecting, from 1.
     */
    attempt?: number | undefined;
    /**
     * Until this attempt.
     */
    delay_seconds?: number | undefined;
};
export type State = "idle" | "connecting" | "streaming" | "stopping" | "reconnecting" | "closed";
/**
 * Times in seconds since `start()`. They go on after a reconnection, though the server counts anew.
 */
export type ClientEvent = Started | Active | Inactive | Interim | Segment | Warned | Failed | Stopped | GoingAway | Lost | Connection;
export type EventOf<T extends ClientEvent["type"]> = Extract<ClientEvent, {
    type: T;
}>;
export type Backoff = {
    /**
     * Before the first attempt to reconnect; doubled for each further.
     */
    initialMs?: number | undefined;
    /**
     * The longest wait.
     */
    maxMs?: number | undefined;
    /**
     * Then the client gives up. A stream of ten seconds begins the count anew.
     */
    attempts?: number | undefined;
};
export type ClientOptions = {
    interimResults?: boolean | undefined;
    vad?: VadOptions | undefined;
    /**
     * One of the server's models; its first when absent.
     */
    model?: string | undefined;
    /**
     * Asked for anew for each connection,
     * so that it can be a ticket, which serves once.
     */
    token?: string | (() => string | Promise<string>) | undefined;
    /**
     * W3C trace context of the page's own
     * tracing; asked for anew for each stream.
     */
    traceparent?: string | (() => string | undefined) | undefined;
    /**
     * False: a lost connection is the end.
     */
    reconnect?: false | Backoff | undefined;
    /**
     * Audio that may wait in the socket. More is not sent, and
     * reported as `lost`.
     */
    maxBufferedSeconds?: number | undefined;
    connectTimeoutMs?: number | undefined;
    /**
     * For where there is no global one.
     */
    WebSocket?: WebSocketConstructor | undefined;
};
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocket;
export type Waiter<T> = {
    resolve: (value: T) => void;
    reject: (error: Error) => void;
};
export type MicrophoneOptions = {
    /**
     * One of `navigator.mediaDevices.enumerateDevices()`.
     */
    deviceId?: string | undefined;
    /**
     * As many as wanted; a device may have fewer. 1 when absent.
     */
    channels?: number | undefined;
    /**
     * In Hz; the device's own when absent. The browser resamples.
     */
    sampleRate?: number | undefined;
    /**
     * Length of a message. 20 when absent.
     */
    messageMs?: number | undefined;
    /**
     * Echo cancellation, noise suppression and automatic gain. Off when
     * absent: models want the sound as it is.
     */
    processing?: boolean | undefined;
    /**
     * Of `capture-worklet.js`; beside this module when absent.
     */
    workletUrl?: string | URL | undefined;
};
