"""Models on the nodes of a Ray cluster: the same results, and each promise as on this machine."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import psutil

from streamer.version import UNKNOWN
from tests.end_to_end.remote.conftest import LaunchRemote, info, remote
from tests.end_to_end.telemetry.receiver import Receiver, http_receiver
from tools.harness.process import MODEL, TIMEOUT_S, Server, still_running, wait_until
from tools.harness.ray_cluster import RayCluster, installed_as
from tools.harness.sounds import Audio, beckett, silence, two_cities
from tools.harness.streams import client, events_of, findings, stream_audio, transcript

MODELS = "tests.end_to_end.remote.far_models"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_the_same_events_as_with_local_workers(
    transcriber: Server, launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    with http_receiver() as (receiver, endpoint):
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        env["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
        model = {**MODEL, "remote": remote(cluster.address, workers=2)}
        wait_until(lambda: not cluster.actors(), "those of other tests have left their places")
        server = launch_remote({"model": model}, env=env)
        wait_until(lambda: info(server)["remote"]["workers_alive"] == 2, "both are there")
        wished: dict[str, Any] = {"words": True, "keyterms": ["Dickens"], "interim_results": True}
        events = await stream_audio(server, two_cities(), trace_id=TRACE, **wished)
        expected = await stream_audio(transcriber, two_cities(), **wished)
        assert findings(events) == findings(expected)
        assert "best of times" in transcript(events)
        workers = await asyncio.to_thread(_check_nodes, receiver)
    assert info(server)["remote"] == {"workers_wanted": 2, "workers_alive": 2, "standing_in": 0}
    for worker in workers:  # one name in traces, in the log and in metrics
        assert f"worker {worker} (process " in server.log()
    numbers = {worker.removeprefix("moonshine-tiny-en-") for worker in workers}
    assert numbers <= {"0", "1"}
    metrics = server.get("/metrics").text
    segments = len(events_of(events, "segment"))
    finals = sum(
        int(float(line.split()[-1]))
        for line in metrics.splitlines()
        if line.startswith("streamer_node_attempts_total") and 'outcome="ok"' in line
    )
    assert finals >= segments
    cpu = 'streamer_worker_cpu_seconds_total{model="moonshine-tiny-en",worker='
    assert all(f'{cpu}"{number}"' in metrics for number in numbers)
    assert 'streamer_remote_workers{model="moonshine-tiny-en",state="alive"} 2.0' in metrics
    assert 'streamer_node_workers{model="moonshine-tiny-en",node="two"} 1.0' in metrics, "spread"


def _check_nodes(receiver: Receiver) -> set[str]:
    wait_until(
        lambda: any(span.name == "session" for span in receiver.spans),
        "the session's trace is there",
    )
    attempts = [span for span in receiver.spans if span.name == "inference"]
    assert attempts
    assert {span.attributes["streamer.inference.node"] for span in attempts} <= {"one", "two"}
    assert all(psutil.pid_exists(span.attributes["process.pid"]) for span in attempts)
    return {str(span.attributes["streamer.inference.worker"]) for span in attempts}


async def test_an_actor_that_is_killed_costs_no_segment(
    launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    model = {**MODEL, "remote": remote(cluster.address, workers=2)}
    server = launch_remote({"model": model})
    audio = two_cities()
    async with client(server) as socket:
        await socket.start(audio)
        await socket.send(audio.part(0, 5.0))
        await socket.events_until("active")
        cluster.kill(cluster.actors()[:1])
        await socket.send(audio.part(5.0, audio.seconds))
        cluster.kill(cluster.actors()[:1])
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert len(events_of(events, "segment")) == len(events_of(events, "inactive"))
    assert not events_of(events, "error")
    wait_until(lambda: info(server)["remote"]["workers_alive"] == 2, "both are back")
    assert server.end_by_signal(signal.SIGTERM) == 0


async def test_a_server_that_drains_waits_for_what_actors_owe(
    launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    model = {**MODEL, "remote": remote(cluster.address, workers=2)}
    server = launch_remote({"model": model, "limits": {"drain_seconds": 6}})
    audio = two_cities()
    async with client(server) as socket:
        await socket.start(audio)
        await socket.send(audio.part(0, 5.0))
        begun = await socket.events_until("active")
        server.send_signal(signal.SIGTERM)
        events = [*begun, *await socket.events_until_close()]
    assert socket.close_code == 1012
    assert [event["type"] for event in events if event["type"] in ("going_away", "stopped")] == [
        "going_away",
        "stopped",
    ]
    assert len(events_of(events, "segment")) == len(events_of(events, "active")) > 0
    assert not events_of(events, "error")
    assert await asyncio.to_thread(server.process.wait, TIMEOUT_S) == 0


async def test_a_model_that_raises_there_fails_its_segment_and_says_where(
    launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    config = {
        "model": {"type": f"{MODELS}:Raising", "remote": remote(cluster.address)},
        "simple": {"chunk_seconds": 0.5},
    }
    server = launch_remote(config)
    quiet, loud = silence(0.5).data, b"\xff\x7f\x01\x80" * 4_000
    events = await stream_audio(server, Audio(quiet + loud + quiet), "simple")
    assert [event["type"] for event in events[1:-1]] == ["segment", "error", "segment"]
    first, error, last = events[1:-1]
    assert error["code"] == "inference_failed"
    assert "too loud" in server.log()
    assert "far_models.py" in server.log()
    assert first["pid"] == last["pid"], "the actor lives on"
    assert first["pid"] in {actor.pid for actor in cluster.actors()}
    assert server.get("/api/v1/info").json()["inference"]["workers_replaced"]["died"] == 0


async def test_the_state_of_a_channel_travels_from_node_to_node(
    launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    config = {
        "model": {"type": f"{MODELS}:Counting", "remote": remote(cluster.address, workers=2)},
        "simple": {"chunk_seconds": 0.25},
    }
    server = launch_remote(config)
    wait_until(lambda: info(server)["remote"]["workers_alive"] == 2, "both are there")
    events = await stream_audio(server, silence(4), "simple")
    assert [event["count"] for event in events_of(events, "segment")] == list(range(1, 17))


async def test_workers_without_room_wait_and_the_others_serve(
    launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    """Of one model some have room; of the other none ever will, and it has a local worker."""
    some = remote(cluster.address, workers=3, num_cpus=2)
    none = {"address": cluster.address, "resources": {"nowhere": 1}}
    models = [
        {"name": "some", "type": "standin", "remote": some},
        {"name": "none", "type": "standin", "workers": 1, "remote": none},
    ]
    wait_until(lambda: not cluster.actors(), "those of other tests have left their places")
    server = launch_remote({"models": models}, ready=False)
    wait_until(lambda: info(server, 1)["inference"]["workers_alive"] == 1, "a local one is there")
    waits = "waits for a node of the cluster with 2 CPU to spare"
    never = "with 1 CPU, 1 nowhere to spare: no node of the cluster can ever have that, unless"
    wait_until(lambda: server.log().count(waits) == 1, "one of three waits")
    wait_until(lambda: info(server)["remote"]["workers_alive"] == 2, "the others are there")
    wait_until(lambda: never in server.log(), "the one of the other model waits")
    (line,) = [line for line in server.log().splitlines() if never in line]
    assert '"level": "warning"' in line
    assert "2 CPU, 0 nowhere" in line, "what the largest node has"
    assert "none-1 waits for a node" in line, "named as in metrics: the local one is none-0"
    metrics = server.get("/metrics").text
    assert 'streamer_remote_workers{model="some",state="waiting"} 1.0' in metrics
    events = await stream_audio(server, silence(1), "simple")
    assert len(events_of(events, "segment")) == 1
    assert server.get("/api/v1/ready").json() == {"status": "ready", "workers": 3}
    ready = "Ready: some, none in 1 worker process and "
    assert ready in server.log()
    assert "still to come." in server.log()
    assert info(server, 1)["remote"]["standing_in"] == 0
    loaded = server.log().count("is loaded and warm")
    cluster.kill(cluster.actors()[:1])
    wait_until(lambda: server.log().count("is loaded and warm") > loaded, "it has got room")
    assert "could not load" not in server.log()


async def test_an_early_final_that_is_abandoned_stops_the_actor(
    launch_remote: LaunchRemote, cluster: RayCluster, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    model = {
        "type": f"{MODELS}:Patient",
        "options": {"notes": str(notes)},
        "remote": remote(cluster.address),
    }
    server = launch_remote({"model": model})
    audio = beckett()
    async with client(server) as socket:
        await socket.start(audio)
        # In real time, so that the pause is seen as one; then speech resumes within it.
        for start_s in range(40):
            await socket.send(audio.part(start_s / 10, start_s / 10 + 0.1))
            await asyncio.sleep(0.05)
            if notes.exists():
                break
        socket.abort()
    wait_until(lambda: notes.exists() and notes.read_text() == "abandoned", "the actor has stopped")
    assert len(list(cluster.actors())) == 1


async def test_one_worker_with_a_resource_batches_the_streams_of_two_servers(
    launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    """A GPU is such a resource; here it is the name of a node."""
    settings = remote(cluster.address, num_cpus=0, resources={"two": 100}, shared=True)
    config = {
        "model": {"type": f"{MODELS}:Batching", "remote": settings},
        "simple": {"chunk_seconds": 0.25},
    }
    servers = [launch_remote(config), launch_remote(config)]
    async with asyncio.TaskGroup() as tasks:
        streams = [
            tasks.create_task(stream_audio(server, silence(5), "simple")) for server in servers
        ]
    segments = [events_of(stream.result(), "segment") for stream in streams]
    assert [len(of_stream) for of_stream in segments] == [20, 20]
    pids = {segment["pid"] for of_stream in segments for segment in of_stream}
    assert len(pids) == 1, "all on the one worker"
    (actor,) = [actor for actor in cluster.actors() if actor.pid in pids]
    assert max(segment["batch"] for of_stream in segments for segment in of_stream) > 1
    servers[0].stop()
    events = await stream_audio(servers[1], silence(1), "simple")
    assert {segment["pid"] for segment in events_of(events, "segment")} == pids, "it stays"
    assert still_running([actor]) == [actor]
    servers[1].stop()
    os.kill(actor.pid, signal.SIGKILL)


def test_a_node_with_another_version_is_refused_in_one_line(
    launch_remote: LaunchRemote, cluster: RayCluster, tmp_path: Path
) -> None:
    path = installed_as("9.9.9", tmp_path / "other")
    # Without CPUs: no worker of another test is placed there.
    cluster.start("three", cpus=0, resources={"other": 1}, env={"PYTHONPATH": path})
    settings = remote(cluster.address, num_cpus=0, resources={"other": 1}, fallback="local")
    server = launch_remote({"model": {"type": "standin", "remote": settings}})
    (line,) = [line for line in server.log().splitlines() if "versions differ" in line]
    assert f"here Streamer {UNKNOWN}, Ray " in line, "it runs from its source"
    assert "on node three Streamer 9.9.9, Ray " in line
    assert info(server)["remote"] == {"workers_wanted": 1, "workers_alive": 0, "standing_in": 1}
