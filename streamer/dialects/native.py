"""Streamer's own protocol, `docs/protocol.md`: JSON in text frames, audio in binary frames."""

from collections.abc import Sequence

from starlette.responses import Response

from streamer.access.error_responses import error_response, unauthorized
from streamer.access.tokens import bearer
from streamer.config.schema import LimitsConfig
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close
from streamer.protocol.inputs import (
    AudioReceived,
    DisconnectRequested,
    FlushRequested,
    Input,
    KeepAliveReceived,
    StartRequested,
    StopRequested,
)
from streamer.protocol.messages import (
    Event,
    Flush,
    KeepAlive,
    Start,
    Stop,
    decode_request,
    encode_event,
)
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

SUBPROTOCOL = "streamer.v1"
"""Answered when it is offered. A browser can only show a token beside a subprotocol."""

TOKEN_PREFIX = "token."  # noqa: S105 – what marks a token among subprotocols


class NativeDialect:
    """Streamer's own protocol.

    Args:
        segmentation: How the audio is cut: by voice activity (`/api/v1/segmented`), or in equal
            chunks (`/api/v1/simple`).
        limits: Of the configuration; the number of channels is checked here.
    """

    binary_is_audio = True
    credential_in_start = True

    def __init__(self, segmentation: Segmentation, limits: LimitsConfig) -> None:
        self.segmentation = segmentation
        self.route: Route = "segmented" if segmentation == "speech" else "simple"
        self._max_channels = limits.max_channels

    def open(self, request: UpgradeRequest) -> Opening:
        """The token in a header, or beside the subprotocol."""
        offered = request.subprotocols
        tokens = (p.removeprefix(TOKEN_PREFIX) for p in offered if p.startswith(TOKEN_PREFIX))
        return Opening(
            credential=bearer(request.headers.get("authorization")) or next(tokens, None),
            subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None,
        )

    def refuse(self, refused: UpgradeRefused) -> Response:
        """As the HTTP endpoints answer."""
        if refused.code == "unauthorized":
            return unauthorized(refused.message)
        return error_response(refused.status, refused.code, refused.message, {})

    def read(self, frame: str | bytes) -> Sequence[Input]:
        """One request of the protocol, or audio; an empty binary frame means nothing."""
        if isinstance(frame, bytes):
            return (AudioReceived(frame),) if frame else ()
        match decode_request(frame, max_channels=self._max_channels):
            case Start() as start:
                return (StartRequested(start),)
            case Flush():
                return (FlushRequested(),)
            case KeepAlive():
                return (KeepAliveReceived(),)
            case Stop(disconnect=True):
                return (DisconnectRequested(),)
            case Stop():
                return (StopRequested(),)

    def write(self, item: Event | Close) -> Sequence[str | Close]:
        """One text frame for each event."""
        return (item if isinstance(item, Close) else encode_event(item),)
