"""Calls that are answered without a session: what ends them."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest

from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import Access
from streamer.config.limits import LimitsConfig
from streamer.config.schema import Config
from streamer.protocol.requests import BadRequest
from streamer.rpc.answers import MAX_REQUEST_S, answer
from streamer.rpc.dialect import AnswerMethod
from tests.virtual_time import in_virtual_time


class Aborted(Exception):
    pass


class Context:
    """What the library has for a call that sends these messages, and then nothing more."""

    def __init__(self, *messages: Any) -> None:
        self.messages = list(messages)
        self.written: list[bytes] = []
        self.trailing: Any = ()
        self.status: tuple[str, str] | None = None

    async def read(self) -> Any:
        if not self.messages:
            await asyncio.sleep(10**6)
        return self.messages.pop(0)

    async def write(self, message: bytes) -> None:
        self.written.append(message)

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.status = code.name, details
        raise Aborted

    def invocation_metadata(self) -> Any:
        return ()

    def set_trailing_metadata(self, metadata: Any) -> None:
        self.trailing = metadata

    def peer(self) -> str:
        return "ipv4:192.0.2.1:5000"


class Served:
    """A call that has been served."""

    def __init__(self, limits: LimitsConfig | None = None) -> None:
        self.errors: list[str] = []
        config = Config(limits=limits or LimitsConfig())
        self.registry = SessionRegistry(config.limits)
        monitor = SimpleNamespace(error=self.errors.append)
        access = Access((), float)
        self.services: Any = SimpleNamespace(config=config, access=access, monitor=monitor)

    async def __call__(self, context: Any, made: Any = lambda services, request: b"yes") -> Any:
        try:
            await answer(AnswerMethod(made), context, self.services, self.registry)
        except Aborted:
            assert self.registry.unfinished == 0
        return context.status


@in_virtual_time
async def test_a_request_is_answered() -> None:
    context = Context(b"question")
    assert await Served()(context) is None
    assert context.written == [b"yes"]


@in_virtual_time
@pytest.mark.parametrize(("idle_s", "expected_s"), [(3.0, 3.0), (0.0, MAX_REQUEST_S)])
async def test_a_request_that_does_not_come(idle_s: float, expected_s: float) -> None:
    served = Served(LimitsConfig(idle_seconds=idle_s))
    status = await served(Context())
    assert status == ("ABORTED", f"nothing received for {expected_s:g} s")
    assert asyncio.get_running_loop().time() == expected_s
    assert served.errors == ["idle_timeout"]


@in_virtual_time
async def test_what_is_no_request() -> None:
    too_large = Context(bytes(1025))
    status = await Served(LimitsConfig(max_message_bytes=1024))(too_large)
    assert status == ("RESOURCE_EXHAUSTED", "the message has 1025 bytes; allowed: 1024")
    status = await Served()(Context(grpc.aio.EOF))
    assert status == ("INVALID_ARGUMENT", "the request is missing")


@in_virtual_time
async def test_a_defect_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    def fails(services: object, request: bytes) -> bytes:
        raise RuntimeError("a secret")

    assert await Served()(Context(b"x"), fails) == ("INTERNAL", "internal error")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@in_virtual_time
async def test_a_request_that_cannot_be_used() -> None:
    def refuses(services: object, request: bytes) -> bytes:
        raise BadRequest("bad_message", "'x' is 1; allowed: 2")

    assert await Served()(Context(b"x"), refuses) == ("INVALID_ARGUMENT", "'x' is 1; allowed: 2")


@in_virtual_time
async def test_a_server_that_ends_answers_nothing_new() -> None:
    served = Served()
    await served.registry.drain()
    context = Context(b"x")
    assert await served(context) == ("RESOURCE_EXHAUSTED", "the server is shutting down")
    assert dict(context.trailing)["retry-after"]
