"""Where the port for gRPC listens, and what is said of it."""

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from tests.end_to_end.certificates import self_signed
from tests.end_to_end.conftest import Launch
from tests.end_to_end.rpc.health import health_of
from tests.end_to_end.rpc.rpc_call import address_of, with_port
from tools.harness.process import Server, wait_until

STANDIN = {"model": {"type": "standin"}}
EVERYWHERE = "and all other addresses of this machine, of IPv4 and of IPv6"


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as tried:
        tried.bind(("::1", 0))
        return True
    return False


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::"])
async def test_all_addresses_are_those_of_both_families(launch: Launch, host: str) -> None:
    server = launch(with_port(STANDIN, host=host))
    port = address_of(server).rpartition(":")[2]
    assert await health_of(f"127.0.0.1:{port}") == "SERVING"
    if has_ipv6():
        assert await health_of(f"[::1]:{port}") == "SERVING"
    assert EVERYWHERE in server.log()


async def test_one_address_is_one(rpc_standin: Server) -> None:
    assert await health_of(address_of(rpc_standin)) == "SERVING"
    assert EVERYWHERE not in rpc_standin.log()


async def test_a_name_is_all_its_addresses(launch: Launch) -> None:
    server = launch(with_port(STANDIN, host="localhost"))
    port = address_of(server).rpartition(":")[2]
    assert await health_of(f"127.0.0.1:{port}") == "SERVING"


async def test_a_key_that_the_library_does_not_take(launch: Launch, tmp_path: Path) -> None:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1")
    certificate, private = self_signed(tmp_path, key=key)
    files = {"ssl_certfile": str(certificate), "ssl_keyfile": str(private)}
    server = launch(with_port({**STANDIN, "server": files}), ready=False)
    await asyncio.to_thread(
        wait_until, lambda: server.process.poll() is not None, "the server ends"
    )
    assert server.process.returncode != 0
    assert "see 'grpc.host' and 'grpc.port', or 'server.ssl_certfile'" in server.log()


def test_a_port_in_use_is_named(launch: Launch, rpc_standin: Server) -> None:
    port = int(address_of(rpc_standin).rpartition(":")[2])
    server = launch({**STANDIN, "grpc": {"port": port}}, ready=False)
    wait_until(lambda: server.process.poll() is not None, "the server ends")
    assert server.process.returncode == 2
    assert f"port {port} is in use on 127.0.0.1" in server.log()
    assert "see 'grpc.host' and 'grpc.port'" in server.log()
