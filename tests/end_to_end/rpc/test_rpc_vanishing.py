"""A client from which nothing comes any more, not even the end of its connection.

As `reliability/test_vanishing.py`: the link of a network of their own is taken down in mid-stream.
"""

import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.reliability.test_vanishing import ALONE, PROBLEM, inside, streaming
from tests.end_to_end.rpc.rpc_call import with_port
from tools.harness.process import Server, wait_until

CLIENT = """
import asyncio, sys
import grpc.aio
from streamer.rpc.descriptors import message_class

request = message_class("streamer.v1.StreamRequest")

async def main() -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
        method = "/streamer.v1.Streaming/StreamChunks"
        call = channel.stream_stream(method, request.SerializeToString)()
        await call.write(request(start={"format": {"sample_rate": 16000}}))
        for _ in range(10):
            await call.write(request(audio=bytes(3200)))
        print("streaming", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.skipif(PROBLEM is not None, reason=f"no network namespace: {PROBLEM}")
@pytest.mark.parametrize("held_up", [False, True])
def test_a_client_whose_link_is_down_is_given_up(tmp_path: Path, *, held_up: bool) -> None:
    """By the ping that is not acknowledged, also while nothing is read from its call."""
    delay = 600 if held_up else 0
    config = with_port(
        {
            "model": {"type": "standin", "options": {"delay": delay}},
            "simple": {"chunk_seconds": 0.1},
            "inference": {"workers": 1, "timeout_seconds": 600, "max_pending_segments": 2},
            "limits": {"idle_seconds": 0, "max_lag_seconds": 0, "max_buffered_bytes": 1_024}
            | {"drain_seconds": 1},
            "server": {"ping_interval_seconds": 1, "ping_timeout_seconds": 1},
        }
    )
    up = 'ip link set lo up && exec "$@"'
    server = Server(tmp_path, config, wrapper=[*ALONE, "sh", "-c", up, "sh"])
    try:
        wait_until(lambda: "Stop with Ctrl-C." in server.log(), "the server is ready")
        with streaming(server, CLIENT, config["grpc"]["port"]):
            assert "stream broken off" not in server.log()
            subprocess.run(inside(server, "ip", "link", "set", "lo", "down"), check=True)
            wait_until(lambda: "stream broken off" in server.log(), "its stream is given up")
    finally:
        server.stop()
