"""Where the actions of the state table go: to the inbox, or at once to the outbox.

Synchronous: the order of the calls is the order of the inputs.
"""

from collections.abc import Callable
from typing import assert_never

from streamer.pipeline.outbox import Outbox
from streamer.protocol.actions import (
    Begin,
    BeginAgain,
    Close,
    CutOff,
    Discard,
    DropWork,
    EndPausedSegments,
    EndSegments,
    Feed,
    Finish,
    QueuedAction,
    Reconfigure,
    Reply,
    SendError,
    SendGoingAway,
)
from streamer.protocol.events import GoingAway
from streamer.protocol.inputs import AudioPaused, Input
from streamer.protocol.requests import Start
from streamer.protocol.state import SocketState, State
from streamer.services import Services
from streamer.session.dialect import Dialect
from streamer.session.inbox import Inbox
from streamer.session.pauses import PauseWatch

COMPRESSION = 16
"""How many bytes of PCM a byte in a container stands for, when what waits is limited: 16 kHz with
16 bits are 256 kbit/s, and Opus and MP3 need 16 to 32 of them for speech."""


class ActionRouter:
    """Takes the inputs of one socket to the table, and the actions to where they wait or are sent.

    Args:
        dialect: Says what ends a segment.
        inbox: Takes the audio, and the actions that wait for their turn behind it.
        outbox: Takes what is sent at once.
        services: What all sessions share.
        ping: Sends a ping, whose pong is passed to `pauses`; returns False if it cannot.

    Attributes:
        start: The settings of the open stream, or of the last one; None before the first. To be set
            before the input that changes them.
        pauses: Notices when a client stops sending; to be run.
    """

    def __init__(
        self,
        dialect: Dialect,
        inbox: Inbox[QueuedAction],
        outbox: Outbox,
        services: Services,
        ping: Callable[[], bool],
    ) -> None:
        self._dialect = dialect
        self._inbox = inbox
        self._outbox = outbox
        self._services = services
        self._socket = SocketState()
        self.start: Start | None = None
        self.pauses = PauseWatch(services.monitor.clock, ping, self._on_pause)

    @property
    def over(self) -> bool:
        """Whether nothing that the client still sends matters."""
        return self._socket.state is State.CLOSING

    @property
    def streaming(self) -> bool:
        """Whether a stream is open."""
        return self._socket.streaming

    def step(self, given: Input, frame_bytes: int = 0) -> None:
        """Something has happened to the socket.

        Args:
            given: What.
            frame_bytes: Size of the frame that it was read from, all of which an action may hold;
                0 for audio, which counts itself, and for what no client has sent.
        """
        for action in self._socket.step(given):
            match action:
                case Feed(audio=audio):
                    self._inbox.put_audio(audio)
                    self.pauses.on_audio(len(audio))
                case SendGoingAway(deadline_seconds=seconds):
                    self._outbox.post(_going_away(seconds))
                case CutOff(failure=failure, close=close):
                    self._outbox.post(failure)
                    self._outbox.post(close)
                case Begin(start=start):
                    self._inbox.put(action, frame_bytes)
                    self._inbox.weight = COMPRESSION if start.format.is_container else 1
                    self.pauses.begin(start.format, self._silence_of_pause_s(start))
                case BeginAgain():
                    self._inbox.put(action, frame_bytes)
                    self.pauses.begin_again()
                case Reconfigure():
                    self._inbox.put(action, frame_bytes)
                    assert self.start is not None  # a stream is open
                    self.pauses.configure(self._silence_of_pause_s(self.start))
                case Finish():
                    self._inbox.put(action, frame_bytes)
                    self.pauses.end()
                case Reply(before_audio=True) if self._inbox.awaits_audio and not self._outbox.full:
                    self._outbox.post(action)
                case EndSegments() | EndPausedSegments() | Discard() | SendError() | Reply():
                    self._inbox.put(action, frame_bytes)
                case Close() | DropWork():
                    self._inbox.put(action, frame_bytes)
                case _:
                    assert_never(action)

    def _silence_of_pause_s(self, start: Start) -> float | None:
        """Seconds of silence in a pause that ends a segment; None = a pause ends none."""
        vad = start.vad.over(self._services.config.vad)
        if self._dialect.segmentation != "speech" or not vad.end_on_pause:
            return None
        return vad.min_silence_ms / 1000

    def _on_pause(self) -> None:
        self.step(AudioPaused())


def _going_away(deadline_seconds: float) -> GoingAway:
    message = "the server is shutting down: finish, or connect again"
    return GoingAway(message=message, deadline_seconds=deadline_seconds)
