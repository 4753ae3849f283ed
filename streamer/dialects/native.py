"""Streamer's own protocol, `docs/protocol.md`: JSON in text frames, audio in binary frames."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.responses import Response

from streamer.access.credentials import QUERY_NAME, answered
from streamer.access.error_responses import error_response, unauthorized
from streamer.config.deprecations import Deprecation
from streamer.config.dialect_names import DialectName
from streamer.config.explain import show_name
from streamer.config.limits import LimitsConfig
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import AudioReached, Cleared, Close, Outgoing, Reply
from streamer.protocol.events import Started, WarningEvent, encode_event
from streamer.protocol.inputs import AudioReceived, Input, input_of
from streamer.protocol.requests import decode_request, place_in_start
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

SUBPROTOCOL = "streamer.v1"
"""Answered when it is offered. A browser can only show a token beside a subprotocol."""

MOST_NAMED = 5
"""Parameters of an address that the warning about them names."""


class NativeDialect:
    """Streamer's own protocol.

    Args:
        segmentation: How the audio is cut: by voice activity (`/api/v1/segmented`), or in equal
            chunks (`/api/v1/simple`).
        limits: Of the configuration; the number of channels is checked here.
    """

    name: DialectName = "native"
    binary_is_audio = True
    credential_in_start = True
    max_text_bytes: int | None = None
    idle_seconds: float | None = None
    max_lag_seconds: float | None = None

    def __init__(self, segmentation: Segmentation, limits: LimitsConfig) -> None:
        self.segmentation = segmentation
        self.route: Route = "segmented" if segmentation == "speech" else "simple"
        self._max_channels = limits.max_channels
        self._ignored: list[str] = []
        """Parameters of the address about which the client has not been warned yet."""

    def credential(self, request: UpgradeRequest) -> str | None:
        """In any place; it may be in the first `start` instead."""
        return request.credential

    def open(self, request: UpgradeRequest) -> Opening:
        """Everything but the subprotocol and a token is in the first `start`."""
        self._ignored = list(dict.fromkeys(n for n, _ in request.query if n != QUERY_NAME))
        subprotocol = answered(request.subprotocols, {SUBPROTOCOL})
        return Opening(subprotocol=subprotocol, ignored=self._ignored[:MOST_NAMED])

    def refuse(self, refused: UpgradeRefused) -> Response:
        """As the HTTP endpoints answer."""
        if refused.status == HTTPStatus.UNAUTHORIZED:
            return unauthorized(refused.message)
        return error_response(refused.status, refused.code, refused.message, refused.headers)

    def read(self, frame: str | bytes) -> Sequence[Input]:
        """One request of the protocol, or audio; an empty binary frame means nothing."""
        if isinstance(frame, bytes):
            return (AudioReceived(frame),) if frame else ()
        old: list[Deprecation] = []
        request = decode_request(frame, max_channels=self._max_channels, on_deprecated=old.append)
        return (input_of(request, old),)

    def write(self, item: Outgoing) -> Sequence[str | Close]:
        """One text frame for each event; behind the first `started`, also the socket's warning."""
        # Neither `open` nor `read` asks for one.
        assert not isinstance(item, Reply | Cleared | AudioReached)
        frame = item if isinstance(item, Close) else encode_event(item)
        if isinstance(item, Started) and self._ignored:
            warning = _no_effect(self._ignored)
            self._ignored = []
            return frame, encode_event(warning)
        return (frame,)


def _no_effect(names: Sequence[str]) -> WarningEvent:
    """The warning about parameters of the address, each with its place in a `start`."""
    shown = [f"'{show_name(name)}'{_place(name)}" for name in names[:MOST_NAMED]]
    shown += ["…"] if len(names) > MOST_NAMED else []
    message = f"parameters of the address have no effect: {', '.join(shown)}"
    return WarningEvent(code="ignored_field", message=message)


def _place(name: str) -> str:
    place = place_in_start(name)
    return f" (in the start message: '{place}')" if place else ""
