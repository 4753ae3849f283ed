"""Every setting of the server with its default: the one place where defaults are written.

`config.json`, the environment and the command line are laid over these by `sources.py`. The
structs are frozen. Error messages quote their constraints. The tables of `docs/configuration.md`
are written from all of it (`tools/docs/settings.py`): the text below a setting is its cell there,
and its links are those of that page.
"""

import re
from collections.abc import Collection
from typing import Annotated, Literal, NamedTuple, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from streamer.config.explain import ALLOWED
from streamer.config.key_terms import MAX_KEY_TERMS, KeyTerms
from streamer.config.remote import RemoteConfig

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Host = Annotated[str, Meta(extra={ALLOWED: "an address or host name"})]
File = Annotated[str, Meta(extra={ALLOWED: "the path of a file"})]
LogFormat = Literal["auto", "json", "text"]
AddedDialect = Literal["deepgram", "flux", "realtime", "assemblyai", "vosk"]
"""A wire language of another vendor, spoken on WebSockets. Each can be switched off."""
GrpcDialect = Literal["streamer", "google", "riva"]
"""A service on the port for gRPC. `streamer`: our own; `google`: Google's Cloud Speech-to-Text;
`riva`: NVIDIA Riva's speech recognition."""
DialectName = Literal["native", "openai", "wyoming", AddedDialect, GrpcDialect]
"""In metrics, logs and traces. `native`: Streamer's own on WebSockets; `openai`: OpenAI's for
recordings; `wyoming`: on a port of its own."""
Deadline = Annotated[float, Meta(ge=0)]
"""Seconds; 0 = no limit."""
Probability = Annotated[float, Meta(gt=0, lt=1)]
MinSilenceMs = Annotated[int, Meta(ge=50, le=10_000)]
"""This and those below: of the configuration, and of a stream's own `start`."""
MinSpeechMs = Annotated[int, Meta(ge=0, le=2_000)]
PrefixPaddingMs = Annotated[int, Meta(ge=0, le=2_000)]
MaxSegmentMs = Annotated[int, Meta(ge=1_000, le=60_000)]


