"""What the dialects of all services have in common.

To the session, a call is a socket. Each message that the client sends is a binary frame, and each
that it gets is one, too. When the client closes its direction, a text frame comes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from starlette.responses import PlainTextResponse, Response

from streamer.access.credentials import shown_in_header
from streamer.config.dialect_names import DialectName, GrpcDialect
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close, Outgoing
from streamer.protocol.events import ErrorEvent
from streamer.protocol.inputs import DisconnectRequested, Input
from streamer.rpc.status import status_of_close
from streamer.services import Services
from streamer.session.dialect import Dialect, Opening, UpgradeRefused, UpgradeRequest

NO_MORE = ""
"""The text frame behind all messages: the client has closed its direction."""

API_KEY = "x-goog-api-key"
"""Metadata of Google's clients: a token."""


def credential_of(metadata: Mapping[str, str]) -> str | None:
    """The token or ticket in the metadata of a call; None = there is none."""
    return shown_in_header(metadata.get("authorization")) or metadata.get(API_KEY)


class RpcDialect(ABC):
    """A `Dialect` of `session/dialect.py`, all but the meaning of the messages."""

    name: DialectName
    route: Route = "segmented"
    segmentation: Segmentation = "speech"
    binary_is_audio = False
    credential_in_start = False
    max_text_bytes: int | None = None
    idle_seconds: float | None = None
    max_lag_seconds: float | None = None

    def __init__(self) -> None:
        self._failure: ErrorEvent | None = None
        """The fatal error that has come; the end of the call comes next."""

    def credential(self, request: UpgradeRequest) -> str | None:
        """In the metadata."""
        return credential_of(request.headers)

    def open(self, request: UpgradeRequest) -> Opening:
        """Everything is in the messages."""
        del request
        return Opening()

    def refuse(self, refused: UpgradeRefused) -> Response:
        """The status of HTTP becomes one of gRPC in `call.py`, and the body its details."""
        return PlainTextResponse(refused.message, refused.status, dict(refused.headers))

    def read(self, frame: str | bytes) -> Iterable[Input]:
        """The inputs of a message; when the client has closed its direction, the end.

        Raises:
            BadRequest: It cannot be acted on.
        """
        return self.no_more() if isinstance(frame, str) else self.inputs(frame)

    def write(self, item: Outgoing) -> Iterator[bytes | Input | Close]:
        """The messages of an event; at the end the status, as a `Close`."""
        if isinstance(item, Close):
            if self._failure is None:
                yield from self.last_messages()
            yield status_of_close(item, self._failure)
            return
        if isinstance(item, ErrorEvent) and item.fatal:
            self._failure = item
        yield from self.messages(item)

    @abstractmethod
    def inputs(self, message: bytes) -> Iterable[Input]:
        """The inputs that a message of the client means, in order.

        Raises:
            BadRequest: It cannot be acted on.
        """

    @abstractmethod
    def messages(self, item: Outgoing) -> Iterable[bytes | Input | Close]:
        """The messages that an event becomes, in order; never called with a `Close`.

        A `Close` whose code is a `Status` ends the call: `status_of_error` makes one. An input is
        what the client would send now, as in `Dialect.write`.
        """

    def no_more(self) -> Iterable[Input]:
        """The inputs that are meant when the client closes its direction."""
        return (DisconnectRequested(),)

    def last_messages(self) -> Iterable[bytes]:
        """What is sent at the end of a call that has not failed."""
        return ()


class SessionMethod(NamedTuple):
    """A method with a session behind it: streaming, or unary.

    To this server, a unary method is one whose client sends a single message, and closes its
    direction behind it. Its dialect has to write a single message.

    Attributes:
        new_dialect: Makes the dialect of one call.
        max_message_bytes: Of a request; None = `limits.max_message_bytes`.
        is_recording: Whether a call has a whole recording in memory, so that it counts against
            `limits.max_concurrent_requests`, too.
    """

    new_dialect: Callable[[Services], Dialect]
    max_message_bytes: int | None = None
    is_recording: bool = False


class AnswerMethod(NamedTuple):
    """A unary method that is answered at once, without a session; the token is checked.

    Attributes:
        answer: Returns the response to a request.
    """

    answer: Callable[[Services, bytes], bytes]


class RpcService(NamedTuple):
    """A service.

    Attributes:
        name: Full, as in its `.proto`: `streamer.v1.Streaming`.
        dialect: The name in `grpc.dialects` with which it is served.
        methods: By their names.
    """

    name: str
    dialect: GrpcDialect
    methods: Mapping[str, SessionMethod | AnswerMethod]
