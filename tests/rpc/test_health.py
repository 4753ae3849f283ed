"""The health service: what those that watch are told, and how many may watch."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest

from streamer.rpc.health import MAX_WATCHES, Health
from tests.end_to_end.rpc.health import named
from tests.virtual_time import in_virtual_time


class Aborted(Exception):
    pass


class Context:
    """What the library has for a call."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.code: str | None = None

    async def write(self, message: Any) -> None:
        self.written.append(message)

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.code = code.name
        raise Aborted


class Watched:
    """A server that is watched."""

    def __init__(self) -> None:
        self.serving = False
        self.health = Health(["known"], lambda: self.serving)

    async def watch(self, context: Any, service: str = "known") -> None:
        await self.health.Watch(HealthCheckRequest(service=service), context)


@in_virtual_time
async def test_each_change_is_told_once_and_then_the_calls_end() -> None:
    watched, known, unknown = Watched(), Context(), Context()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watched.watch(known))
        tasks.create_task(watched.watch(unknown, "other"))
        await asyncio.sleep(5)
        for _ in range(2):
            watched.serving = not watched.serving
            await asyncio.sleep(5)
        watched.health.end()
    assert named(known.written) == ["NOT_SERVING", "SERVING", "NOT_SERVING"]
    assert named(unknown.written) == ["SERVICE_UNKNOWN"]


@in_virtual_time
async def test_only_so_many_may_watch() -> None:
    watched = Watched()
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(watched.watch(Context())) for _ in range(MAX_WATCHES)]
        await asyncio.sleep(1)
        refused = Context()
        with pytest.raises(Aborted):
            await watched.watch(refused)
        assert refused.code == "RESOURCE_EXHAUSTED"
        calls[0].cancel()
        await asyncio.sleep(1)
        tasks.create_task(watched.watch(Context()))
        await asyncio.sleep(1)
        watched.health.end()
