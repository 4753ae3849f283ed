"""How a connection is read: bytes become frames, and a client may not send faster than it may.

- **A message of live audio takes a short way.** While the application waits for a message, a
  binary message that arrives alone is passed to it at once (`deliver_directly` in `signals.py`):
  no parser, no queue, no task to wake.
- **So do small messages that arrive together**: a client may send them faster than the parser can
  parse them, and the pings behind them have to be answered in time. Up to 6 MB of them, half a
  million, wait in the buffers of the two kernels. Where binary messages are audio and nothing else,
  those of a piece are passed on as one, which costs a tenth of passing on each.
- **A flood is read slowly.** Bytes are parsed a piece at a time. The next piece is parsed only
  after the application has taken the messages of the last one, when the rates allow it, and when
  it is this connection's turn. Until then nothing is read, and TCP holds the client back.
- **A message that is too large does not end everything.** The application receives a notice and
  can still send results that are pending; everything from the client after it is discarded.
"""

import asyncio
import math
from typing import Protocol

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame
from websockets.http11 import Request

from streamer.config.limits import LimitsConfig
from streamer.websocket.liveness import PeerWatch
from streamer.websocket.message_queue import MessageQueue
from streamer.websocket.protocol_core import (
    CONTROL,
    FIN_BINARY,
    FIN_TEXT,
    Core,
    small_frame_begins,
    small_frames,
    too_large_notice,
    unmask_single_binary_frame,
)
from streamer.websocket.rate import MAX_PIECE_BYTES, ReadPacing, ReadPause, SpareTime
from streamer.websocket.turns import ParserTurns

MAX_SMALL_FRAMES, MAX_JOINED_FRAMES = 8, 512
"""Frames that are handled at once without the parser, with what the application does about them: a
quarter of a millisecond, and up to one if each is answered. Those that the
application takes as one cost it no more than one."""

FLOOD_S = 1.0
"""Seconds since its last bytes in which a client over the limit of messages counts as one that
floods."""

JOINED_FRAMES_OF_ONE = 16
"""Of those, cost what one costs that is passed on alone."""


class InputHandler(Protocol):
    """Handles all input that is no part of a message; implemented by the connection."""

    def on_request(self, request: Request) -> None:
        """The upgrade request is complete."""

    def on_control(self, frame: Frame) -> None:
        """A ping, a pong or a close frame has arrived."""

    def on_invalid_text(self) -> None:
        """A text message is not UTF-8."""

    def on_failure(self) -> None:
        """The core cannot parse what the client sends; its input is discarded from now on."""


