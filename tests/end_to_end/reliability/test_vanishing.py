"""A client from which nothing comes any more, not even the end of its connection.

Server and client live in a network of their own (a Linux network namespace), whose only link is
taken down in mid-stream: from then on every packet is lost, as when a cable is pulled.
"""

import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tools.harness.process import Server, wait_until

CLIENT = """
import asyncio, json, sys
from websockets.asyncio.client import connect

async def main() -> None:
    address = f"ws://127.0.0.1:{sys.argv[1]}/api/v1/simple"
    options = {"compression": None, "ping_interval": None, "proxy": None, "max_queue": None}
    async with connect(address, **options) as socket:
        await socket.send(json.dumps({"request": "start", "format": {"sample_rate": 16000}}))
        for _ in range(20):  # longer than the server waits for a pong
            await socket.send(bytes(3200))
            await asyncio.sleep(0.1)
        print("streaming", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
ALONE = ("unshare", "--map-root-user", "--net")


def inside(server: Server, *command: str) -> list[str]:
    """A command in the server's network."""
    target = ("--target", str(server.process.pid), "--net", "--user", "--preserve-credentials")
    return ["nsenter", *target, *command]


def problem() -> str | None:
    """Why there can be no network of one's own here."""
    missing = [tool for tool in ("unshare", "nsenter", "ip") if not shutil.which(tool)]
    if missing:
        return f"not on this machine: {', '.join(missing)}"
    tried = subprocess.run([*ALONE, "ip", "link", "set", "lo", "up"], capture_output=True)
    return tried.stderr.decode().strip() or None if tried.returncode else None


PROBLEM = problem()


@contextmanager
def streaming(server: Server, client_code: str, port: int) -> Generator[None]:
    """A client in the server's network, in mid-stream: Python code that is told the port."""
    command = inside(server, sys.executable, "-c", client_code, str(port))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        try:
            assert client.stdout is not None
            assert client.stdout.readline() == b"streaming\n"
            yield
        finally:
            client.kill()


@pytest.mark.skipif(PROBLEM is not None, reason=f"no network namespace: {PROBLEM}")
@pytest.mark.parametrize("held_up", [False, True])
def test_a_client_whose_link_is_down_is_given_up(tmp_path: Path, *, held_up: bool) -> None:
    """By the missing pong; and, while nothing is read from it, as nothing is acknowledged."""
    delay = 600 if held_up else 0
    config = {
        "model": {"type": "standin", "options": {"delay": delay}},
        "simple": {"chunk_seconds": 0.1},
        "inference": {"workers": 1, "timeout_seconds": 600, "max_pending_segments": 2},
        "limits": {"idle_seconds": 0, "max_lag_seconds": 0, "max_buffered_bytes": 1_024}
        | {"drain_seconds": 1},
        "server": {"ping_interval_seconds": 0.5, "ping_timeout_seconds": 0.5},
    }
    up = 'ip link set lo up && exec "$@"'
    server = Server(tmp_path, config, wrapper=[*ALONE, "sh", "-c", up, "sh"])
    try:
        wait_until(lambda: "Stop with Ctrl-C." in server.log(), "the server is ready")
        process = psutil.Process(server.process.pid)
        with streaming(server, CLIENT, server.port):
            assert "stream broken off" not in server.log()
            descriptors = process.num_fds()
            subprocess.run(inside(server, "ip", "link", "set", "lo", "down"), check=True)
            wait_until(lambda: process.num_fds() < descriptors, "its descriptor is closed")
            wait_until(lambda: "stream broken off" in server.log(), "its stream is given up")
    finally:
        server.stop()
