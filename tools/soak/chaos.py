"""Workers that are killed, over and over."""

import asyncio
import contextlib
import random
import time

import psutil

from tools.harness.sounds import beckett
from tools.soak.on_progress import OnProgress
from tools.soak.played_streams import StreamTally, play, reference
from tools.soak.server_under_test import running
from tools.soak.soak_report import SoakRow
from tools.soak.verdict import RETRIED, judge, restarts

STREAMS = 12
EVERY_S = 0.15
WORST_S = 2.0


async def chaos(share: float, progress: OnProgress) -> SoakRow:
    """A worker is killed every 150 ms; every segment is delivered, or its retry died too."""
    seconds = 40 * share
    chance = random.Random(1)
    config = {
        "model": {"type": "standin", "options": {"delay": 0.05}},
        "inference": {"workers": 4},
        "limits": {"max_sessions_per_ip": 0, "max_queue_seconds": 0},
    }
    with running(config) as target:
        tally = StreamTally(await reference(target.port, beckett()))
        before = target.footprint()
        killed = 0
        begun_s = time.monotonic()

        async def talk() -> None:
            while time.monotonic() < begun_s + seconds:
                await play(target.port, beckett(), tally)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(STREAMS):
                tasks.create_task(talk())
            while (gone_s := time.monotonic() - begun_s) < seconds:
                progress(gone_s / seconds)
                if worker := target.a_worker(chance, loaded=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        worker.kill()
                        killed += 1
                await asyncio.sleep(EVERY_S)
        row = SoakRow("worker chaos", seconds, tally, before=before)
        row.numbers = {"workers killed": killed, **restarts(target)}
        judge(row, target, may_fail=RETRIED)
    if not killed:
        row.problems.append("no worker was killed: none was seen to load its model")
    if max(tally.settled_ms, default=0) > 1000 * WORST_S:
        row.problems.append(f"a result came later than {WORST_S:g} s after its segment")
    return row
