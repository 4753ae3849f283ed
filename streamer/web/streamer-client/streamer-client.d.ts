/** Declarations of the client. `make web-types` writes this file. */

/** A stream of audio to the server, and of events back. */
export class StreamerClient {
    /**
     * @param {string | URL} url Of an endpoint, such as `api/v1/segmented`. It may be relative to the
     *   page, and may begin with `http:` or `ws:`.
     * @param {ClientOptions} [options]
     * @throws {TypeError} There is no address, it is not valid, has a fragment or no scheme before its
     *   host, there is no such option, or it may not have this value.
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
     * Begin a stream, and first connect if necessary. Time restarts at 0. A stream that is open is
     * finished first, as `stop` would. While another `start` or a `stop` waits for its reply, this
     * waits for it too.
     * @param {AudioFormat | ContainerFormat} format Of the audio that `send` receives.
     * @returns {Promise<Started>} The settings in force. While the server loads its model, this waits:
     *   at most for the option `startTimeoutMs`.
     * @throws {StreamerError} There is no connection, the server does not answer, or it refuses.
     * @throws {TypeError} There is no format, it has no sample rate, or a field that there is not.
     */
    start(format: AudioFormat | ContainerFormat): Promise<Started>;
    /**
     * Send audio. This never waits; `ready` waits until the network has room.
     * @param {ArrayBuffer | ArrayBufferView<ArrayBuffer>} audio Whole frames in the format of `start`.
     *   An `ArrayBuffer`, a `DataView` and an array of bytes are taken as they are; the elements of
     *   another array are the samples, such as an `Int16Array` for 16-bit integers. With the format
     *   `{encoding: 'auto'}`: the next bytes of a container.
     * @param {number} [seconds] With `auto`: the length of the audio in these bytes, such as the time
     *   slice of a `MediaRecorder`, for `position` and the limit of what waits.
     * @returns {boolean} Whether it was sent. Audio that is not sent is reported by a `lost` event.
     * @throws {StreamerError} `not_started`: there is no stream, also when it has ended by itself.
     *   `bad_audio`: a frame is split, it is no buffer of bytes, or its elements are others than the
     *   samples of the stream.
     */
    send(audio: ArrayBuffer | ArrayBufferView<ArrayBuffer>, seconds?: number): boolean;
    /**
     * Wait until there is a connection and it has room for more audio.
     * @returns {Promise<void>}
     * @throws {StreamerError} There is no stream any more.
     */
    ready(): Promise<void>;
    /**
     * End the current segment now, and keep the stream open. Its `segment` has `flushed: true`. Events
     * of audio that is sent afterwards follow the `flushed` event of their channel.
     * @returns {Promise<void>} Resolves when all results of the audio until now have arrived. It
     *   rejects with a `StreamerError` when there is no stream, or the connection breaks before; a
     *   caller that does not wait need not handle that.
     */
    flush(): Promise<void>;
    /**
     * Change settings for what is said later; a segment that has begun keeps its own. They count after
     * a reconnection, too. A `configured` event has the settings in force.
     * @param {StreamSettings} settings What is absent is unchanged.
     * @returns {boolean} Whether they were sent. While there is no connection they are kept for the
     *   next one. A value that the server refuses is reported later, as event `error`.
     * @throws {StreamerError} `not_started`: there is no stream.
     * @throws {TypeError} There is no such setting.
     */
    configure(settings: StreamSettings): boolean;
    /**
     * End the stream. All pending results arrive first. This waits as long as the server sends something,
     * and then at most for the option `stopTimeoutMs`.
     * @param {{disconnect?: boolean}} [options] `disconnect: false` keeps the socket for the next
     *   `start`.
     * @returns {Promise<Stopped>}
     * @throws {StreamerError} The connection broke before the end, or there is no stream.
     * @throws {TypeError} There is no such option.
     */
    stop(options?: {
        disconnect?: boolean;
    }): Promise<Stopped>;
    /**
     * Make the next attempt to reconnect at once, such as when a person asks for it. It has no effect
     * unless the client waits before an attempt.
     */
    reconnectNow(): void;
    /** Close the connection at once, without pending results. The client cannot be used again. */
    close(): void;
    /**
     * Receive the events of one type.
     * @template {ClientEvent['type']} T
     * @param {T} type
     * @param {(event: EventOf<T>) => void} listener An error of it is reported as uncaught, and changes
     *   nothing else.
     * @returns {() => void} Removes the listener.
     * @throws {TypeError} There is no such type, or the listener is no function.
     */
    on<T extends ClientEvent["type"]>(type: T, listener: (event: EventOf<T>) => void): () => void;
    /**
     * Receive every event.
     * @param {(event: ClientEvent) => void} listener As that of `on`.
     * @returns {() => void} Removes the listener.
     * @throws {TypeError} The listener is no function.
     */
    onEvent(listener: (event: ClientEvent) => void): () => void;
    /**
     * Receive every message of the server, unchanged; for logs.
     * @param {(json: string) => void} listener As that of `on`.
     * @returns {() => void} Removes the listener.
     * @throws {TypeError} The listener is no function.
     */
    onMessage(listener: (json: string) => void): () => void;
    /**
     * Every event from now on, until there is no stream any more: after `stop()` or `close()`, or when
     * the client gives up. Call it before `start()` to receive all events. A reader that is too slow
     * misses interim results, and no other events.
     * @returns {AsyncGenerator<ClientEvent, void, void>}
     */
    events(): AsyncGenerator<ClientEvent, void, void>;
    /** `for await (const event of client)` */
    [Symbol.asyncIterator](): AsyncGenerator<ClientEvent, void, void>;
    #private;
}
/** Why something could not be done; `code` is for programs, `message` for people. */
export class StreamerError extends Error {
    /**
     * @param {string} code The server's, or `connection_failed`, `connection_lost`, `not_started`,
     *   `bad_audio`, `closed`; from a microphone `microphone_refused`, `microphone_absent`,
     *   `microphone_busy`, `microphone_unplugged`, `insecure_page`, `worklet_failed`, `audio_blocked`.
     * @param {string} message
     * @param {ErrorOptions} [options]
     */
    constructor(code: string, message: string, options?: ErrorOptions);
    code: string;
}
/**
 * Records a microphone, or another stream of a browser, in a container.
 *
 *     const recorder = new ContainerRecorder(microphone.media);
 *     await client.start(recorder.format);
 *     client.on('container_needed', () => recorder.restart());
 *     recorder.onAudio((bytes, seconds) => client.send(bytes, seconds));
 *     recorder.start();
 */
