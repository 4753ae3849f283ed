"""gRPC and WebSockets behind one address of nginx, with the configuration in `deploy/`."""

import asyncio
from pathlib import Path

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from websockets.asyncio.client import connect

from tests.deployment.nginx import nginx
from tests.end_to_end.certificates import trusting
from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.rpc_call import call_on, with_port
from tools.harness.process import TIMEOUT_S
from tools.harness.sounds import beckett
from tools.harness.streams import Client, check_stream, events_of, findings

BEHIND = {"model": {"type": "standin"}, "server": {"forwarded_allow_ips": ["127.0.0.1"]}}


@pytest.mark.parametrize("message_bytes", [640, 65_536])
async def test_both_at_one_address(launch: Launch, tmp_path: Path, message_bytes: int) -> None:
    config = with_port({**BEHIND, "limits": {"max_sessions_per_ip": 2}})
    server = launch(config)
    with nginx(server.port, tmp_path, grpc_port=config["grpc"]["port"]) as proxy:
        trust = grpc.ssl_channel_credentials(proxy.certificate.read_bytes())
        async with (
            connect(
                f"wss://localhost:{proxy.port}/api/v1/segmented",
                ssl=trusting(proxy.certificate),
                host="127.0.0.1",
                compression=None,
                proxy=None,
                open_timeout=TIMEOUT_S,
            ) as connection,
            grpc.aio.secure_channel(f"localhost:{proxy.port}", trust) as channel,
        ):
            socket, call = Client(connection), call_on(channel)
            await socket.start(beckett())
            await call.start(beckett())
            # More than nginx takes as a body by default, 1 MB.
            for _ in range(4):
                await call.send(beckett().data, [message_bytes])
            await socket.send(beckett().data)
            await socket.send_request("stop", disconnect=True)
            here, there = await call.finish(), await socket.events_until_close()
            assert await call.status() == ("OK", "")
            check_stream(here)
            assert len(events_of(here, "segment")) == 4 * len(events_of(there, "segment"))
            assert findings(here)[1][:5] == findings(there)[1][:5]
            await refused_by_address(channel)
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest()
            )
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def refused_by_address(channel: grpc.aio.Channel) -> None:
    """A client cannot choose the address under which it is counted."""
    calls = [
        call_on(channel, metadata=[("x-forwarded-for", f"192.0.2.{number}")]) for number in range(2)
    ]
    for call in calls:
        await call.start(beckett())
        await call.events_until("started")
    third = call_on(channel, metadata=[("x-forwarded-for", "192.0.2.9")])
    async with asyncio.timeout(TIMEOUT_S):
        assert await third.events_until_close() == []
    name, details = await third.status()
    assert name == "RESOURCE_EXHAUSTED"
    assert details.endswith("limits.max_sessions_per_ip is 2")
    for call in calls:
        await call.finish()
