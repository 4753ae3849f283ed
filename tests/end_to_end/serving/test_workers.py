"""A worker that is killed is replaced, and no segment is lost."""

import asyncio

import psutil

from tests.end_to_end.conftest import Launch
from tools.harness.process import Server, cpu_s, still_running, wait_until
from tools.harness.sounds import beckett, silence
from tools.harness.streams import client, events_of, stream_audio


async def test_idle_workers_that_are_killed_are_replaced(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "inference": {"workers": 2}})
    before = server.workers()
    for worker in before:
        worker.kill()
    wait_until(lambda: not still_running(before), "they are dead")
    events = await stream_audio(server, beckett())
    assert len(events_of(events, "segment")) == 6
    await asyncio.to_thread(_wait_for_new_workers, server, [w.pid for w in before], 2)


async def test_a_busy_worker_that_is_killed_loses_no_segment(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 1, "busy": True}}
    server = launch({"model": model, "inference": {"workers": 1}})
    (worker,) = server.workers()
    spent_s = cpu_s(worker)
    async with client(server, "simple") as socket:
        await socket.start()
        await socket.send(silence(2).data)
        wait_until(lambda: cpu_s(worker) > spent_s + 0.3, "the worker is busy")
        worker.kill()
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert [event["count"] for event in events_of(events, "segment")] == [16_000, 16_000]
    assert not events_of(events, "error")
    await asyncio.to_thread(_wait_for_new_workers, server, [worker.pid], 1)


async def test_workers_replaced_after_their_share_of_jobs_leave_nothing(launch: Launch) -> None:
    model = {"type": "standin"}
    server = launch({"model": model, "inference": {"workers": 1, "max_jobs_per_worker": 2}})
    process = psutil.Process(server.process.pid)
    await stream_audio(server, silence(3), "simple")
    wait_until(lambda: len(process.net_connections("tcp")) == 1, "the socket is closed")
    (worker,), descriptors = server.workers(), process.num_fds()
    events = await stream_audio(server, silence(8), "simple")
    assert events[-1]["segments"] == 8
    await asyncio.to_thread(_wait_for_new_workers, server, [worker.pid], 1)
    wait_until(lambda: process.num_fds() == descriptors, "its descriptors are closed")
    assert len(server.workers()) == 1


def _wait_for_new_workers(server: Server, old: list[int], count: int) -> None:
    def replaced() -> bool:
        ready = server.get("/api/v1/ready").json()["workers"] == count
        return ready and not {worker.pid for worker in server.workers()}.intersection(old)

    wait_until(replaced, "the killed workers are replaced")
