"""Wyoming's events as inputs of a session, and a session's events as Wyoming's. Pure.

What ends a connection for other reasons than the client's wish is said in an `error`. It is always
the last event: older clients ignore it, and wait until the connection ends.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.responses import Response

from streamer.audio.format import AudioFormat
from streamer.config.dialect_names import DialectName
from streamer.config.segmentation import VadConfig
from streamer.dialects.wyoming.answers import answer_of, error
from streamer.dialects.wyoming.audio import CommandAudio
from streamer.dialects.wyoming.codec import Event
from streamer.dialects.wyoming.command import Command
from streamer.dialects.wyoming.frames import MAX_TEXT_BYTES, NO_MORE, event_of
from streamer.dialects.wyoming.requests import Asked, asked_of, format_of
from streamer.http.deepgram_query import ServedModel
from streamer.observe.monitor import Route
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.codes import CloseCode
from streamer.protocol.events import Active, ErrorEvent, Inactive, Segment, Started, Stopped
from streamer.protocol.inputs import (
    AudioReceived,
    ClearRequested,
    Input,
    ReplyRequested,
    StartRequested,
    StopRequested,
)
from streamer.protocol.requests import BadRequest, Start, VadOptions
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

REPORT_S = 1.0
"""Seconds of audio after which it is looked at again whether a command is over."""

DETECTOR_LAG_S = 1.0
"""Seconds by which the detector may be behind the audio: the least length of speech, its windows,
and the resampler."""


class _Reached(NamedTuple):
    """The detector has had so many seconds of the audio of a command."""

    command: Command
    time_s: float


class WyomingDialect:
    """One connection of a client that has something transcribed.

    Args:
        models: Of the server; the first one is the default.
        max_channels: The most channels that the server takes.
        vad: Settings of the server.
        info: The answer to `describe`.
        ends_commands: Whether the server finds the ends of commands.
    """

    name: DialectName = "wyoming"
    route: Route = "segmented"
    segmentation: Segmentation = "speech"
    binary_is_audio = True
    credential_in_start = False
    max_text_bytes: int | None = MAX_TEXT_BYTES
    idle_seconds: float | None = None
    max_lag_seconds: float | None = None

    def __init__(
        self,
        models: Sequence[ServedModel],
        max_channels: int,
        vad: VadConfig,
        info: bytes,
        *,
        ends_commands: bool,
    ) -> None:
        self._models = models
        self._max_channels = max_channels
        self._vad = vad
        self._info = info
        self._ends_commands = ends_commands
        self._asked: Asked | None = None
        # What has been read.
        self._command: Command | None = None
        """The one that the audio belongs to; None = it would begin one."""
        self._audio: CommandAudio | None = None
        """Of this command, or of the last one."""
        self._next_report_s = 0.0
        """When the next `_Reached` is due, in seconds of the audio."""
        self._refused = False
        """Whether something that the client asks for was refused; all that follows is ignored."""
        # What is written.
        self._waiting: deque[Command] = deque()
        """Those whose streams have not begun."""
        self._open: Command | None = None

    def credential(self, request: UpgradeRequest) -> str | None:
        """None: the protocol has no credentials."""
        del request
        return None

    def open(self, request: UpgradeRequest) -> Opening:
        """There is nothing in the request: all is in the events."""
        del request
        return Opening()

    def refuse(self, refused: UpgradeRefused) -> Response:
        """An `error`; the status and the headers have no place."""
        return Response(error(refused.code, refused.message))

    def read(self, frame: str | bytes) -> Iterator[Input]:
        """One event, or audio."""
        if self._refused:
            return
        try:
            yield from self._inputs(frame)
        except BadRequest:
            self._refused = True
            if self._command is not None:
                # The part that has come could mean something else than the whole.
                self._command.abandoned = True
            raise

    def write(self, item: Outgoing) -> Iterator[bytes | Input | Close]:
        """The bytes of an event; and the end of a command that the server ends."""
        before = self._command is not None and self._command.over
        yield from self._events(item)
        # If the client has ended it, its stream is being stopped already.
        if not before and self._command is not None and self._command.over:
            if self._command.complete:
                yield ClearRequested()
            yield StopRequested()

    def _inputs(self, frame: str | bytes) -> Iterator[Input]:
        if isinstance(frame, bytes):
            yield from self._feed(frame)
            return
        if frame == NO_MORE:
            yield ReplyRequested(Close(CloseCode.NORMAL))
            return
        kind, data = event_of(frame)
        match kind:
            case "transcribe":
                yield from self._ask(data)
            case "audio-start":
                yield from self._begin(format_of(data, self._max_channels))
            case "audio-chunk":
                yield from self._chunk_format(format_of(data, self._max_channels))
            case "audio-stop":
                yield from self._stop()
            case _:
                if (answer := answer_of(Event(kind, data), self._info)) is not None:
                    yield ReplyRequested(answer)

    def _events(self, item: Outgoing) -> Iterator[bytes | Close]:
        match item:
            case (Close() as close) | Reply(content=Close() as close):
                yield close
            case Reply(content=_Reached(command, time_s)):
                command.reached(time_s)
            case Reply(content=bytes(answer)):
                yield answer
            case Started():
                self._open = self._waiting.popleft()
            case Active() | Inactive() | Segment() if self._open is not None:
                yield from self._open.messages(item)
            case Stopped() if self._open is not None:
                yield from self._open.answer()
                self._open = None
            case ErrorEvent(channel=int()) if self._open is not None and self._open.settled:
                pass  # of audio that is not needed
            case ErrorEvent():
                yield from self._fail(item)

    def _ask(self, data: Mapping[str, Any]) -> Iterator[Input]:
        """For the commands that follow, and for one that has no audio yet."""
        self._asked = asked_of(data, self._models, self._vad)
        if self._command is not None and self._audio is not None and not self._audio.seconds:
            yield from self._begin(self._audio.given)

    def _feed(self, audio: bytes) -> Iterator[Input]:
        assert self._audio is not None
        assert self._command is not None  # the format comes first
        if self._command.over:
            return  # it goes on, and is not needed
        if mixed := self._audio.mixed(audio):
            yield AudioReceived(mixed)
        if self._ends_commands and self._audio.seconds >= self._next_report_s:
            self._next_report_s = self._audio.seconds + REPORT_S
            yield ReplyRequested(_Reached(self._command, self._audio.seconds - DETECTOR_LAG_S))

    def _chunk_format(self, given: AudioFormat) -> Iterator[Input]:
        """The format in a chunk, which can begin a command itself."""
        if self._command is None or self._audio is None:
            yield from self._begin(given)
        elif not self._command.over and (difference := self._audio.difference(given)):
            raise BadRequest("bad_format", difference)

    def _begin(self, given: AudioFormat) -> Iterator[Input]:
        if self._command is not None:
            self._command.abandoned = True
        asked = self._asked or asked_of({}, self._models, self._vad)
        self._command = Command(asked.language, ends_itself=self._ends_commands)
        self._waiting.append(self._command)
        self._audio = CommandAudio(given)
        self._next_report_s = REPORT_S
        yield StartRequested(
            Start(
                format=self._audio.stream_format,
                vad=asked.vad if self._ends_commands else VadOptions(),
                model=asked.model.name,
                keyterms=asked.key_terms,
            )
        )

    def _stop(self) -> Iterator[Input]:
        """The end of the audio; each is answered by one `transcript`."""
        if self._command is None:
            asked = self._asked or asked_of({}, self._models, self._vad)
            yield ReplyRequested(b"".join(Command(asked.language, ends_itself=False).answer()))
        elif not self._command.over:
            yield StopRequested()
        self._command = None

    def _fail(self, failure: ErrorEvent) -> Iterator[bytes | Close]:
        waiting = self._open is not None and not self._open.answered
        if waiting or self._waiting or failure.code != "idle_timeout":
            yield error(failure.code, failure.message)
        yield Close(CloseCode.NORMAL)