class Conflict(NamedTuple):
    """A setting, or several together, that a server cannot run with.

    Attributes:
        keys: Of the section: those at fault.
        message: One sentence for the person who set them.
    """

    keys: tuple[str, ...]
    message: str


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: immutable, and an unknown key is an error."""


class ServerConfig(_Section, frozen=True):
    """Where the server listens, behind which proxy, with which certificate, and what it logs."""

    host: Host = "127.0.0.1"
    """The address to listen on. With a host name, the server listens on all addresses of this name
    that the machine has. `0.0.0.0` = every IPv4 address of the machine, `::` = every IPv4 and IPv6
    address: with these, set [`access`](#access)."""
    port: Port = 8080
    """0 = a free port; the first line that the server prints shows it."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Less severe messages are not logged."""
    root_path: str = ""
    """The path below which a reverse proxy serves Streamer, such as `/speech`, without a slash at
    its end."""
    forwarded_allow_ips: Annotated[
        tuple[str, ...], Meta(extra={ALLOWED: """a list in JSON, such as '["10.0.0.1"]'"""})
    ] = ()
    """The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. If it is empty, the
    address of the connection counts as the client's address."""
    ssl_certfile: File | None = None
    """TLS: the certificate, with its full chain. The path is relative to the folder in which the
    server is started."""
    ssl_keyfile: File | None = None
    """Its key, if the key is in another file."""
    ping_interval_seconds: Seconds = 20.0
    """Time between two keepalive pings; many proxies and routers drop connections that are silent
    for a minute."""
    ping_timeout_seconds: Seconds = 20.0
    """A client that does not answer a ping within this time is disconnected."""
    dialects: tuple[AddedDialect, ...] = get_args(AddedDialect)
    """Protocols of other vendors that are served, beside Streamer's own. `[]` = none."""

    def conflict(self) -> Conflict | None:
        """What is wrong; None when nothing is."""
        if not re.fullmatch(r"(/[^/?#\s]+)*", self.root_path):
            message = "'server.root_path' is not a path like /speech, without a slash at its end"
            return Conflict(("root_path",), message)
        if self.ssl_keyfile and not self.ssl_certfile:
            message = "'server.ssl_keyfile' is given without 'server.ssl_certfile'"
            return Conflict(("ssl_keyfile",), message)
        return None


class ModelConfig(_Section, frozen=True):
    """The model that processes the audio."""

    type: str = "moonshine"
    """`moonshine`, `classifier`, `frames`, `standin`, or the import path of your own class,
    `package.module:Class`."""
    path: str | None = None
    """The model's folder, relative to the configuration file, or a name that `streamer models list`
    shows. Only `moonshine` and `frames` have a default path; that of `moonshine` depends on the
    number of cores, see below. For every other type, set it if the model has a folder."""
    interim_model: str | None = None
    """A second model of the same type, given like `path`. It makes the interims; the first model
    makes everything else. Each worker loads both."""
    name: str | None = None
    """The name that clients use. null = the `name` in `model.json`, else the name of the folder,
    else that of the class."""
    options: dict[str, object] = {}
    """Keyword arguments of the constructors of both models."""
    workers: Count = 0
    """Worker processes of this model; 0 = a share of `inference.workers`."""
    keyterms: Annotated[
        KeyTerms,
        Meta(
            extra={
                ALLOWED: f"a list in JSON of at most {MAX_KEY_TERMS}, "
                """such as '["Oslo", "Acme"]'"""
            }
        ),
    ] = ()
    """Up to 100 [key terms](protocol.md#key-terms) for all clients, such as `["Jean Valjean",
    "Kubernetes"]`. The key terms of a client are added. If the model does not use key terms, the
    log has a warning."""
    remote: RemoteConfig | None = None
    """Workers of this model on other machines, beside those here: [`remote` of a
    model](#remote-of-a-model)."""


class VadConfig(_Section, frozen=True):
    """Voice-activity segmentation. A stream's `start` may override what `VadOptions` has."""

    engine: Literal["silero", "webrtc"] = "silero"
    """Silero distinguishes speech from noise much better, and finds speech down to -40 dB of its
    usual level; WebRTC costs less ([performance](performance.md))."""
    webrtc_mode: Annotated[int, Meta(ge=0, le=3)] = 3
    """WebRTC's aggressiveness against noise."""
    gather_ms: Annotated[float, Meta(ge=0, le=100)] = 5.0
    """Wait this long to batch channels into one VAD call. Adds up to twice this to every
    event."""
    threshold: Probability = 0.5
    """A window with this probability or more is speech. After a window of speech, a probability
    that is lower by up to 0.15 is enough."""
    min_silence_ms: MinSilenceMs = 600
    """Silence of this duration ends a segment."""
    min_speech_ms: MinSpeechMs = 200
    """Speech of this duration begins a segment."""
    prefix_padding_ms: PrefixPaddingMs = 450
    """This much audio before the first speech belongs to the segment."""
    suffix_padding_ms: Annotated[int, Meta(ge=0, le=1_000)] = 250
    """This much audio after the last speech belongs to the segment; at most `min_silence_ms`."""
    max_segment_ms: MaxSegmentMs = 20_000
    """A longer segment is cut at a quiet point."""
    end_on_pause: bool = True
    """true = if a client sends in real time and then sends no audio, its segment ends: see
    [pauses](protocol.md#pauses)."""
    least_endpointing_ms: MinSilenceMs = 300
    """The shortest silence that ends a segment for clients of [other vendors'
    protocols](clients.md). These clients ask for 10 to 100 ms, which is too short for a model that
    gets whole segments."""

    def problem(self) -> str | None:
        """What is wrong with the settings together, in one sentence; None when nothing is."""
        beginning = self.prefix_padding_ms + self.min_speech_ms
        longest = self.max_segment_ms * 2 // 3
        if beginning <= longest:
            return None
        return (
            f"prefix_padding_ms + min_speech_ms is {beginning}; "
            f"allowed: at most two thirds of max_segment_ms, {longest}"
        )


class SimpleConfig(_Section, frozen=True):
    """`/api/v1/simple`: equal chunks, no VAD."""

    chunk_seconds: Annotated[float, Meta(ge=0.05, le=60)] = 1.0
    """Length of the chunks of `/api/v1/simple`; [how to choose
    it](your-own-model.md#speech-or-not)."""


class InterimConfig(_Section, frozen=True):
    """How often a growing segment is transcribed before it is final."""

    interval_ms: Annotated[int, Meta(ge=100, le=10_000)] = 500
    """Minimum audio between two interims of a segment."""
    growth: Annotated[float, Meta(ge=0, le=1)] = 0.2
    """Minimum growth between two interims, as a fraction of the segment's length. A larger value
    needs less CPU. At 0.2, each second of audio is processed at most six times for interims."""


class InferenceConfig(_Section, frozen=True):
    """The pool of worker processes."""

    workers: Count = 0
    """Worker processes, of all models together; 0 = one for each core."""
    timeout_seconds: Seconds = 30.0
    """A segment that takes longer fails; its worker is killed and replaced."""
    load_timeout_seconds: Seconds = 120.0
    """If loading a model takes longer, it has failed."""
    max_jobs_per_worker: Count = 0
    """A worker is replaced after this number of jobs; 0 = never."""
    max_pending_segments: Positive = 8
    """While this number of results is pending on a channel, the stream's audio waits."""
    early_finals: bool = True
    """true = an idle worker starts a segment during the pause that may end it; see [early
    finals](inference.md#early-finals)."""


class LimitsConfig(_Section, frozen=True):
    """What one client and all clients together may use; 0 = no limit, where 0 is allowed."""

    max_sessions: Count = 256
    """Sockets at the same time. Further sockets are refused with HTTP 503. One machine can serve
    fewer live streams than the default."""
    max_sessions_per_ip: Count = 32
    """Sockets from one address (IPv6: from one /64 network). The default is enough for an office
    behind one router, and one machine cannot use all sockets. Behind a proxy, set
    `server.forwarded_allow_ips`; for a load test from one machine, set 0."""
    max_queue_seconds: Deadline = 5.0
    """If the first segment of a new session would wait longer for a worker, the session is refused
    with HTTP 503: its results would be too late for live use."""
    max_container_streams: Count = 64
    """Streams in [containers](protocol.md#containers) that are decoded at the same time. Each has a
    process, which takes up to 256 MiB if a file is made to attack it, and 5 MiB usually. A further
    stream ends with `overloaded`."""
    max_channels: Annotated[int, Meta(ge=1, le=64)] = 8
    """Channels of a stream; enough for 7.1 surround."""
    max_message_bytes: Annotated[int, Meta(ge=1_024)] = 262_144
    """Size of a message; 8 s of 16 kHz audio."""
    max_text_bytes: Annotated[int, Meta(ge=256)] = 65_536
    """Size of a text message. A `start` has a few hundred bytes; with 100 [key
    terms](protocol.md#key-terms) of 100 characters, it has up to 60 000. It may also have no more
    than `max_message_bytes`."""
    max_fragments: Count = 1_024
    """Frames of one message. With the defaults, the frames of the largest message have 256 bytes
    each."""
    max_messages_per_second: Count = 1_000
    """Frames that the server reads from a client in a second while other clients are active. Live
    audio in messages of 20 ms has 50. Clients that send more are read more slowly: together they
    get a fifth of the server's time. So send a recording in larger messages, as the clients do."""
    max_control_per_second: Count = 50
    """Pings, pongs and close frames that the server reads from a client in a second. A client needs
    one in 20 s. Clients that send more are read more slowly."""
    max_buffered_bytes: Annotated[int, Meta(ge=1_024)] = 262_144
    """Audio and requests of one socket that wait to be processed; a request counts as 512 bytes and
    as its message. While more waits, the server does not read from the socket."""
    handshake_seconds: Deadline = 5.0
    """Time for the header of a request; enough for several round trips by satellite."""
    start_seconds: Deadline = 10.0
    """Time until the first message on a socket."""
    idle_seconds: Deadline = 30.0
    """If a client sends no message for this time, and no result is pending, it is disconnected. The
    same time applies to the body of a request."""
    max_lag_seconds: Deadline = 30.0
    """Time that audio may wait to be processed. If audio waits longer, the server is too slow for
    this client, and closes with `overloaded`."""
    max_session_seconds: Deadline = 14_400.0
    """Age of a socket; enough for a long conference."""
    send_timeout_seconds: Seconds = 10.0
    """A client that does not read an event within this time is disconnected."""
    drain_seconds: Deadline = 25.0
    """Time from the signal to the end of the server; Kubernetes kills a process after 30 s."""
    max_upload_bytes: Positive = 1_073_741_824
    """Size of the body of a [request](http.md); the default holds three hours of mono 48 kHz audio
    (16 bits). Bodies are kept on disk (`TMPDIR`), which needs room for `max_concurrent_requests` of
    them."""
    max_recording_seconds: Seconds = 14_400.0
    """Duration of a recording; a small file can contain a very long silence."""
    max_audio_seconds: Seconds = 600.0
    """Duration of audio that the model gets as a whole, without a VAD; the model's own limit may be
    lower."""
    max_concurrent_requests: Positive = 8
    """Recordings that are processed at the same time; a separate process decodes each. Further
    requests are refused with 503 at once, so that live streams keep their share. Calls of
    `Recognize` [over gRPC](clients.md#google) count, too: each holds up to 10 MiB in memory, as it
    came, and as much again in pieces while it is processed."""


NO_HEADER = "holds one that no HTTP header can carry; allowed: visible ASCII"


def fits_header(token: str) -> bool:
    """Whether an `Authorization` header can carry the token."""
    return re.fullmatch(r"[!-~]+", token) is not None


MIN_SECRET_CHARACTERS = 32
"""Of a secret that signs tickets; `openssl rand -hex 32` prints 64."""

SHORT_SECRET = (
    f"holds one of fewer than {MIN_SECRET_CHARACTERS} characters; "
    "`openssl rand -hex 32` prints a good one"
)


def is_good_secret(secret: str) -> bool:
    """Whether it is long enough to sign tickets."""
    return len(secret) >= MIN_SECRET_CHARACTERS


ORIGIN = r"\*|https?://[^/?#\s*]+"
"""What `access.origins` holds: scheme, host and port of a page, or `*`."""

DEFAULT_PORT = r"(?i:(http://[^/?#\s*]+):80|(https://[^/?#\s*]+):443)"
"""An origin with a port that browsers leave out, so that no page has it."""


def _origin_problem(text: str) -> str | None:
    """What to write instead of an origin that no page has; None = it is right."""
    if usual := re.fullmatch(DEFAULT_PORT, text):
        return f"browsers leave out this port; did you mean {usual[1] or usual[2]}?"
    if re.fullmatch(ORIGIN, text):
        return None
    if address := re.fullmatch(r"(https?://[^/?#\s*]+)[/?#]\S*", text):
        extra = "slash at its end" if text == f"{address[1]}/" else "path"
        return f"an origin has no {extra}; did you mean {address[1]}?"
    if re.fullmatch(r"https?://[^/?#\s]+", text):
        return "a name has no * within; name each origin, or give * alone for all"
    if address := re.fullmatch(
        r"(?:ws(s?)://)?((?:localhost|[\w.-]+:\d+|\d+(?:\.\d+){3})[^/?#\s*]*)/?", text
    ):
        return f"an origin begins with http:// or https://; did you mean http{address[1] or ''}://{address[2]}?"
    return "allowed: https://example.com, or *"


class AccessConfig(_Section, frozen=True):
    """Who may use the server. Without tokens: every client that can reach it.

    `ticket_secrets` sign the tickets of a group of servers, of which each accepts those of the
    others. The first signs, and all are accepted. Without: a ticket is for the server that gave it.
    """

    tokens: tuple[str, ...] = ()
    """A client with one of these tokens is admitted. The environment variable `STREAMER_TOKENS`
    adds tokens, separated by commas or spaces."""
    tokens_file: File | None = None
    """Adds the tokens in this file, one a line; `#` begins a comment. The path is relative to the
    configuration file."""
    ticket_secrets: tuple[str, ...] = ()
    """Secrets of at least 32 characters, which sign the
    [tickets](deployment.md#tickets-for-a-group-of-servers) of a group of servers, so that each
    accepts those of the others. The first signs, all are accepted. The environment variable
    `STREAMER_TICKET_SECRETS` adds secrets, separated by commas or spaces. Without any, a ticket is
    valid only on the server that issued it."""
    ticket_secrets_file: File | None = None
    """Adds the secrets in this file, one a line; `#` begins a comment. The path is relative to the
    configuration file."""
    origins: Annotated[
        tuple[str, ...],
        Meta(extra={ALLOWED: """a list in JSON, such as '["https://example.com"]'"""}),
    ] = ()
    """The origins of the web pages that may connect, and may send requests with any header (CORS).
    An origin has no path and no slash at its end; `["*"]` = all. An empty list = only pages of this
    server. Otherwise only the pages in the list: if the server's own page should work, add its
    origin."""

    def conflict(self) -> Conflict | None:
        """What is wrong, without showing a token; None when nothing is."""
        if not all(map(fits_header, self.tokens)):
            return Conflict(("tokens",), f"'access.tokens' {NO_HEADER}")
        if not all(map(is_good_secret, self.ticket_secrets)):
            return Conflict(("ticket_secrets",), f"'access.ticket_secrets' {SHORT_SECRET}")
        for origin in self.origins:
            if (problem := _origin_problem(origin)) is not None:
                message = f"'access.origins' holds {origin!r}; {problem}"
                return Conflict(("origins",), message)
        return None


class WyomingConfig(_Section, frozen=True):
    """The port for Home Assistant's voice services.

    The protocol has no credentials: every client that reaches the port may use the server.
    """

    host: Host = "127.0.0.1"
    """The address to listen on, as [`server.host`](#server)."""
    port: Port = 0
    """0 = there is no such port. Home Assistant's usual one is 10300."""
    ends_commands: bool = False
    """true = the server finds the end of a voice command, and Home Assistant from 2026.11 on does
    not look for it. The command is then the first speech that `vad.min_silence_ms` of silence
    follow."""
    announce: bool = False
    """true = the port is announced in the local network (zeroconf), and Home Assistant offers it by
    itself. It needs `pip install 'streamer-server[zeroconf]'`, and a `host` that other machines
    reach."""

    def conflict(self) -> Conflict | None:
        """What is wrong; None when nothing is."""
        if self.announce and not self.port:
            message = "'wyoming.announce' is true, and 'wyoming.port' is 0, which means none"
            return Conflict(("announce",), message)
        return None


class VoskConfig(_Section, frozen=True):
    """A port on which the protocol of vosk-server is spoken at every path.

    With `server.ssl_certfile`, it takes TLS only.
    """

    host: Host = "127.0.0.1"
    """The address to listen on."""
    port: Port = 0
    """0 = no such port."""

    def conflict(self, dialects: Collection[AddedDialect]) -> Conflict | None:
        """What is wrong; None when nothing is.

        Args:
            dialects: `server.dialects`.
        """
        if self.port and "vosk" not in dialects:
            message = f"'vosk.port' is {self.port}, and 'server.dialects' is without vosk"
            return Conflict(("port",), message)
        return None


class GrpcConfig(_Section, frozen=True):
    """A port for streams over gRPC. It needs the extra `grpc`.

    With `server.ssl_certfile`, it takes TLS only.
    """

    host: Host = "127.0.0.1"
    """The address to listen on, as [`server.host`](#server). But `0.0.0.0`, `::` and an empty one
    all mean the same here: every address of the machine, of IPv4 **and** of IPv6. So a firewall has
    to know both."""
    port: Port = 0
    """0 = no such port. gRPC's usual one is 50051."""
    dialects: Annotated[tuple[GrpcDialect, ...], Meta(min_length=1)] = get_args(GrpcDialect)
    """The services: `streamer` is `streamer.v1.Streaming`, `google` and `riva` are those of [other
    vendors' programs](clients.md#google). With one of these two, any call may hold 10 MiB while a
    message arrives, without them `limits.max_message_bytes`: see [SECURITY.md](../SECURITY.md). In
    metrics and logs, these are names of dialects."""
    reflection: bool = False
    """true = the port shows its schemas to every client that reaches it, as grpcurl needs."""
    max_connection_age_ms: Count = 0
    """Milliseconds after which a connection takes no new calls; open calls go on. 0 = never. For
    balance between several servers."""


class TelemetryConfig(_Section, frozen=True):
    """What operators see. Traces are switched on by the standard `OTEL_*` variables."""

    metrics: bool = True
    """true = metrics for Prometheus, at `/metrics`."""
    record_text: bool = False
    """true = traces contain the model's output; the tracing back end then stores what people
    said."""
    log_format: LogFormat = "auto"
    """`json` = one JSON object a line; `text` = columns for people; `auto` = `text` on a terminal,
    else `json`."""


class Config(_Section, frozen=True):
    """The whole configuration. `models` takes the place of `model` where there are several."""

    server: ServerConfig = ServerConfig()
    model: ModelConfig = ModelConfig()
    models: Annotated[tuple[ModelConfig, ...], Meta(min_length=1)] | UnsetType = UNSET
    vad: VadConfig = VadConfig()
    simple: SimpleConfig = SimpleConfig()
    interim: InterimConfig = InterimConfig()
    inference: InferenceConfig = InferenceConfig()
    limits: LimitsConfig = LimitsConfig()
    access: AccessConfig = AccessConfig()
    wyoming: WyomingConfig = WyomingConfig()
    vosk: VoskConfig = VoskConfig()
    grpc: GrpcConfig = GrpcConfig()
    telemetry: TelemetryConfig = TelemetryConfig()

    def without_secrets(self) -> "Config":
        """Itself without tokens and secrets: for all that lives as long as the server."""
        access = msgspec.structs.replace(self.access, tokens=(), ticket_secrets=())
        return msgspec.structs.replace(self, access=access)

    @property
    def served(self) -> tuple[ModelConfig, ...]:
        """The models of the server, whichever way they are given."""
        return (self.model,) if isinstance(self.models, UnsetType) else self.models
