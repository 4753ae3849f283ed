"""The reading side of a call: its messages become those of an ASGI WebSocket.

Nothing is read before the client is admitted. Then a message is read when the one before it has
been taken. What is not read stays in the window of HTTP/2, which holds the client back. A call that
sends more messages than `limits.max_messages_per_second` is read more slowly.
"""

import asyncio
from collections import deque

import grpc.aio
from grpc.aio import ServicerContext

from streamer.rpc.dialect import NO_MORE
from streamer.websocket.asgi import Message
from streamer.websocket.rate import TokenBucket
from streamer.websocket.signals import (
    NOTICE,
    DirectReceiver,
    Notice,
    PongNotice,
    SlowedNotice,
    TooLargeNotice,
)

QUIET_S = 1.0
"""Seconds without a message that count as the answer to a ping. gRPC has no ping whose answer its
server could see. So that nothing is under way is certain only if a network delivers all within this
time."""

LOSS_S = 0.005
"""Seconds after the end of the messages in which it shows whether the client is lost: then the task
is cancelled. The library reports the end of the client's direction and a loss alike. On a busy
machine it can take longer: then a lost client's stream is finished, and its results go nowhere."""

DISCARD_S = 0.5
"""Seconds for which a call that ends goes on to read what its client sends. Then it ends right
behind a message, long before the next one."""

BETWEEN_MESSAGES_S = 0.03
"""Seconds without a message after which the client is not about to send one. Clients of live audio
send every 20 ms or more, and those of recordings as fast as they can."""

LOOK_S = 0.005
"""Seconds between looks at what has come."""


class IncomingMessages:
    """The messages of one call.

    Args:
        context: Of the call.
        max_bytes: Of a message.
        max_per_second: Messages; 0 = no limit.
        loop: Its timers and its clock are used.
    """

    def __init__(
        self,
        context: ServicerContext,
        max_bytes: int,
        max_per_second: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._context = context
        self._max_bytes = max_bytes
        self._bucket = TokenBucket(max_per_second)
        self._loop = loop
        self._receiver: DirectReceiver | None = None
        self._waiting: deque[Message] = deque([{"type": "websocket.connect"}])
        self._filled = asyncio.Event()
        self._taken = asyncio.Event()
        self._admitted = asyncio.Event()
        """The client is admitted, or it is read for nothing."""
        self._idle = False
        """Whether the application waits in `receive`, so that it has taken all messages."""
        self._last_s = 0.0
        """When the last message arrived."""
        self._begun = False
        """Whether one has arrived."""
        self._awaiting = False
        """Whether a message would be read at once."""
        self._asked_s: float | None = None
        """When the ping was asked for that has no answer yet."""
        self._timer: asyncio.TimerHandle | None = None
        self._discards = False
        """Messages are read for nothing: the application has ended, or one was too large."""
        self._over = False
        """Whether nothing more is read."""

    # Called by the application

    def admit(self) -> None:
        """The client is admitted: read its messages."""
        self._admitted.set()

    def deliver_directly(self, receiver: DirectReceiver, joined: bool) -> None:
        """Pass messages to `receiver`, while it waits in `receive`."""
        del joined
        self._receiver = receiver

    def ping(self) -> bool:
        """Report it as a pong when nothing has arrived for a while; as of `ping_of`."""
        if self._asked_s is None:
            self._asked_s = self._loop.time()
            self._timer = self._loop.call_later(QUIET_S, self._answer_ping)
        return True

    async def receive(self) -> Message:
        """The next message; waits until there is one."""
        self._idle = True
        try:
            while not self._waiting:
                self._taken.set()
                self._filled.clear()
                await self._filled.wait()
        finally:
            self._idle = False
        return self._waiting.popleft()

    # The task of the call

    async def run(self) -> None:
        """Read until the client has closed its direction."""
        await self._admitted.wait()
        try:
            await self._read()
        finally:
            self._over = True

    async def discard(self) -> None:
        """Read on for a moment, for nothing: the call ends while its client may be sending.

        A client with grpc.aio reports a message that is interrupted by the end of the call as an
        error of its own, INTERNAL, and not the status.
        """
        self._discards = True
        self._admitted.set()
        self._taken.set()
        end_s = self._loop.time() + DISCARD_S
        while not self._over:
            await asyncio.sleep(LOOK_S)
            now_s = self._loop.time()
            late = now_s >= end_s
            if not self._begun:  # the first message is sure to come
                if late:
                    return
                continue
            quiet_s = now_s - self._last_s
            if quiet_s >= BETWEEN_MESSAGES_S or (late and quiet_s <= 2 * LOOK_S):
                return

    async def _read(self) -> None:
        slowed = False
        while True:
            self._awaiting = True
            data = await self._context.read()
            self._awaiting = False
            if data is grpc.aio.EOF:
                await asyncio.sleep(LOSS_S)
                self._put({"type": "websocket.receive", "text": NO_MORE})
                return
            self._last_s = now_s = self._loop.time()
            self._begun = True
            if self._discards:
                continue
            if len(data) > self._max_bytes:
                reason = f"the message has {len(data)} bytes; allowed: {self._max_bytes}"
                self._notify(TooLargeNotice(reason))
                self._discards = True
                continue
            wait_s = self._bucket.take(1, now_s)
            if not self._delivered(data):
                self._put({"type": "websocket.receive", "bytes": data})
                await self._all_taken()
            if wait_s:
                if not slowed:
                    slowed = True
                    limit = "limits.max_messages_per_second"
                    self._notify(SlowedNotice(limit, self._bucket.per_second))
                await asyncio.sleep(wait_s)

    def stop(self) -> None:
        """The call is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _delivered(self, data: bytes) -> bool:
        if self._receiver is None or not self._idle or self._waiting:
            return False
        try:
            return self._receiver(data)
        except Exception:  # it fails again in the application's own task, which reports it
            return False

    async def _all_taken(self) -> None:
        """Wait until the application waits for more."""
        self._taken.clear()
        await self._taken.wait()

    def _notify(self, notice: Notice) -> None:
        self._put({"type": "websocket.receive", "bytes": None, "text": None, NOTICE: notice})

    def _put(self, message: Message) -> None:
        self._waiting.append(message)
        self._filled.set()

    def _answer_ping(self) -> None:
        assert self._asked_s is not None
        if self._over:
            return  # nothing more can come, so there is no pause either
        if self._last_s > self._asked_s:
            self._asked_s = None  # audio has come, so there is no pause to be certain of
        elif self._awaiting and self._idle:
            self._asked_s = None
            self._notify(PongNotice())
        else:  # what has arrived is not read yet
            self._timer = self._loop.call_later(QUIET_S, self._answer_ping)
