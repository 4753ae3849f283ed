"""The reading side of a socket: its messages, and its deadlines, go to the conversation.

A reader runs for the whole life of its socket, because a disconnect is only ever reported to
whoever is receiving.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Message
from starlette.websockets import WebSocket

from streamer.config.schema import LimitsConfig
from streamer.session.commands import Command
from streamer.session.deadlines import Deadlines
from streamer.session.inbox import Inbox
from streamer.session.inputs import Conversation
from streamer.websocket.channel import Slowed, TooLarge, listen, notice_of


class Reader:
    """Reads one socket.

    Args:
        socket: An accepted socket.
        conversation: Is told what arrives, and what does not arrive in time.
        inbox: What was read waits there; while it is full, nothing more is read.
        limits: Of the configuration.
        clock: The time in seconds, as the inbox has it.
    """

    def __init__(
        self,
        socket: WebSocket,
        conversation: Conversation,
        inbox: Inbox[Command],
        limits: LimitsConfig,
        clock: Callable[[], float],
    ) -> None:
        self._socket = socket
        self._conversation = conversation
        self._inbox = inbox
        self._clock = clock
        self._deadlines = Deadlines(limits, self._clock())

    async def run(self) -> None:
        """Read until the socket is closed, by either side."""
        listen(self._socket.scope, self._hear)
        while True:
            message = await self._socket.receive()
            self._deadlines.heard_s = self._clock()
            if message["type"] == "websocket.disconnect":
                self._conversation.leave()
                return
            self._take(message)
            if self._inbox.full:
                await self._inbox.wait_for_room()

    async def keep_time(self) -> None:
        """Tell the conversation whenever a deadline has passed, until it is over."""
        while not self._conversation.over:
            now_s = self._clock()
            due, next_s = self._deadlines.check(
                now_s, oldest_s=self._inbox.oldest_s, idle_since_s=self._inbox.idle_since_s
            )
            if due is not None:
                self._conversation.expire(due)
            elif next_s is None:
                return
            else:
                await asyncio.sleep(next_s - now_s)

    def _hear(self, audio: bytes) -> bool:
        """Audio that comes while `run` waits; there may be no room for it."""
        if self._inbox.full:
            return False
        self._deadlines.heard_s = self._clock()
        self._conversation.hear(audio)
        return True

    def _take(self, message: Message) -> None:
        notice = notice_of(message)
        data, text = message.get("bytes"), message.get("text")
        if isinstance(notice, TooLarge):
            self._conversation.refuse(notice.why)
        elif isinstance(notice, Slowed):
            self._conversation.slow_down(notice.limit, notice.allowed)
        elif data is not None:
            self._conversation.hear(data)
        elif text is not None:
            self._conversation.obey(text)
