"""The seam for wire languages: what a session needs of a client's protocol, and nothing else.

A dialect answers three questions. Which credential and settings does the upgrade request hold,
before the socket is accepted? Which inputs of the state table does a frame mean? Which frames does
an event become? Session, inbox, executor, pipeline, limits and draining are the same for all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response

from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close
from streamer.protocol.inputs import Input
from streamer.protocol.messages import Event


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """The request for a socket that has not been accepted yet.

    Attributes:
        path: Without the server's `root_path`.
        query: Names and values, decoded, in order; a name may come several times.
        headers: Values by lower-case names.
        subprotocols: Those that the client offers, in its order of preference.
        address: Of the client; None = unknown.
    """

    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    subprotocols: Sequence[str]
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What an upgrade request asks for.

    Attributes:
        credential: A token or ticket; None when the request has none.
        subprotocol: The offered one to answer with; None for no subprotocol.
        inputs: Inputs that the request itself contains, such as a `start` given in its query.
    """

    credential: str | None = None
    subprotocol: str | None = None
    inputs: Sequence[Input] = ()


class UpgradeRefused(Exception):
    """The socket is not accepted.

    Attributes:
        status: Of the HTTP answer.
        code: For programs.
        message: One sentence: the field, its value and what is allowed.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Dialect(Protocol):
    """One client's wire language. One object for each socket, so it may keep state."""

    route: Route
    """For metrics and logs: which kind of endpoint it is."""
    segmentation: Segmentation
    """What ends a segment."""
    binary_is_audio: bool
    """Whether binary frames are audio and nothing else, so that one with the content of several
    means the same. Small ones that arrive together are then read as one."""
    credential_in_start: bool
    """Whether the credential may come as `token` of the first `start` instead of before it."""

    def open(self, request: UpgradeRequest) -> Opening:
        """Read the upgrade request.

        Raises:
            UpgradeRefused: It asks for something that this dialect does not have.
        """

    def refuse(self, refused: UpgradeRefused) -> Response:
        """The HTTP answer to a refused request, in the shape that the dialect's clients expect."""

    def read(self, frame: str | bytes) -> Iterable[Input]:
        """The inputs that a frame of the client means, in order.

        Raises:
            BadRequest: It cannot be acted on.
        """

    def write(self, item: Event | Close) -> Iterable[str | bytes | Close]:
        """The frames that an event becomes, in order; `Close` closes the socket."""