class InputReader:
    """The input side of one connection.

    Args:
        core: Parses.
        messages: Messages are added to it; its `on_taken` makes reading go on.
        handler: Handles all other input.
        limits: Of the configuration.
        max_message_bytes: A larger message is refused.
        turns: Shared by all connections of a server.
        spare: Shared in the same way.
        loop: Its timers and its clock are used.
    """

    def __init__(
        self,
        core: Core,
        messages: MessageQueue,
        handler: InputHandler,
        *,
        limits: LimitsConfig,
        max_message_bytes: int,
        turns: ParserTurns,
        spare: SpareTime,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._core = core
        self._messages = messages
        self._handler = handler
        self._max_fragments = limits.max_fragments
        self._max_message_bytes = self._configured_bytes = max_message_bytes
        self._turns = turns
        self._loop = loop
        self._transport: asyncio.Transport
        self._pacing = ReadPacing(limits, spare)
        self._watch = PeerWatch(loop)
        self._unparsed = bytearray()
        self._held = False
        """Whether the upgrade request is not answered yet; nothing after it is parsed."""
        self._reading_paused = False
        self._pause_timer: asyncio.TimerHandle | None = None
        """Runs while a rate forbids to read."""
        self._turn_requested = False
        self._slowed = False
        """Whether the application has the notice that the client is read more slowly."""
        self._fed_s = -math.inf
        """When bytes arrived last."""
        self._discarding_input = False
        """Whether the client's frames, also its pongs and its close frame, are not parsed."""
        messages.on_taken = self.resume

    @property
    def pongs_are_read(self) -> bool:
        """Whether the client's pongs are read and parsed now.

        Those of a client that floods are behind its messages, or it is too busy to send any. It is
        not dead, because bytes have arrived.
        """
        floods = self._pacing.over_limit and self._loop.time() < self._fed_s + FLOOD_S
        return not self._reading_paused and not self._discarding_input and not floods

    def start(self, transport: asyncio.Transport) -> None:
        """Read from this transport."""
        self._transport = transport

    def stop(self) -> None:
        """Stop for ever: the connection is lost."""
        if self._pause_timer is not None:
            self._pause_timer.cancel()
        self._watch.stop()
        self._unparsed.clear()
        self._pacing.stop()

    def charge(self, seconds: float) -> None:
        """The application has spent this time on the client's messages, until now."""
        if self._pacing.over_limit:
            self._pacing.spend(seconds, self._loop.time())

    def allow_messages_of(self, max_bytes: int) -> None:
        """Allow messages up to this size, instead of those of the configuration."""
        self._max_message_bytes = self._core.max_message_size = max_bytes

    def hold(self) -> None:
        """Parse nothing until `release`: the upgrade request has to be answered first."""
        self._held = True

    def release(self) -> None:
        """Parse what has arrived, and go on."""
        self._held = False
        self.resume()

    def resume(self) -> None:
        """Go on, if it was the application that reading waited for."""
        if self._reading_paused and self._pause_timer is None:
            self._request_turn()

    def feed(self, data: bytes) -> None:
        """Take bytes from the transport; parse them now, or when the earlier ones were taken."""
        self._fed_s = begun_s = self._loop.time()
        over_limit = self._pacing.over_limit
        self._feed(data)
        if over_limit:
            self._spend_since(begun_s)

    def _feed(self, data: bytes) -> None:
        is_first = not self._reading_paused and not self._unparsed
        if is_first and self._core.between_messages and self._deliver(data):
            return
        if self._discarding_input:
            return
        self._unparsed += data
        if len(self._unparsed) <= self._pacing.piece_bytes and not self._pacing.crowded:
            self._parse()
        else:
            self._request_turn()

    def _deliver(self, data: bytes) -> bool:
        """Pass bytes to the application without the parser, if they are one binary message."""
        audio = unmask_single_binary_frame(data)
        if audio is None or len(audio) > self._max_message_bytes:
            return False
        if not self._messages.deliver(audio):
            return False
        pause = self._pacing.count(1, 0, self._fed_s)
        if pause is not None:
            self._slow_down(pause)
            self._pause()
        return True

    def _request_turn(self) -> None:
        """Parse in a turn of the event loop that is this connection's; read nothing until then."""
        if not self._turn_requested:
            self._turn_requested = True
            self._turns.request(self._take_turn)
        self._pause()

    def _take_turn(self) -> None:
        self._turn_requested = False
        if self._transport.is_closing():
            return
        begun_s = self._loop.time()
        try:
            self._parse()
        except Exception:
            self._transport.abort()  # as the transport does when `data_received` raises
            raise
        self._spend_since(begun_s)

    def _spend_since(self, begun_s: float) -> None:
        now_s = self._loop.time()
        self._pacing.spend(now_s - begun_s, now_s)

    def _parse(self) -> None:
        """Parse what has arrived, as far as messages are taken and the rates allow."""
        parsed = False
        while self._unparsed and self._may_parse and not self._waits_for_rest:
            if parsed and self._pacing.crowded:
                self._request_turn()
                return
            parsed = True
            if self._pacing.crowded and self._take_small():
                continue
            size = self._pacing.piece_bytes
            piece = bytes(self._unparsed[:size])
            del self._unparsed[:size]
            self._core.receive_data(piece)
            self._handle_events()  # also those before an error
            if self._core.parser_exc is not None or self._core.handshake_exc is not None:
                self._fail()
            if self._transport.is_closing():
                return
        if (self._unparsed and not self._waits_for_rest) or self._pause_timer is not None:
            self._pause()
        elif self._reading_paused and self._messages.taken:
            self._reading_paused = False
            self._watch.stop()
            self._transport.resume_reading()

    def _take_small(self) -> bool:
        """Pass on small messages without the parser, as many as are a piece.

        Returns False if the next message is none of these.
        """
        if not self._core.between_messages or self._max_message_bytes < MAX_PIECE_BYTES:
            return False
        frames = cost = 0
        while self._unparsed and cost < MAX_SMALL_FRAMES:
            head = bytes(self._unparsed[:MAX_PIECE_BYTES])
            joined = self._messages.joined and head[0] == FIN_BINARY
            found, end = small_frames(head, MAX_JOINED_FRAMES if joined else MAX_SMALL_FRAMES)
            if not found or (head[0] == FIN_TEXT and not self._messages.add_texts(found)):
                break
            if head[0] == FIN_BINARY:
                for audio in [b"".join(found)] if joined else found:
                    self._messages.add_binary(audio)
            del self._unparsed[:end]
            frames += len(found)
            cost += 1 + len(found) // JOINED_FRAMES_OF_ONE if joined else len(found)
        if not frames:
            return False
        pause = self._pacing.count(frames, 0, self._loop.time())
        if pause is not None:
            self._slow_down(pause)
        return True

    @property
    def _waits_for_rest(self) -> bool:
        """Whether what is left is the beginning of a small message, among others.

        The parser would take it, and then, a piece at a time, most of those that come next: the end
        of a piece is seldom that of a message.
        """
        return (
            self._pacing.crowded
            and self._core.between_messages
            and small_frame_begins(self._unparsed)
        )

    @property
    def _may_parse(self) -> bool:
        return self._pause_timer is None and self._messages.taken and not self._held

    def _handle_events(self) -> None:
        """Handle what the piece has completed, and count its frames."""
        frames = control = 0
        last = not self._unparsed
        for event in self._core.events_received():
            if not isinstance(event, Frame):
                assert isinstance(event, Request)
                self._handler.on_request(event)
                continue
            frames += 1
            if event.opcode in CONTROL:
                control += 1
                self._handler.on_control(event)
                continue
            try:
                self._messages.add_frame(event, direct=last)
            except UnicodeDecodeError:
                self._handler.on_invalid_text()
        self._pacing.fit(frames)
        if frames:
            pause = self._pacing.count(frames - control, control, self._loop.time())
            if pause is not None:
                self._slow_down(pause)

    def _slow_down(self, pause: ReadPause) -> None:
        """Parse nothing for a while: a rate was exceeded."""
        if not self._slowed:
            self._slowed = True
            self._messages.notify(pause.reason)
        if self._pause_timer is not None:
            self._pause_timer.cancel()
        self._pause_timer = self._loop.call_later(pause.seconds, self._end_pause)

    def _end_pause(self) -> None:
        self._pause_timer = None
        self._request_turn()

    def _pause(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
            self._watch.start(self._transport)

    def _fail(self) -> None:
        """Discard all input from now on (RFC 6455, section 7.1.7), and report why."""
        self._discarding_input = True
        self._unparsed.clear()
        problem = self._core.parser_exc
        if isinstance(problem, PayloadTooBig) and not self._messages.ended:
            notice = too_large_notice(
                problem,
                self._max_message_bytes,
                self._max_fragments,
                configured=self._max_message_bytes == self._configured_bytes,
            )
            self._messages.notify(notice)
        else:
            self._handler.on_failure()
