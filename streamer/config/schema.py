"""Every setting of the server with its default: the one place where defaults are written.

`config.json`, the environment and the command line are laid over these by `sources.py`. The
structs are frozen, and their constraints are the ones that error messages and
`docs/configuration.md` quote.
"""

import re
from collections.abc import Collection
from typing import Annotated, Literal, NamedTuple, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from streamer.config.explain import ALLOWED
from streamer.config.key_terms import MAX_KEY_TERMS, KeyTerms

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
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
    """Where the server listens, behind which proxy, with which certificate, and what it logs.

    `dialects` are those served beside Streamer's own protocol, which always is.
    """

    host: str = "127.0.0.1"
    port: Port = 8080
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    root_path: str = ""
    forwarded_allow_ips: Annotated[
        tuple[str, ...], Meta(extra={ALLOWED: """a list in JSON, such as '["10.0.0.1"]'"""})
    ] = ()
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    ping_interval_seconds: Seconds = 20.0
    ping_timeout_seconds: Seconds = 20.0
    dialects: tuple[AddedDialect, ...] = get_args(AddedDialect)

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
    """The model that processes the audio.

    `type` is a built-in (`streamer.models.registry`) or the import path of your own class,
    `package.module:Class`. `path` is a folder below the models folder, or an absolute one.
    `interim_model` is a second one, of the same type and kind, for interims only. `options` are
    handed to the constructors of both. `name` is what clients see. `workers: 0` means a share of
    `inference.workers`. `keyterms` are names and rare words that all clients are expected to say;
    those of a client's own come in addition.
    """

    type: str = "moonshine"
    path: str | None = None
    interim_model: str | None = None
    name: str | None = None
    options: dict[str, object] = {}
    workers: Count = 0
    keyterms: Annotated[
        KeyTerms,
        Meta(
            extra={
                ALLOWED: f"a list in JSON of at most {MAX_KEY_TERMS}, "
                """such as '["Oslo", "Acme"]'"""
            }
        ),
    ] = ()


class VadConfig(_Section, frozen=True):
    """Voice-activity segmentation. A stream's `start` may override what `VadOptions` has."""

    engine: Literal["silero", "webrtc"] = "silero"
    webrtc_mode: Annotated[int, Meta(ge=0, le=3)] = 3
    gather_ms: Annotated[float, Meta(ge=0, le=100)] = 5.0
    threshold: Probability = 0.5
    min_silence_ms: MinSilenceMs = 550
    min_speech_ms: MinSpeechMs = 200
    prefix_padding_ms: PrefixPaddingMs = 450
    suffix_padding_ms: Annotated[int, Meta(ge=0, le=1_000)] = 250
    max_segment_ms: MaxSegmentMs = 20_000
    end_on_pause: bool = True
    least_endpointing_ms: MinSilenceMs = 300

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


class InterimConfig(_Section, frozen=True):
    """How often a growing segment is transcribed before it is final.

    The interval is `interval_ms`, or `growth` times the segment's length when that is longer, so
    that a second of audio is inferred at most `1 / growth + 1` times for interims.
    """

    interval_ms: Annotated[int, Meta(ge=100, le=10_000)] = 500
    growth: Annotated[float, Meta(ge=0, le=1)] = 0.2


class InferenceConfig(_Section, frozen=True):
    """The pool of worker processes. `workers: 0` means one for each core."""

    workers: Count = 0
    timeout_seconds: Seconds = 30.0
    load_timeout_seconds: Seconds = 120.0
    max_jobs_per_worker: Count = 0
    max_pending_segments: Positive = 8
    early_finals: bool = True


class LimitsConfig(_Section, frozen=True):
    """What one client and all clients together may use; 0 = no limit, where 0 is allowed."""

    max_sessions: Count = 256
    max_sessions_per_ip: Count = 32
    max_queue_seconds: Deadline = 5.0
    max_container_streams: Count = 64
    max_channels: Annotated[int, Meta(ge=1, le=64)] = 8
    max_message_bytes: Annotated[int, Meta(ge=1_024)] = 262_144
    max_text_bytes: Annotated[int, Meta(ge=256)] = 65_536
    max_fragments: Count = 1_024
    max_messages_per_second: Count = 1_000
    max_control_per_second: Count = 50
    max_buffered_bytes: Annotated[int, Meta(ge=1_024)] = 262_144
    handshake_seconds: Deadline = 5.0
    start_seconds: Deadline = 10.0
    idle_seconds: Deadline = 30.0
    max_lag_seconds: Deadline = 30.0
    max_session_seconds: Deadline = 14_400.0
    send_timeout_seconds: Seconds = 10.0
    drain_seconds: Deadline = 25.0
    max_upload_bytes: Positive = 1_073_741_824
    max_recording_seconds: Seconds = 14_400.0
    max_audio_seconds: Seconds = 600.0
    max_concurrent_requests: Positive = 8


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
    tokens_file: str | None = None
    ticket_secrets: tuple[str, ...] = ()
    ticket_secrets_file: str | None = None
    origins: Annotated[
        tuple[str, ...],
        Meta(extra={ALLOWED: """a list in JSON, such as '["https://example.com"]'"""}),
    ] = ()

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
    """The port for Home Assistant's voice services; 0 = there is none.

    The protocol has no credentials: every client that reaches the port may use the server.
    `ends_commands`: the server finds the ends of voice commands, and the client does not need to.
    `announce` makes the port known in the local network, so that it is found without being typed.
    """

    host: str = "127.0.0.1"
    port: Port = 0
    ends_commands: bool = False
    announce: bool = False

    def conflict(self) -> Conflict | None:
        """What is wrong; None when nothing is."""
        if self.announce and not self.port:
            message = "'wyoming.announce' is true, and 'wyoming.port' is 0, which means none"
            return Conflict(("announce",), message)
        return None


class VoskConfig(_Section, frozen=True):
    """A port on which the protocol of vosk-server is spoken at every path; 0 = there is none.

    With `server.ssl_certfile`, it takes TLS only.
    """

    host: str = "127.0.0.1"
    port: Port = 0

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
    """A port for streams over gRPC; 0 = there is none. It needs the extra `grpc`.

    With `server.ssl_certfile`, it takes TLS only. `reflection` shows the schema to every client
    that can reach the port. After `max_connection_age_ms`, a connection takes no new calls, so that
    its client connects again, perhaps to another server; 0 = never.
    """

    host: str = "127.0.0.1"
    port: Port = 0
    dialects: Annotated[tuple[GrpcDialect, ...], Meta(min_length=1)] = get_args(GrpcDialect)
    reflection: bool = False
    max_connection_age_ms: Count = 0


class TelemetryConfig(_Section, frozen=True):
    """What operators see. Traces are switched on by the standard `OTEL_*` variables."""

    metrics: bool = True
    record_text: bool = False
    log_format: LogFormat = "auto"


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
