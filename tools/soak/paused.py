"""Workers that are stopped."""

import asyncio
import contextlib
import signal
import time

from tools.harness.sounds import beckett, silence
from tools.harness.streams import client
from tools.soak.on_progress import OnProgress
from tools.soak.played_streams import StreamTally, play, reference
from tools.soak.server_under_test import running
from tools.soak.soak_report import SoakRow
from tools.soak.verdict import judge


async def paused(share: float, progress: OnProgress) -> SoakRow:
    """All workers are stopped for a minute: clients that outrun them get 1013, others go on."""
    seconds = 60 * share
    config = {
        "model": {"type": "standin"},
        "inference": {"workers": 2, "timeout_seconds": 90.0},
        "limits": {"max_lag_seconds": seconds / 2, "idle_seconds": 0},
        "server": {
            "ping_interval_seconds": seconds / 3,
            "ping_timeout_seconds": seconds / 3,
        },
    }
    with running(config) as target:
        tally = StreamTally(await reference(target.port, beckett()))
        before, begun_s = target.footprint(), time.monotonic()
        workers = target.server.workers()
        outrun: list[int | None] = []

        async def outruns() -> None:
            async with client(target.port, "simple") as socket:
                await socket.start()
                await socket.events_until("started")
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(seconds / 4):
                        await socket.send(silence(600).data)
                events = await socket.events_until_close()
                codes = [event["code"] for event in events if event["type"] == "error"]
                outrun.append(socket.close_code if codes == ["overloaded"] else None)

        async with asyncio.TaskGroup() as tasks:
            for worker in workers:
                worker.send_signal(signal.SIGSTOP)
            for _ in range(5):
                tasks.create_task(play(target.port, beckett(), tally))
                tasks.create_task(outruns())
            for done in range(100):
                progress(done / 100)
                await asyncio.sleep(seconds / 100)
            for worker in workers:
                worker.send_signal(signal.SIGCONT)
        row = SoakRow("paused pipeline", time.monotonic() - begun_s, tally, before=before)
        row.numbers = {"closed with 1013": outrun.count(1013), "of": len(outrun)}
        judge(row, target)
    if set(outrun) != {1013}:
        row.problems.append(f"clients that outran the server were closed with {outrun}")
    return row
