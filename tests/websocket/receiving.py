"""An ASGI application that receives messages as a session does, and sends each of them back."""

import asyncio
import contextlib

from starlette.types import Message, Receive, Scope, Send

from streamer.websocket.signals import Notice, deliver_directly, notice_of


class DirectEcho:
    """Counts the messages that were delivered directly, and keeps the protocol's notices.

    Args:
        joined: Whether it takes several small messages as one.
    """

    def __init__(self, *, joined: bool = False) -> None:
        self.direct = 0
        self._joined = joined
        self.notices: list[Notice] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        received: asyncio.Queue[Message | None] = asyncio.Queue()

        def receive_directly(audio: bytes) -> bool:
            self.direct += 1
            received.put_nowait({"bytes": audio})
            return True

        deliver_directly(scope, receive_directly, joined=self._joined)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_send_back(received, send))
            while (message := await receive())["type"] == "websocket.receive":
                if notice := notice_of(message):
                    self.notices.append(notice)
                else:
                    received.put_nowait(message)
            received.put_nowait(None)


async def _send_back(received: asyncio.Queue[Message | None], send: Send) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        while message := await received.get():
            kind = "text" if message.get("text") is not None else "bytes"
            await send({"type": "websocket.send", kind: message[kind]})
