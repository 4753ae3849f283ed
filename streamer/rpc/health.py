"""The standard health service: which services can be used now.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

import asyncio
from collections.abc import Callable, Collection

import grpc.aio
from grpc.aio import ServicerContext
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

CHECK_S = 1.0
"""Seconds between looks at the state that is being watched."""

MAX_WATCHES = 100
"""Calls that watch at the same time: they need no token, have no place among the sessions, and may
go on for ever. Each of them looks by itself."""


class Health(HealthServicer):  # type: ignore[misc]
    """Answers for all services alike.

    Args:
        names: Of the services; the empty name stands for the whole server.
        ready: Returns whether they can be used.
    """

    def __init__(self, names: Collection[str], ready: Callable[[], bool]) -> None:
        self._names = frozenset(names) | {""}
        self._ready = ready
        self._watches = 0
        self._ended = asyncio.Event()

    def end(self) -> None:
        """The port is being closed: end the calls that watch."""
        self._ended.set()

    async def Check(  # noqa: N802 – named by its schema
        self, request: HealthCheckRequest, context: ServicerContext
    ) -> HealthCheckResponse:
        """The state of a service."""
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return HealthCheckResponse(status=self._state())

    async def Watch(self, request: HealthCheckRequest, context: ServicerContext) -> None:  # noqa: N802 – as above
        """The state of a service, and each later one."""
        if self._watches >= MAX_WATCHES:
            text = f"{MAX_WATCHES} calls watch already, which is the limit; allowed: Check"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        self._watches += 1
        try:
            await self._watch(request, context)
        finally:
            self._watches -= 1

    async def _watch(self, request: HealthCheckRequest, context: ServicerContext) -> None:
        sent = None
        while not self._ended.is_set():
            known = request.service in self._names
            state = self._state() if known else HealthCheckResponse.SERVICE_UNKNOWN
            if state != sent:
                await context.write(HealthCheckResponse(status=state))
                sent = state
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._ended.wait()
            except TimeoutError:
                continue

    def _state(self) -> HealthCheckResponse.ServingStatus:
        return HealthCheckResponse.SERVING if self._ready() else HealthCheckResponse.NOT_SERVING
