"""Everything that can go wrong, at once."""

import asyncio
import contextlib
import random
import time
from collections import Counter

import psutil

from tools.harness.sounds import beckett
from tools.soak.faults import FAULTS, NotCutOff
from tools.soak.on_progress import OnProgress
from tools.soak.played_streams import StreamTally, play, reference
from tools.soak.server_under_test import ServerUnderTest, running
from tools.soak.soak_report import SoakRow
from tools.soak.verdict import judge, restarts

STREAMS = 50
WARM_UP_S = 60.0
MAY_FAIL = frozenset({"worker_lost", "inference_failed", "inference_timeout"})


async def everything(share: float, progress: OnProgress) -> SoakRow:
    """Fifty streams; workers die and hang, models fail, and every third client misbehaves."""
    seconds = 600 * share
    options = {"delay": 0.03, "jitter": 1.0, "failure_rate": 0.003, "crash_rate": 0.003}
    config = {
        "model": {"type": "standin", "options": options},
        "inference": {"workers": 4, "timeout_seconds": 3.0},
        "limits": {
            "max_sessions_per_ip": 0,
            "max_sessions": 48,
            "max_queue_seconds": 2.0,
            "handshake_seconds": 2.0,
            "start_seconds": 2.0,
            "idle_seconds": 5.0,
            "send_timeout_seconds": 3.0,
            "max_lag_seconds": 20.0,
        },
        "server": {"ping_interval_seconds": 5.0, "ping_timeout_seconds": 5.0},
    }
    done: Counter[str] = Counter()
    with running(config) as target:
        tally = StreamTally(await reference(target.port, beckett()))
        problems: list[str] = []
        for warm_up in (True, False):
            # What is allocated once is not what grows.
            if not warm_up:
                before = target.footprint()
            lasts_s = min(WARM_UP_S, seconds / 2) if warm_up else seconds
            counts = StreamTally(tally.reference) if warm_up else tally
            end_s = time.monotonic() + lasts_s
            async with asyncio.TaskGroup() as tasks:
                for slot in range(STREAMS):
                    chance = random.Random(slot)
                    tasks.create_task(_slot(target, counts, chance, end_s, done, problems))
                tasks.create_task(_break_workers(target, end_s, done))
                while not warm_up and (left_s := end_s - time.monotonic()) > 0:
                    progress(1 - left_s / seconds)
                    await asyncio.sleep(0.5)
        row = SoakRow("everything at once", seconds, tally, before=before, problems=problems)
        row.numbers = {**dict(sorted(done.items())), **restarts(target)}
        judge(row, target, may_fail=MAY_FAIL)
    return row


async def _slot(
    target: ServerUnderTest,
    tally: StreamTally,
    chance: random.Random,
    end_s: float,
    done: Counter[str],
    problems: list[str],
) -> None:
    """One session after another, two of three well-behaved; some of those send bad requests too."""
    await asyncio.sleep(chance.uniform(0, 5))
    while time.monotonic() < end_s:
        if chance.random() < 2 / 3:
            await play(target.port, beckett(), tally, probe_every=chance.choice((0, 0, 25)))
            continue
        kind = chance.choice(list(FAULTS))
        done[kind] += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                await FAULTS[kind](target.port, beckett(), chance)
            except NotCutOff as patience:
                problems.append(f"not cut off: {patience}")


async def _break_workers(target: ServerUnderTest, end_s: float, done: Counter[str]) -> None:
    """Kill workers, and stop them for a while, some for longer than they are waited for."""
    chance = random.Random(2)
    while time.monotonic() < end_s:
        await asyncio.sleep(chance.uniform(0.5, 3))
        worker = target.a_worker(chance)
        if worker is None:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            if chance.random() < 3 / 4:
                worker.kill()
                done["workers killed"] += 1
            else:
                worker.suspend()
                done["workers stopped"] += 1
                await asyncio.sleep(chance.uniform(0.2, 4))
                worker.resume()