export class ContainerRecorder {
    /** Whether the browser can record in a container that the server decodes. */
    static get isSupported(): boolean;
    /**
     * @param {MediaStream} media
     * @param {{bitsPerSecond?: number, messageMs?: number}} [options] Bits of a second, 32000 when
     *   absent; and the length of a message, 100 ms when absent.
     * @throws {StreamerError} `recorder_absent`: the browser has no `MediaRecorder` for such containers.
     */
    constructor(media: MediaStream, { bitsPerSecond, messageMs }?: {
        bitsPerSecond?: number;
        messageMs?: number;
    });
    /** Pass it to `StreamerClient.start`. */
    format: {
        readonly encoding: "auto";
        readonly channels: 1;
    };
    /** Of the container, as the browser calls it. */
    mimeType: string;
    /**
     * Receive the bytes of the container, and the length of the audio in them in seconds.
     * @param {(bytes: ArrayBuffer, seconds: number) => void} listener An error of it is reported as uncaught.
     * @returns {() => void} Removes the listener.
     * @throws {TypeError} The listener is no function.
     */
    onAudio(listener: (bytes: ArrayBuffer, seconds: number) => void): () => void;
    /** Begin to record. */
    start(): void;
    /** Begin a new container: a connection or a stream has begun that knows nothing of the old one. */
    restart(): void;
    /** Pass on what was recorded until now, and end. Resolves when all is passed on. */
    stop(): Promise<void>;
    #private;
}
/**
 * A microphone, captured on the audio thread as 16-bit PCM.
 *
 *     const microphone = await Microphone.open();
 *     client.on('connection', ({ state }) => state === 'idle' && microphone.close());
 *     await client.start(microphone.format);
 *     microphone.onAudio((pcm) => client.state === 'idle' || client.send(pcm));
 */
