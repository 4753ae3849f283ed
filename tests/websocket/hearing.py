"""An ASGI application that listens, as a session does, and sends back whatever it hears."""

import asyncio
import contextlib

from starlette.types import Message, Receive, Scope, Send

from streamer.websocket.channel import Slowed, TooLarge, listen, notice_of


class Hearing:
    """Counts what was handed over at once, and keeps what the protocol had to say."""

    def __init__(self) -> None:
        self.at_once = 0
        self.notices: list[TooLarge | Slowed] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        heard: asyncio.Queue[Message | None] = asyncio.Queue()

        def hear(audio: bytes) -> bool:
            self.at_once += 1
            heard.put_nowait({"bytes": audio})
            return True

        listen(scope, hear)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_send_back(heard, send))
            while (message := await receive())["type"] == "websocket.receive":
                if notice := notice_of(message):
                    self.notices.append(notice)
                else:
                    heard.put_nowait(message)
            heard.put_nowait(None)


async def _send_back(heard: asyncio.Queue[Message | None], send: Send) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        while message := await heard.get():
            kind = "text" if message.get("text") is not None else "bytes"
            await send({"type": "websocket.send", kind: message[kind]})
