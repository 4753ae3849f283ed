"""What the reading of a text costs is told to the connection, which paces floods by it."""

import asyncio
from collections import deque
from itertools import count
from types import SimpleNamespace
from typing import Any

from streamer.config.limits import LimitsConfig
from streamer.session.inbox import Inbox
from streamer.session.reader import Reader

MESSAGES: list[dict[str, Any]] = [
    {"type": "websocket.receive", "text": "?"},
    {"type": "websocket.receive", "text": "?"},
    {"type": "websocket.disconnect", "code": 1000},
]


def test_the_time_of_each_message_is_told() -> None:
    waiting, spent, texts = deque(MESSAGES), list[float](), list[str]()

    async def receive() -> dict[str, Any]:
        return waiting.popleft()

    socket: Any = SimpleNamespace(scope={"streamer.spent": spent.append}, receive=receive)
    inputs: Any = SimpleNamespace(
        binary_is_audio=False, on_text=texts.append, on_disconnect=lambda: None
    )
    seconds = count()
    reader = Reader(
        socket,
        inputs,
        Inbox(1_000, lambda: 0.0),
        LimitsConfig(),
        lambda: next(seconds),
        lambda: None,
    )
    asyncio.run(reader.run())
    assert texts == ["?", "?"]
    assert spent == [1, 1]