export class Microphone {
    /**
     * Request the microphone and begin to capture.
     * @param {MicrophoneOptions} [options]
     * @returns {Promise<Microphone>}
     * @throws {StreamerError} `insecure_page`, `microphone_refused`, `microphone_absent`,
     *   `microphone_busy`, `worklet_failed`, `audio_blocked`.
     * @throws {TypeError} There is no such option, or it may not have this value.
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
    /** The format of the audio for `onAudio`; pass it to `StreamerClient.start`. */
    format: {
        readonly sample_rate: number;
        readonly channels: number;
        readonly bit_depth: 16;
        readonly is_float: false;
    };
    /** What the browser gives; for `ContainerRecorder`. */
    media: MediaStream;
    /** The browser's name of the device. */
    label: string;
    /**
     * Receive the audio: interleaved 16-bit samples, some tens of milliseconds at a time.
     * @param {(pcm: ArrayBuffer) => void} listener An error of it is reported as uncaught.
     * @returns {() => void} Removes the listener.
     * @throws {TypeError} The listener is no function.
     */
    onAudio(listener: (pcm: ArrayBuffer) => void): () => void;
    /**
     * Receive the reason when the microphone ends by itself: unplugged, or its permission withdrawn.
     * @param {(reason: StreamerError) => void} listener An error of it is reported as uncaught.
     * @returns {() => void} Removes the listener.
     * @throws {TypeError} The listener is no function.
     */
    onEnded(listener: (reason: StreamerError) => void): () => void;
    /** Pass on the audio that was captured until now, and release the device. */
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
     * `pcm` when absent. `auto`: see `ContainerFormat`.
     */
    encoding?: "auto" | "pcm" | "mulaw" | "alaw" | undefined;
};
/**
 * Segmentation settings of a stream. A setting that is absent keeps the server's value.
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
    vad: {
        engine: string;
        threshold: number;
        min_silence_ms: number;
        min_speech_ms: number;
        prefix_padding_ms: number;
        max_segment_ms: number;
    } | null;
    /**
     * Of a message to the server, at most.
     */
    max_message_bytes: number;
    protocol: number;
    /**
     * Whether segments have words; absent when they were not asked for.
     */
    words?: boolean | undefined;
    /**
     * Whether pauses have eager interims; absent when they were not asked for.
     */
    eager?: boolean | undefined;
};
/**
 * The settings in force from now on. They count for speech that begins
 *   at `time`, or later.
 */
