"""uvicorn's WebSocket protocol, with what a streaming server needs besides.

- **A message of live audio takes a short way.** While the application waits for a message, one
  that comes alone is handed to it at once (`listen`): no parser, no queue, no task to wake.
- **A flood is read slowly.** Bytes are parsed a piece at a time, and the next piece only when the
  messages of the last one have been taken and the rates allow it. Meanwhile nothing is read from
  the connection, and TCP holds the client back.
- **A message that is too large is not the end of everything.** The application is told, and can
  still send what it owes; what the client sends from then on is thrown away.
- **Keepalive rests while reading is paused.** Back-pressure leaves the client's pongs unread in
  the kernel, and a healthy client would be closed with 1011 for not answering.
- **A connection can be cut off**, and one that closes is cut off after a while. Closing waits
  until everything is written, which a client that does not read can delay for ever.
- **The loss of a connection is known.** ASGI tells only whoever is receiving, and a reader that is
  held up by back-pressure is not; and while nothing is read, the kernel tells only who asks it.
- **A client that sends pings and does not read the pongs** is cut off; they would pile up.
"""

import asyncio
import functools
from collections.abc import MutableMapping
from typing import Any, cast

import uvicorn
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame
from websockets.protocol import State

from streamer.config import LimitsConfig
from streamer.websocket_core import CONTROL, Core, TooManyFragments, whole_message
from streamer.websocket_pace import Pace
from streamer.websocket_scope import (
    ABORT,
    GONE,
    LISTEN,
    NOTICE,
    Listener,
    Slowed,
    TooLarge,
)
from streamer.websocket_watch import Watch

LINGER_S = 5.0
"""A connection that is being closed has this long to take what was written."""


class StreamingProtocol(WebSocketsSansIOProtocol):
    """The protocol class for `uvicorn.Config(ws=…)`; `limited` makes one with other limits."""

    limits = LimitsConfig()
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
        self._watch = Watch(self.loop)
        self._slowed = False
        self._deaf = False
        self._listener: Listener | None = None
        self._awaited = False
        """Whether the application waits for a message, and has dealt with the last one."""

    # Reading

    def data_received(self, data: bytes) -> None:
        """Parse, now or when what came before has been taken."""
        if not self._take_at_once(data):
            self._unparsed += data
            self._parse()

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
        if self.read_paused and self.queue.empty():
            if self._unparsed:
                await asyncio.sleep(0)  # a flood of small messages never has to wait for more
            self._parse()
        return message

    def _parse(self) -> None:
        """Parse what there is, as far as messages are taken and the rates allow."""
        while self._unparsed and self._resting is None and self._taken:
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
        self._parse()

    def _notify(self, notice: TooLarge | Slowed) -> None:
        self.queue.put_nowait(
            cast("Any", {"type": "websocket.receive", "bytes": None, "text": None, NOTICE: notice})
        )

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

    # Keepalive, and the end

    def keepalive_timeout(self) -> None:
        """A pong is missing: only a client whose pongs are being read can be blamed."""
        if self.read_paused or self._deaf:
            self.pong_timer = None
            self.pending_ping_payload = None
            self.schedule_ping()
        else:
            super().keepalive_timeout()

    @functools.cached_property
    def gone(self) -> asyncio.Event:
        """Set when the connection is lost, or the server shuts down."""
        return asyncio.Event()

    async def run_asgi(self) -> None:
        """Run the application; then the connection ends, whether its client reads or not."""
        scope = cast("MutableMapping[str, Any]", self.scope)
        scope[ABORT] = self.transport.abort
        scope[GONE] = self.gone
        scope[LISTEN] = self._listen
        try:
            await super().run_asgi()
        finally:
            # When the client's own close is not heard any more, its end of the connection is.
            if self._deaf and not self.transport.is_closing() and self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(LINGER_S, self.transport.abort)

    async def send(self, message: ASGISendEvent) -> None:
        """Send, while that is possible.

        uvicorn takes a socket that the protocol has closed for a mistake of the application, and
        a refusal, once it is complete, for a handshake that is not.
        """
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more."""
        if self._resting is not None:
            self._resting.cancel()
        self._watch.end()
        self._unparsed.clear()
        self.gone.set()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends."""
        super().shutdown()
        self.gone.set()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def handle_ping(self) -> None:
        """Answer, unless earlier answers still wait to be read."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()


def limited(to: LimitsConfig) -> type[StreamingProtocol]:
    """The protocol class with these limits."""

    class Limited(StreamingProtocol):
        limits = to

    return Limited
