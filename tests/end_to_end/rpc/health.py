"""A client of the standard health service."""

from collections.abc import Sequence

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc


async def health_of(address: str, service: str = "") -> str:
    """The state of a service of a server, or of all of it."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return named([answer])[0]


def named(answers: Sequence[health_pb2.HealthCheckResponse]) -> list[str]:
    """The names of states."""
    states = health_pb2.HealthCheckResponse.ServingStatus
    return [states.Name(answer.status) for answer in answers]