export type Configured = {
    type: "configured";
    time: number;
    model: string;
    interim_results: boolean;
    vad: {
        engine: string;
        threshold: number;
        min_silence_ms: number;
        min_speech_ms: number;
        prefix_padding_ms: number;
        max_segment_ms: number;
    } | null;
    keyterms: string[];
    /**
     * As in `started`.
     */
    words?: boolean | undefined;
    /**
     * As in `started`.
     */
    eager?: boolean | undefined;
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
 * The model's output for a segment that still grows. It may be corrected later. A transcriber
 * adds `text`, other models add their own fields. `eager`: speech has paused, and this is the segment,
 * unless `resumed` follows; `confidence` and `words` are there as in a segment.
 */
export type Interim = {
    type: "interim";
    start_time: number;
    end_time: number;
    is_final: false;
    channel: number;
    eager?: true;
    text?: string;
    confidence?: number;
    words?: Word[];
    [field: string]: unknown;
};
/**
 * Speech goes on: the last eager interim of the channel is not the segment.
 */
export type Resumed = {
    type: "resumed";
    time: number;
    channel: number;
};
/**
 * The model's output for a whole segment. `words` is there when the client asked for it.
 */
export type Segment = {
    type: "segment";
    start_time: number;
    end_time: number;
    is_final: true;
    channel: number;
    flushed?: boolean;
    text?: string;
    confidence?: number;
    words?: Word[];
    [field: string]: unknown;
};
/**
 * The answer to a flush: all results of the channel until `time` have
 *   arrived.
 */
export type Flushed = {
    type: "flushed";
    time: number;
    channel: number;
};
/**
 * The server reports a problem that loses nothing.
 */
export type Warned = {
    type: "warning";
    code: string;
    message: string;
};
/**
 * The server did not do something that was requested.
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
 * Where the audio of a channel went, in seconds. `received` is the sum of `transcribed`, `failed`,
 * `dropped`, and what was taken for silence.
 */
export type ChannelSeconds = {
    channel: number;
    received: number;
    /**
     * Between `active` and `inactive`.
     */
    speech: number;
    /**
     * In segments that have a result.
     */
    transcribed: number;
    /**
     * In segments that have an error.
     */
    failed: number;
    /**
     * Too short for speech, or silence to the model.
     */
    dropped: number;
    /**
     * Taken for silence, but louder than the background.
     */
    loud_unheard: number;
};
/**
 * A stream ended; nothing of it follows.
 */
export type Stopped = {
    type: "stopped";
    audio_seconds: number;
    segments: number;
    session_id: string;
    /**
     * Absent from servers of older versions.
     */
    seconds: ChannelSeconds[];
};
/**
 * The server is about to end; the client reconnects afterwards.
 */
export type GoingAway = {
    type: "going_away";
    message: string;
    deadline_seconds: number;
};
/**
 * The connection lost this piece of audio: it has no result.
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
 * The state of the client changed.
 */
export type Connection = {
    type: "connection";
    state: State;
    /**
     * Number of this attempt to reconnect, from 1.
     */
    attempt?: number | undefined;
    /**
     * Until this attempt.
     */
    delay_seconds?: number | undefined;
};
/**
 * Audio in a container, such as a `MediaRecorder` gives it: the bytes say what it is, and the server
 * decodes them as they come. With 1 channel it gets a mix of all; without, those of the container.
 */
export type ContainerFormat = {
    encoding: "auto";
    channels?: number;
};
/**
 * A part of a container is missing on the server: the connection is
 *   a new one, or the audio outran the network. Until a new container begins, no audio is sent.
 */
export type ContainerNeeded = {
    type: "container_needed";
    time: number;
};
/**
 * A word of a segment, from a transcriber.
 */
export type Word = {
    /**
     * With the punctuation that follows it.
     */
    text: string;
    start_time: number;
    end_time: number;
    /**
     * How certain the model is of it, 0 to 1.
     */
    confidence: number;
};
export type State = "idle" | "connecting" | "streaming" | "reconnecting" | "stopping" | "closed";
/**
 * Times are in seconds since `start()`. They go on after a reconnection, although the server counts
 * from 0 again.
 */
export type ClientEvent = Started | Configured | Active | Inactive | Interim | Resumed | Segment | Flushed | Warned | Failed | Stopped | GoingAway | Lost | Connection | ContainerNeeded;
export type EventOf<T extends ClientEvent["type"]> = Extract<ClientEvent, {
    type: T;
}>;
export type Backoff = {
    /**
     * Before the first attempt to reconnect; doubled for each further one.
     */
    initialMs?: number | undefined;
    /**
     * The longest delay.
     */
    maxMs?: number | undefined;
    /**
     * After these, the client gives up. A stream of ten seconds resets the
     * count.
     */
    attempts?: number | undefined;
};
export type ClientOptions = {
    interimResults?: boolean | undefined;
    /**
     * Whether each pause has an interim that is marked: it is the segment, unless
     * `resumed` follows.
     */
    eager?: boolean | undefined;
    /**
     * Whether segments have the times and the certainty of their words.
     */
    words?: boolean | undefined;
    /**
     * Up to 100 names and rare words that are likelier than usual.
     */
    keyterms?: string[] | undefined;
    vad?: VadOptions | undefined;
    /**
     * One of the server's models; its first when absent.
     */
    model?: string | undefined;
    /**
     * A function is called for each
     * connection, so that it can return a ticket, which is valid once. The client waits for it without limit.
     */
    token?: string | (() => string | Promise<string>) | undefined;
    /**
     * W3C trace context of the page's own
     * tracing. A function is called for each stream. An error of it is reported as uncaught.
     */
    traceparent?: string | (() => string | undefined) | undefined;
    /**
     * False: a lost connection is the end.
     */
    reconnect?: false | Backoff | undefined;
    /**
     * Audio that may wait in the socket. Audio beyond it is not
     * sent, and is reported as `lost`. 10 when absent.
     */
    maxBufferedSeconds?: number | undefined;
    /**
     * Until the connection is open. 10000 when absent.
     */
    connectTimeoutMs?: number | undefined;
    /**
     * Then, until the server has begun the stream. When absent, 120000, in which
     * a server loads its model; at an address that does not end like one of Streamer, as `connectTimeoutMs`.
     */
    startTimeoutMs?: number | undefined;
    /**
     * After `stop`, how long the server may send nothing. 300000 when absent.
     */
    stopTimeoutMs?: number | undefined;
    /**
     * The global one when absent.
     */
    WebSocket?: WebSocketConstructor | undefined;
};
/**
 * Settings that can be changed while a stream is open; as those of `ClientOptions`. What is absent is
 * unchanged.
 */
export type StreamSettings = Pick<ClientOptions, "interimResults" | "words" | "keyterms" | "vad" | "model" | "eager">;
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocket;
export type MicrophoneOptions = {
    /**
     * One of `navigator.mediaDevices.enumerateDevices()`.
     */
    deviceId?: string | undefined;
    /**
     * The number to request, 1 to 8; a device may have fewer, see
     * `format`. 1 when absent.
     */
    channels?: number | undefined;
    /**
     * In Hz, 8000 to 192000; the device's own when absent. The browser
     * resamples.
     */
    sampleRate?: number | undefined;
    /**
     * Length of a message, 1 to 1000. 20 when absent.
     */
    messageMs?: number | undefined;
    /**
     * Echo cancellation, noise suppression and automatic gain. Off when
     * absent, because models work best on unprocessed sound.
     */
    processing?: boolean | undefined;
    /**
     * Of `capture-worklet.js`; beside this module when absent.
     */
    workletUrl?: string | URL | undefined;
};
