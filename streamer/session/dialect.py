"""The seam for wire languages: what a session needs of a client's protocol, and nothing else.

A dialect answers four questions. Which credential does the upgrade request hold? Which settings,
once the credential is valid, and before the socket is accepted? Which inputs of the state table
does a frame mean? Which frames does an event become? Session, inbox, executor, pipeline, limits and
draining are the same for all.

What a dialect answers by itself, without the pipeline, it yields from `read` as a `ReplyRequested`;
`write` gets the `Reply` in the order of all events, and makes the frames. So all frames are made in
the order in which they are sent, and can be numbered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from starlette.responses import Response

from streamer.access.credentials import shown
from streamer.config.dialect_names import DialectName
from streamer.config.limits import LimitsConfig
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close, Outgoing
from streamer.protocol.inputs import Input

NO_SESSION = "0" * 16
"""The id of a session before there is one."""


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """The request for a socket that has not been accepted yet.

    Attributes:
        path: Without the server's `root_path`.
        query: Names and values, decoded, in order; a name may come several times.
        headers: Values by lower-case names.
        subprotocols: Those that the client offers, in its order of preference.
        address: Of the client; None = unknown.
        session_id: Of the socket, once it is accepted: 16 hexadecimal digits.
    """

    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    subprotocols: Sequence[str]
    address: str | None = None
    session_id: str = NO_SESSION

    @property
    def credential(self) -> str | None:
        """A token or ticket, in any of the places and spellings of `access/credentials.py`."""
        return shown(self.headers, self.subprotocols, self.query)


@dataclass(frozen=True, slots=True)
class Opening:
    """What an upgrade request asks for.

    Attributes:
        subprotocol: The offered one to answer with; None for no subprotocol.
        inputs: Inputs that the request itself contains, such as a `start` given in its query.
        headers: Of the answer that accepts the socket.
        frames: Sent at once, before all events.
        progress: Whether `AudioReached` is wanted, for audio in a container.
        ignored: Names in the request that mean something to others of this language, and nothing
            here; they are logged.
    """

    subprotocol: str | None = None
    inputs: Sequence[Input] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    frames: Sequence[str | bytes] = ()
    progress: bool = False
    ignored: Sequence[str] = ()


class UpgradeRefused(Exception):
    """The socket is not accepted.

    Attributes:
        status: Of the HTTP answer.
        code: For programs.
        message: One sentence: the field, its value and what is allowed.
        headers: Of the answer, such as `Retry-After`, beside those of its body.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def limits_of(dialect: "Dialect", configured: LimitsConfig) -> LimitsConfig:
    """The limits of a socket: those of the configuration, but for what its dialect has."""
    limits = configured
    if dialect.max_text_bytes is not None:
        limits = msgspec.structs.replace(limits, max_text_bytes=dialect.max_text_bytes)
    if dialect.idle_seconds is not None:
        seconds = dialect.idle_seconds
        limits = msgspec.structs.replace(limits, idle_seconds=seconds, start_seconds=seconds)
    if dialect.max_lag_seconds is not None:
        limits = msgspec.structs.replace(limits, max_lag_seconds=dialect.max_lag_seconds)
    return limits


class Dialect(Protocol):
    """One client's wire language. One object for each socket, so it may keep state."""

    name: DialectName
    """For metrics, logs and traces."""
    route: Route
    """For metrics and logs: which kind of endpoint it is."""
    segmentation: Segmentation
    """What ends a segment."""
    binary_is_audio: bool
    """Whether binary frames are audio and nothing else, so that one with the content of several
    means the same. Small ones that arrive together are then read as one."""
    credential_in_start: bool
    """Whether the credential may come as `token` of the first `start` instead of before it."""
    max_text_bytes: int | None
    """Bytes of a text frame at most; it may be more than `limits.max_message_bytes`. None =
    `limits.max_text_bytes`."""
    idle_seconds: float | None
    """Seconds without a message after which the socket is closed, also before the first one. 0 =
    never. None = `limits.idle_seconds` and `limits.start_seconds`."""
    max_lag_seconds: float | None
    """Seconds for which audio may wait; 0 = any time, because all of it comes at once. None =
    `limits.max_lag_seconds`."""

    def credential(self, request: UpgradeRequest) -> str | None:
        """The token or ticket in the upgrade request; None = it has none.

        Called for every request that comes, so it has to cost little.
        """

    def open(self, request: UpgradeRequest) -> Opening:
        """Read the upgrade request, of a client that is admitted, or may be by its first `start`.

        Raises:
            UpgradeRefused: It asks for something that this dialect does not have.
        """

    def refuse(self, refused: UpgradeRefused) -> Response:
        """The HTTP answer to a refused request, in the shape that the dialect's clients expect.

        Also when the gate refuses it, and `open` is never called: 503 without room, with
        `Retry-After` among the headers; 403 for a web page; 401 for want of a valid credential.
        """

    def read(self, frame: str | bytes) -> Iterable[Input]:
        """The inputs that a frame of the client means, in order.

        Raises:
            BadRequest: It cannot be acted on.
        """

    def write(self, item: Outgoing) -> Iterable[str | bytes | Input | Close]:
        """The frames that an event becomes, in order; `Close` closes the socket.

        An input is what the client would send now, if its language could say it: a dialect that
        ends a stream by itself stops it so.

        Args:
            item: An event; a `Reply` that `read` has asked for; or `Close`, whose code and reason
                may be replaced, and frames sent before it. A fatal `ErrorEvent` comes before the
                `Close` that it causes.
        """
