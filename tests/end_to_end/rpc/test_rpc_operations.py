"""What operators see of gRPC: health, reflection, metrics, traces, TLS, and what is announced."""

import asyncio
import json
import sys
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.end_to_end.certificates import self_signed
from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.health import health_of, named
from tests.end_to_end.rpc.rpc_call import (
    address_of,
    call_on,
    channel_to,
    rpc_client,
    stream_rpc,
    with_port,
)
from tests.end_to_end.telemetry.receiver import grpc_receiver
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import beckett

STANDIN = {"model": {"type": "standin"}}
SERVICE = "streamer.v1.Streaming"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_health_follows_the_model(launch: Launch) -> None:
    slow = {"model": {"type": "standin", "options": {"warmup_penalty": 2}}}
    server = launch(with_port(slow), ready=False)
    address = address_of(server)
    async with channel_to(address) as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=SERVICE), wait_for_ready=True
        )
        assert named([await watched.read()]) == ["NOT_SERVING"], "the model is loading"
        async with asyncio.timeout(TIMEOUT_S):
            assert named([await watched.read()]) == ["SERVING"]
        async with rpc_client(address) as call:
            await call.start(beckett())
            await call.events_until("started")
            server.process.terminate()
            async with asyncio.timeout(TIMEOUT_S):
                assert named([await watched.read()]) == ["NOT_SERVING"]
            await call.finish()
    assert await asyncio.to_thread(server.process.wait, TIMEOUT_S) == 0


async def test_health_of_what_there_is_not(rpc_standin: Server) -> None:
    address = address_of(rpc_standin)
    assert await health_of(address) == await health_of(address, SERVICE) == "SERVING"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await health_of(address, "streamer.v1.Nothing")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def asked(server: Server, **request: str) -> reflection_pb2.ServerReflectionResponse:
    async with channel_to(server) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        call = stub.ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(**request))
        async with asyncio.timeout(TIMEOUT_S):
            return await call.read()


async def test_reflection_shows_the_schemas(rpc_standin: Server) -> None:
    listed = await asked(rpc_standin, list_services="")
    services = {service.name for service in listed.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= services
    for service in services:
        found = await asked(rpc_standin, file_containing_symbol=service)
        files = map(
            FileDescriptorProto.FromString, found.file_descriptor_response.file_descriptor_proto
        )
        assert any(service == f"{file.package}.{s.name}" for file in files for s in file.service)


async def test_reflection_is_off_by_default(rpc_transcriber: Server) -> None:
    async with channel_to(rpc_transcriber) as channel, asyncio.timeout(TIMEOUT_S):
        # Nothing is written: where a call has ended before that, grpc.aio's client says INTERNAL.
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
        assert await call.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_metrics_and_logs_name_the_dialect(rpc_standin: Server) -> None:
    async with rpc_client(rpc_standin) as call:
        await call.start(beckett())
        await call.events_until("started")
        labels = 'dialect="streamer",route="segmented"'
        metrics = (await asyncio.to_thread(rpc_standin.get, "/metrics")).text
        assert f"streamer_sessions_open{{{labels}}} 1.0" in metrics
        await call.finish()
    assert '"dialect": "streamer"' in rpc_standin.log()


async def test_a_trace_begins_at_the_client(launch: Launch) -> None:
    with grpc_receiver() as (receiver, endpoint):
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        behind = {"server": {"forwarded_allow_ips": ["127.0.0.1"]}}
        server = launch(with_port({**STANDIN, **behind}), env=env)
        metadata = [("traceparent", f"00-{TRACE}-{CALLER}-01"), ("x-forwarded-proto", "https")]
        async with rpc_client(server, metadata=metadata) as call:
            await call.start(beckett())
            await call.send(beckett().data)
            events = await call.finish()
        assert events[0]["trace_id"] == TRACE
        await asyncio.to_thread(
            wait_until, lambda: any(s.name == "session" for s in receiver.spans), "it arrives"
        )
        (session,) = receiver.tree(TRACE)
    assert session.parent_id == CALLER
    assert session.attributes["network.protocol.name"] == "grpc"
    assert session.attributes["url.path"] == f"/{SERVICE}/Stream"
    assert session.attributes["streamer.dialect"] == "streamer"


async def test_tls_as_on_the_http_port(launch: Launch, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    server = launch(
        with_port(STANDIN) | {"server": {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}}
    )
    trust = grpc.ssl_channel_credentials(certificate.read_bytes())
    async with grpc.aio.secure_channel(address_of(server), trust) as channel:
        call = call_on(channel)
        await call.start(beckett())
        await call.send(beckett().data)
        assert len(await call.finish()) > 10
        assert await call.status() == ("OK", "")
    async with rpc_client(server) as plain:
        assert await plain.events_until_close() == []
        assert (await plain.status())[0] == "UNAVAILABLE"
    assert f"over gRPC       grpcs://{address_of(server)}" in server.log()
    for line in server.log().splitlines():
        json.loads(line)  # there is none of the library's own, about the failed handshake


async def test_a_connection_takes_no_new_calls_when_it_is_old(launch: Launch) -> None:
    server = launch(with_port(STANDIN, max_connection_age_ms=300))
    async with channel_to(server) as channel:
        call = call_on(channel)
        await call.start(beckett())
        await call.events_until("started")
        async with asyncio.timeout(TIMEOUT_S):
            await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)  # it is old
        await call.send(beckett().data)
        assert (await call.finish())[-1]["type"] == "stopped", "open calls go on"
    await stream_rpc(server, beckett())


@pytest.mark.parametrize("package", ["grpc", "grpc_health"])
def test_without_the_packages_the_port_is_refused_in_a_line(tmp_path: Path, package: str) -> None:
    hidden = f"import sys; sys.modules[{package!r}] = None; from streamer.__main__ import main; "
    program = (sys.executable, "-c", f"{hidden} sys.exit(main())")
    server = Server(tmp_path, with_port(STANDIN), program=program)
    try:
        assert server.process.wait(TIMEOUT_S) == 2
    finally:
        server.stop()
    port = "packages for gRPC are missing: pip install 'streamer-server[grpc]'"
    assert [line for line in server.log().splitlines() if port in line]
    assert "Traceback" not in server.log()


def test_the_address_is_announced(rpc_standin: Server) -> None:
    assert f"over gRPC       grpc://{address_of(rpc_standin)}" in rpc_standin.log()
