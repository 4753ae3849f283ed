"""Parts of a cluster die in mid-stream, or there is none: no segment is lost, nor the server."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.end_to_end.http.posting import post, wav
from tests.end_to_end.remote.conftest import LaunchRemote, info, remote
from tools.harness.json_socket import Event
from tools.harness.ports import free_port
from tools.harness.process import MODEL, Server, wait_until
from tools.harness.ray_cluster import ray_cluster
from tools.harness.sounds import silence, two_cities
from tools.harness.streams import client, events_of, stream_audio

STREAMS = 4

PATIENT_S = 180.0
"""Starting a cluster, and workers that import Ray, takes CPU, of which there is little beside other
tests: there, a minute was not enough."""

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


async def speak_during(server: Server, *happens: Callable[[], object]) -> list[Event]:
    """Several streams of real speech, faster than in real time, in whose middle something happens.

    Args:
        server: Where to.
        happens: Called one after another. All streams have spoken before each, and go on after it.

    Returns:
        The events of all.
    """
    audio = two_cities()
    ready = asyncio.Barrier(STREAMS + 1)
    done = asyncio.Barrier(STREAMS + 1)
    part_s = audio.seconds / (len(happens) + 1)

    async def speak() -> list[Event]:
        async with client(server) as socket:
            await socket.start(audio, interim_results=True)
            for number in range(len(happens)):
                await socket.send(audio.part(number * part_s, (number + 1) * part_s))
                if not number:
                    await socket.events_until("active")
                await ready.wait()
                await done.wait()
            await socket.send(audio.part(len(happens) * part_s, audio.seconds))
            await socket.send_request("stop", disconnect=True)
            return await socket.events_until_close()

    async with asyncio.TaskGroup() as tasks:
        streams = [tasks.create_task(speak()) for _ in range(STREAMS)]
        for happen in happens:
            await ready.wait()
            await asyncio.to_thread(happen)
            await done.wait()
    return [event for stream in streams for event in stream.result()]


def check_nothing_lost(events: list[Event]) -> None:
    assert not events_of(events, "error")
    assert len(events_of(events, "stopped")) == STREAMS
    assert len(events_of(events, "segment")) >= STREAMS
    # One `active` of each stream was read while it was waited for.
    assert len(events_of(events, "segment")) == len(events_of(events, "inactive"))


def remote_alive(server: Server) -> int:
    alive: int = info(server)["remote"]["workers_alive"]
    return alive


def check_refusals(server: Server) -> None:
    """Wait until new streams are refused, and see that every refusal says what ready says."""
    wait_until(
        lambda: server.get("/api/v1/simple", **UPGRADE).status == 503, "it refuses new streams"
    )
    reason = server.get("/api/v1/ready").json()["reason"]
    assert reason == "waiting for remote workers; the log has the reason"
    sockets = ("/api/v1/segmented", "/v1/listen", "/v2/listen", "/v1/realtime", "/v3/ws", "/vosk")
    for path in sockets:
        answer = server.get(path, **UPGRADE)
        assert answer.status == 503, path
        assert f"the server is not ready: {reason}" in answer.text, path
    for path in ("/api/v1/analyze", "/v1/listen"):
        answer = post(server, path, wav(np.zeros(16_000)), "audio/wav")
        assert answer.status == 503, path
        assert reason in answer.text, path


@pytest.mark.timeout(420)
async def test_whatever_part_of_the_cluster_dies_nothing_is_lost_and_it_comes_back(
    launch_remote: LaunchRemote, with_ray: None
) -> None:
    with ray_cluster() as cluster:
        head = cluster.start("one", cpus=1)
        second = cluster.start("two", cpus=1)
        settings = {"address": cluster.address, "workers": 3, "connect_seconds": 1.0}
        server = launch_remote({"model": {**MODEL, "workers": 1, "remote": settings}})
        only = remote(cluster.address, num_cpus=0, connect_seconds=1.0)
        limits = {"max_queue_seconds": 0.2, "max_lag_seconds": 0}
        other = launch_remote({"model": {"type": "standin", "remote": only}, "limits": limits})
        wait_until(lambda: remote_alive(server) == 2, "two remote workers are there", PATIENT_S)
        wait_until(lambda: "with 1 CPU to spare" in server.log(), "the third one waits for room")

        def stands_in() -> None:
            wait_until(lambda: info(server)["remote"]["standing_in"] > 0, "a local one stands in")

        async with client(other, "simple") as socket:
            await socket.start()
            check_nothing_lost(
                await speak_during(
                    server,
                    lambda: cluster.kill([second.only("raylet")]),
                    lambda: cluster.kill([head.only("raylet")]),
                    lambda: cluster.kill([head.only("gcs_server")]),
                    stands_in,
                )
            )
            refused = "cannot be reached: Connection refused"
            wait_until(lambda: refused in server.log(), "a bridge that began after that says so")
            await socket.send(silence(3).data)
            await asyncio.to_thread(check_refusals, other)
            # Within the 60 s in which Ray waits for its head, and so would the bridge without room.
            await asyncio.to_thread(cluster.restart, "one", cpus=3)
            await socket.send_request("stop", disconnect=True)
            assert len(events_of(await socket.events_until_close(), "segment")) == 3
        wait_until(lambda: remote_alive(server) == 3, "remote, the one that waited too", PATIENT_S)
        wait_until(lambda: info(server)["remote"]["standing_in"] == 0, "none stands in")
        check_nothing_lost(await speak_during(server, cluster.kill_all))
        assert "could not load" not in server.log()
        assert server.end_by_signal(signal.SIGTERM) == 0


def test_an_address_where_nobody_listens_is_no_reason_to_end(launch_remote: LaunchRemote) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    settings: dict[str, Any] = {"address": nowhere, "workers": 2}
    server = launch_remote({"model": {"type": "standin", "workers": 1, "remote": settings}})
    line = f"{nowhere} cannot be reached: Connection refused"
    wait_until(lambda: line in server.log(), "the log says why")
    wait_until(lambda: info(server)["remote"]["workers_alive"] == 0, "none is remote")
    assert server.end_by_signal(signal.SIGTERM) == 0


def test_without_fallback_and_local_workers_the_server_waits_and_says_so(
    launch_remote: LaunchRemote,
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    config = {"model": {"type": "standin", "remote": remote(nowhere, workers=2)}}
    server = launch_remote(config, ready=False)
    wait_until(
        lambda: server.log().count(f"{nowhere} cannot be reached: Connection refused") == 2,
        "each says why, once",
    )
    answer = server.get("/api/v1/ready")
    assert answer.status == 503
    assert answer.json()["reason"] == "waiting for remote workers; the log has the reason"
    assert nowhere not in answer.text
    assert server.end_by_signal(signal.SIGTERM) == 0


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """The address of one that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in held:
            connection.close()


async def test_an_address_that_says_nothing_is_left_after_connect_seconds(
    launch_remote: LaunchRemote,
) -> None:
    with silent_server() as address:
        settings = remote(address, connect_seconds=0.5, fallback="local")
        server = launch_remote({"model": {"type": "standin", "remote": settings}})
        assert f"{address} did not answer within 0.5 s (remote.connect_seconds)" in server.log()
        assert info(server)["remote"] == {
            "workers_wanted": 1,
            "workers_alive": 0,
            "standing_in": 1,
        }
        events = await stream_audio(server, two_cities(), "simple")
        assert not events_of(events, "error")
        assert server.end_by_signal(signal.SIGTERM) == 0
