"""How a connection is read: uvicorn's WebSocket protocol, and who may send how much.

- **A message of live audio takes a short way.** While the application waits for a message, one
  that comes alone is handed to it at once (`listen`): no parser, no queue, no task to wake.
- **A flood is read slowly.** Bytes are parsed a piece at a time, and the next piece only when the
  messages of the last one have been taken, the rates allow it, and no other connection's turn is
  before. Meanwhile nothing is read from the connection, and TCP holds the client back.
- **A message that is too large is not the end of everything.** The application is told, and can
  still send what it owes; what the client sends from then on is thrown away.
"""

import asyncio
from typing import Any, cast

import uvicorn
from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame
from websockets.protocol import State

from streamer.config.schema import LimitsConfig
from streamer.websocket.channel import NOTICE, Listener, Slowed, TooLarge
from streamer.websocket.frames import CONTROL, Core, TooManyFragments, whole_message
from streamer.websocket.liveness import Watch
from streamer.websocket.pace import Pace
from streamer.websocket.turns import Turns


class ReadingProtocol(WebSocketsSansIOProtocol):
    """The part of `StreamingProtocol` that reads."""

    limits: LimitsConfig
    turns: Turns
    """Of all connections of a server."""
    conn: Core

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = Core(max_size=config.ws_max_size, logger=self.logger)
        self.conn.max_fragments = self.limits.max_fragments
        self._unparsed = bytearray()
        self._pace = Pace(self.limits)
        self._resting: asyncio.TimerHandle | None = None
        self._waits = False
        """Whether it has asked for its turn."""
        self._watch = Watch(self.loop)
        self._slowed = False
        self._deaf = False
        self._listener: Listener | None = None
        self._awaited = False
        """Whether the application waits for a message, and has dealt with the last one."""

    def data_received(self, data: bytes) -> None:
        """Parse, now or when what came before has been taken."""
        if not self._take_at_once(data):
            self._unparsed += data
            if len(self._unparsed) <= self._pace.piece_bytes and not self._pace.crowded:
                self._parse()
            else:
                self._ask()

    def _take_at_once(self, data: bytes) -> bool:
        """Hand over what is a message of audio and nothing else, without the parser."""
        if self.read_paused or not self.conn.between_messages:
            return False
        audio = whole_message(data)
        if audio is None or len(audio) > self.config.ws_max_size or not self._hand_over(audio):
            return False
        self._count(messages=1, control=0)
        if self._resting is not None:
            self._pause()
        return True

    async def receive(self) -> ASGIReceiveEvent:
        """The next message; when it was the last one, parsing and reading go on."""
        self._awaited = True
        try:
            message = await self.queue.get()
        finally:
            self._awaited = False
        if self.read_paused and self._resting is None and self.queue.empty():
            self._ask()
        return message

    def _ask(self) -> None:
        """Wait for a turn to parse; meanwhile nothing is read."""
        if not self._waits:
            self._waits = True
            self.turns.ask(self._take_turn)
        self._pause()

    def _take_turn(self) -> None:
        self._waits = False
        if self.transport.is_closing():
            return
        try:
            self._parse()
        except Exception:
            self.transport.abort()  # as the transport itself does for what `data_received` raises
            raise

    def _parse(self) -> None:
        """Parse what there is, as far as messages are taken and the rates allow."""
        parsed = False
        while self._unparsed and self._resting is None and self._taken:
            if parsed and self._pace.crowded:
                self._ask()
                return
            parsed = True
            size = self._pace.piece_bytes
            piece = bytes(self._unparsed[:size])
            del self._unparsed[:size]
            self.conn.receive_data(piece)
            self.handle_events()  # also of what came before a message that cannot be one
            if self.conn.parser_exc is not None:
                self.handle_parser_exception()
            elif self.conn.handshake_exc is not None and not self.handshake_initiated:
                self._reject_handshake()
        if self._unparsed or self._resting is not None:
            self._pause()
        elif self.read_paused and self._taken:
            self.read_paused = False
            self._watch.end()
            self.transport.resume_reading()

    @property
    def _taken(self) -> bool:
        """Whether the application has taken all messages, or will take none any more."""
        return self.queue.empty() or self.close_sent

    def _pause(self) -> None:
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
            self._watch.begin(self.transport)

    def handle_events(self) -> None:
        """Act on the frames of a piece, and count them."""
        frames = [event for event in self.conn.events if isinstance(event, Frame)]
        control = sum(frame.opcode in CONTROL for frame in frames)
        self._pace.fit(len(frames))
        super().handle_events()
        if frames:
            self._count(len(frames) - control, control)

    def _count(self, messages: int, control: int) -> None:
        """Count frames, and read nothing for a while if they are too many."""
        rest = self._pace.count(messages, control, self.loop.time())
        if rest is None:
            return
        if not self._slowed and not self.close_sent:
            self._slowed = True
            self._notify(rest.because)
        if self._resting is not None:
            self._resting.cancel()
        self._resting = self.loop.call_later(rest.seconds, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._ask()

    def _notify(self, notice: TooLarge | Slowed) -> None:
        self.queue.put_nowait(
            cast("Any", {"type": "websocket.receive", "bytes": None, "text": None, NOTICE: notice})
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is read any more."""
        if self._resting is not None:
            self._resting.cancel()
        self._watch.end()
        self._unparsed.clear()
        super().connection_lost(exc)

    # Messages that are too large

    def handle_parser_exception(self) -> None:
        """What was sent cannot be a message, or is too large for one."""
        problem = self.conn.parser_exc
        if isinstance(problem, TooManyFragments):
            most = self.limits.max_fragments
            self._refuse(f"the message has more fragments than limits.max_fragments ({most})")
        elif isinstance(problem, PayloadTooBig):
            size = (problem.size or 0) + (problem.current_size or 0)
            allowed = self.config.ws_max_size
            self._refuse(
                f"the message has {size} bytes; allowed: limits.max_message_bytes, {allowed}"
            )
        elif not self.close_sent:
            super().handle_parser_exception()

    def _refuse(self, why: str) -> None:
        if not self._deaf and not self.close_sent:
            self._deaf = True
            self._notify(TooLarge(why))

    def _reject_handshake(self) -> None:
        """The two parsers of the upgrade request do not agree that it is one."""
        self.handshake_complete = self.close_sent = True
        answer = b"".join(self.conn.data_to_send()) or b"HTTP/1.1 400 Bad Request\r\n\r\n"
        self.transport.write(answer)
        self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Hand over a message; text that is not UTF-8 ends the connection, as RFC 6455 wants."""
        if self._deaf:
            self.frames = []
            return
        if self.curr_msg_data_type == "bytes" and self._hand_over(b"".join(self.frames)):
            self.frames = []
            return
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                if self.conn.state is State.OPEN:  # the client's own close may be here already
                    self.conn.send_close(1007)
                    self.handle_parser_exception()
                return
        # uvicorn stops reading after each message, and starts again when it has been taken: two
        # system calls for every one. Here the bytes that come too early are what stops it.
        paused, self.read_paused = self.read_paused, True
        super().send_receive_event_to_app()
        self.read_paused = paused

    def _hand_over(self, audio: bytes) -> bool:
        """Give a binary message to the listener, if nothing comes before it or with it."""
        if self._listener is None or not self._awaited or self._unparsed or self.close_sent:
            return False
        if not self.queue.empty():
            return False
        try:
            return self._listener(audio)
        except Exception:  # it goes wrong again in the application's own task, which is supervised
            return False

    def _listen(self, listener: Listener) -> None:
        self._listener = listener
