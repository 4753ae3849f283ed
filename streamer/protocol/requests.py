"""What a client sends: the wire types of its JSON text frames, and how these are read.

What the server answers is in `events.py`. The contract is described for clients in
`docs/protocol.md`.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from streamer.audio.format import CONTAINER, AudioFormat
from streamer.config import deprecations
from streamer.config.deprecations import BothNames, Deprecation, given_as, with_current_names
from streamer.config.explain import explain, places_of, show
from streamer.config.key_terms import KeyTerms
from streamer.config.numbers import with_whole_numbers
from streamer.config.schema import Config
from streamer.config.segmentation import (
    MaxSegmentMs,
    MinSilenceMs,
    MinSpeechMs,
    PrefixPaddingMs,
    Probability,
    VadConfig,
)


class _Request(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="request"
):
    """Base of all client messages."""


class VadOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stream's own segmentation settings; whatever is absent keeps the configured value."""

    threshold: Probability | None = None
    min_silence_ms: MinSilenceMs | None = None
    min_speech_ms: MinSpeechMs | None = None
    prefix_padding_ms: PrefixPaddingMs | None = None
    max_segment_ms: MaxSegmentMs | None = None

    def over(self, configured: VadConfig) -> VadConfig:
        """The configured settings with this stream's laid over them."""
        return msgspec.structs.replace(configured, **self._given)

    def laid_over(self, others: "VadOptions") -> "VadOptions":
        """Other settings with these laid over them."""
        return msgspec.structs.replace(others, **self._given)

    @property
    def _given(self) -> dict[str, object]:
        return {k: v for k, v in msgspec.structs.asdict(self).items() if v is not None}


class Start(_Request, frozen=True, tag="start"):
    """Begin a stream (and first finish the one that is open)."""

    format: AudioFormat
    trace_id: str | None = None
    interim_results: bool = False
    vad: VadOptions = VadOptions()
    model: str | None = None
    token: str | None = None
    words: bool = False
    keyterms: KeyTerms = ()
    eager: bool = False


class Configure(_Request, frozen=True, tag="configure"):
    """Change settings of the open stream; `configured` is the answer.

    What is absent is unchanged. The settings count for the segments whose speech begins later.
    """

    interim_results: bool | None = None
    vad: VadOptions | None = None
    model: str | None = None
    words: bool | None = None
    keyterms: KeyTerms | None = None
    eager: bool | None = None

    def over(self, start: Start) -> Start:
        """The settings of a stream with these laid over them."""
        given = {k: v for k, v in msgspec.structs.asdict(self).items() if v is not None}
        if self.vad is not None:
            given["vad"] = self.vad.laid_over(start.vad)
        return msgspec.structs.replace(start, **given)


class Flush(_Request, frozen=True, tag="flush"):
    """End the current segment now and keep the stream open; `flushed` is the answer."""


class KeepAlive(_Request, frozen=True, tag="keep_alive"):
    """Restarts the idle deadline; nothing else."""


class Stop(_Request, frozen=True, tag="stop"):
    """End the stream; with `disconnect`, the socket too."""

    disconnect: bool = False


Request = Start | Configure | Flush | KeepAlive | Stop
_REQUESTS: Mapping[str, type[Request]] = {
    "start": Start,
    "configure": Configure,
    "flush": Flush,
    "keep_alive": KeepAlive,
    "stop": Stop,
}


class BadRequest(ValueError):
    """A text message that cannot be acted on.

    Attributes:
        code: `bad_format` when the fault is inside `start.format`, else `bad_message`.
        token: The `token` of the message, of whatever type: a client that has shown a valid one
            may read what else is wrong. None = it has none.
    """

    def __init__(
        self, code: Literal["bad_message", "bad_format"], message: str, token: object = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.token = token


class NotJson(BadRequest):
    """A text message of which nothing can be read, not even whether it holds a token."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_message", message)


OnDeprecated = Callable[[Deprecation], object]


def _ignore(deprecation: Deprecation) -> None:
    """For who asks for no old names."""


def decode_request(
    text: str, *, max_channels: int, on_deprecated: OnDeprecated = _ignore
) -> Request:
    """Read one text frame.

    Args:
        text: Of the frame.
        max_channels: That a format may have.
        on_deprecated: Called for each old name of a field.

    Raises:
        NotJson: It is not JSON.
        BadRequest: It is not the schema, or asks for an impossible audio format.
    """
    try:
        tree = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotJson(f"the message is not JSON: {error}") from None
    if not isinstance(tree, dict):
        raise BadRequest("bad_message", f"expected a JSON object, got {show(tree)}")
    return request_of(tree, max_channels=max_channels, on_deprecated=on_deprecated)


def request_of(
    tree: dict[str, object], *, max_channels: int, on_deprecated: OnDeprecated = _ignore
) -> Request:
    """Read the object of one request.

    Args:
        tree: As parsed.
        max_channels: That a format may have.
        on_deprecated: Called for each old name of a field.

    Raises:
        BadRequest: It is not the schema, or asks for an impossible audio format.
    """
    token: object = tree.get("token")
    kind = tree.get("request")
    request_type = _REQUESTS.get(kind) if isinstance(kind, str) else None
    if request_type is None:
        what = f"'request' is {show(kind)}" if "request" in tree else "'request' is missing"
        allowed = f"allowed: one of {', '.join(_REQUESTS)}"
        raise BadRequest("bad_message", f"{what}; {allowed}", token)
    used: list[Deprecation] = []
    if request_type is Start or request_type is Configure:
        tree = _with_current_names(tree, used, token)
    if request_type is Start:
        tree = _with_absent(tree)
    try:
        request = msgspec.convert(with_whole_numbers(tree, request_type), request_type)
    except msgspec.ValidationError as error:
        problem = explain(error, tree, request_type, Config)
        in_format = request_type is Start and (
            problem.field.startswith("format.") or (problem.field == "format" and "format" in tree)
        )
        code: Literal["bad_format", "bad_message"] = "bad_format" if in_format else "bad_message"
        message = problem.message + given_as(problem.field, used)
        raise BadRequest(code, message, token) from None
    if isinstance(request, Start) and (fault := request.format.problem(max_channels)):
        raise BadRequest("bad_format", fault, token)
    for deprecation in used:
        on_deprecated(deprecation)
    return request


def place_in_start(name: str) -> str | None:
    """Where in a `start` a setting stands: `min_silence_ms` in `vad.min_silence_ms`.

    Args:
        name: Of a field, alone or with its path. None is returned if there is no such field.
    """
    places = places_of(name.rpartition(".")[2], Start)
    return next((place for place in places if place.endswith(name)), None)


def _with_current_names(
    tree: dict[str, object], used: list[Deprecation], token: object
) -> dict[str, object]:
    """A `start` or `configure` without old names; those that it has are added to `used`."""
    try:
        return dict(with_current_names(tree, deprecations.FIELDS, used.append))
    except BothNames as error:
        raise BadRequest("bad_message", str(error), token) from None


def _with_absent(start: dict[str, object]) -> dict[str, object]:
    """A `start` of which a container says what its `format` does not: 0 stands for that."""
    given = start.get("format")
    if not isinstance(given, dict) or given.get("encoding") != CONTAINER.encoding:
        return start
    absent = {"sample_rate": CONTAINER.sample_rate, "channels": CONTAINER.channels}
    return start | {"format": absent | given}
