"""A second wire language, as small as one can be: lines of text, settings in the query."""

from collections.abc import Sequence

from starlette.responses import PlainTextResponse, Response

from streamer.audio.format import AudioFormat
from streamer.config.dialect_names import DialectName
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.events import ErrorEvent, Segment, Stopped
from streamer.protocol.inputs import (
    AudioReceived,
    DisconnectRequested,
    FlushRequested,
    Input,
    ReplyRequested,
    StartRequested,
)
from streamer.protocol.requests import BadRequest, Start
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest


class LineDialect:
    """`ws://…/lines?rate=16000&key=TOKEN`: audio in, numbered lines out; `FLUSH` and `BYE`.

    `SAY …` is answered by the dialect itself, `?hello=…` before all else.
    """

    name: DialectName = "native"
    route: Route = "simple"
    segmentation: Segmentation = "chunks"
    binary_is_audio = False
    credential_in_start = False
    max_lag_seconds: float | None = None

    def __init__(
        self, max_text_bytes: int | None = None, idle_seconds: float | None = None
    ) -> None:
        self.max_text_bytes = max_text_bytes
        self.idle_seconds = idle_seconds
        self._lines = 0

    def credential(self, request: UpgradeRequest) -> str | None:
        return dict(request.query).get("key")

    def open(self, request: UpgradeRequest) -> Opening:
        query = dict(request.query)
        rate = query.get("rate", "16000")
        if not rate.isdecimal():
            raise UpgradeRefused(400, "bad_rate", f"rate is {rate}; allowed: a number of Hz")
        start = Start(format=AudioFormat(int(rate)), model=query.get("model"))
        subprotocol = next(iter(request.subprotocols), None)
        return Opening(
            subprotocol,
            [StartRequested(start)],
            headers={"x-line": "1"},
            frames=[query["hello"]] if "hello" in query else [],
            ignored=sorted({*query} - {"rate", "key", "model", "hello"}),
        )

    def refuse(self, refused: UpgradeRefused) -> Response:
        text = f"NO {refused.code}: {refused.message}"
        return PlainTextResponse(text, refused.status, headers=refused.headers)

    def read(self, frame: str | bytes) -> Sequence[Input]:
        if frame == b"?":
            raise BadRequest("bad_message", "no audio")
        if isinstance(frame, bytes):
            half = len(frame) // 2  # one frame may mean several inputs
            return [AudioReceived(frame[:half]), AudioReceived(frame[half:])]
        words: dict[str, Input] = {"FLUSH": FlushRequested(), "BYE": DisconnectRequested()}
        if frame.startswith("SAY "):
            return [ReplyRequested(frame)]
        if frame not in words:
            raise BadRequest("bad_message", f"{frame!r} is neither FLUSH nor BYE")
        return [words[frame]]

    def write(self, item: Outgoing) -> Sequence[str | bytes | Close]:
        match item:
            case Segment() | Stopped():
                self._lines += 1
                return [f"{self._lines} {type(item).__name__}", type(item).__name__.encode()]
            case Reply(content=str(text)):
                self._lines += 1
                return [f"{self._lines} {text}"]
            case ErrorEvent():  # this protocol ends with its first error
                return [f"NO {item.code}", Close(4001, "failed")]
            case Close():
                return [Close(item.code, item.reason or "bye")]
        return []
