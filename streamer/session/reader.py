"""The reading side of a socket: its messages and its deadlines become inputs.

A reader runs for the whole life of its socket, because a disconnect is only reported to the
application while it waits for a message.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Message
from starlette.websockets import WebSocket

from streamer.config.limits import LimitsConfig
from streamer.protocol.actions import QueuedAction
from streamer.session.client_inputs import ClientInputs
from streamer.session.deadlines import Deadlines
from streamer.session.inbox import Inbox
from streamer.websocket.signals import (
    MalformedNotice,
    PongNotice,
    SlowedNotice,
    TooLargeNotice,
    deliver_directly,
    notice_of,
    spent_of,
)


class Reader:
    """Reads one socket.

    Args:
        socket: An accepted socket.
        inputs: Takes what arrives, and the deadlines that pass.
        inbox: What was read waits there; while it is full, nothing more is read.
        limits: Of the configuration.
        clock: Monotonic seconds, the same clock as the inbox has.
        idle_since_s: Returns since when the server waits for the client; None = it may be the other
            way round.
    """

    def __init__(
        self,
        socket: WebSocket,
        inputs: ClientInputs,
        inbox: Inbox[QueuedAction],
        limits: LimitsConfig,
        clock: Callable[[], float],
        idle_since_s: Callable[[], float | None],
    ) -> None:
        self._socket = socket
        self._inputs = inputs
        self._inbox = inbox
        self._clock = clock
        self._idle_since_s = idle_since_s
        self._deadlines = Deadlines(limits, self._clock())
        self._spent = spent_of(socket.scope)

    async def run(self) -> None:
        """Read until the socket is closed, by either side."""
        deliver_directly(self._socket.scope, self._take_binary, joined=self._inputs.binary_is_audio)
        while True:
            message = await self._socket.receive()
            if isinstance(notice_of(message), PongNotice):
                self._inputs.on_pong()
                continue  # it is no message: the client may be idle all the same
            self._deadlines.last_message_s = self._clock()
            if message["type"] == "websocket.disconnect":
                self._inputs.on_disconnect()
                return
            begun_s = self._clock()
            self._take(message)
            self._spent(self._clock() - begun_s)
            if self._inbox.full:
                await self._inbox.wait_for_room()

    async def keep_time(self) -> None:
        """Report every deadline that passes, until nothing the client sends matters."""
        while not self._inputs.over:
            now_s = self._clock()
            expired, next_s = self._deadlines.check(
                now_s, oldest_s=self._inbox.oldest_s, idle_since_s=self._idle_since_s()
            )
            if expired is not None:
                self._inputs.on_deadline(expired)
            elif next_s is None:
                return
            else:
                await asyncio.sleep(next_s - now_s)

    def _take_binary(self, frame: bytes) -> bool:
        """Take a binary message that arrives while `run` waits. False = there is no room."""
        if self._inbox.full:
            return False
        self._deadlines.last_message_s = self._clock()
        self._inputs.on_binary(frame)
        return True

    def _take(self, message: Message) -> None:
        notice = notice_of(message)
        frame, text = message.get("bytes"), message.get("text")
        if isinstance(notice, TooLargeNotice):
            self._inputs.on_too_large(notice.reason)
        elif isinstance(notice, MalformedNotice):
            self._inputs.on_malformed(notice.reason)
        elif isinstance(notice, SlowedNotice):
            self._inputs.on_slowed(notice.limit, notice.allowed)
        elif frame is not None:
            self._inputs.on_binary(frame)
        elif text is not None:
            self._inputs.on_text(text)
