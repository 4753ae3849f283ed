"""What the log is told of those who find no room."""

import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from streamer.access.gate import REPORT_INTERVAL_S, Gate
from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import Access, Origins
from streamer.config.schema import LimitsConfig


async def nobody(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("somebody was let in")


async def test_the_log_names_the_limit_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    refused: list[str] = []
    sessions = SessionRegistry(LimitsConfig(max_sessions=1))
    gate = Gate(
        nobody,
        access=Access([], lambda: now_s),
        origins=Origins([], local=False),
        registry=sessions,
        sockets={"/"},
        queue_seconds=lambda: 0.0,
        on_refused=refused.append,
        clock=lambda: now_s,
    )
    sent: list[Message] = []
    scope = {"type": "websocket", "path": "/", "headers": [], "client": ("192.0.2.1", 1)}

    async def hear() -> Message:
        return {"type": "websocket.connect"}

    async def say(message: Message) -> None:
        sent.append(message)

    async def knock() -> int:
        await gate({**scope, "extensions": {"websocket.http.response": {}}}, hear, say)
        return len(caplog.records)

    with sessions.place("192.0.2.2"), caplog.at_level(logging.WARNING):
        assert [await knock(), await knock()] == [1, 1]
        assert "limits.max_sessions is 1" in caplog.records[0].getMessage()
        now_s += REPORT_INTERVAL_S
        assert [await knock(), await knock()] == [2, 2]
        now_s += REPORT_INTERVAL_S
        sessions.draining = True
        assert await knock() == 2, "that a server ends is no lack of room"
    assert refused == ["overloaded"] * 5
    assert [m["status"] for m in sent if "status" in m] == [503] * 5
