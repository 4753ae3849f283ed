"""Clients that connect, send a little and reset the connection."""

import asyncio
import time

from tools.harness.raw import BINARY, frame
from tools.harness.sounds import beckett
from tools.soak.faults import upgraded
from tools.soak.on_progress import OnProgress
from tools.soak.server_under_test import running
from tools.soak.soak_report import SoakRow
from tools.soak.verdict import judge

GROWTH_MB = 5.0


async def churn(share: float, progress: OnProgress) -> SoakRow:
    """Sockets are reset in mid-stream, three thousand of them; nothing of them stays."""
    sockets, at_once = round(3_000 * share), 20
    with running({"model": {"type": "standin"}, "limits": {"max_sessions_per_ip": 0}}) as target:
        audio = beckett().data[:32_000]

        async def one() -> None:
            async with upgraded(target.port) as (_, writer):
                for first in range(0, len(audio), 6_400):
                    writer.write(frame(BINARY, audio[first : first + 6_400]))
                await writer.drain()

        async def some(count: int) -> None:
            for first in range(0, count, at_once):
                await asyncio.gather(*(one() for _ in range(at_once)))
                progress(first / count)

        await some(max(600, round(4_000 * share)))  # until the allocator has grown
        before, begun_s = target.footprint(), time.monotonic()
        await some(sockets)
        row = SoakRow("churn", time.monotonic() - begun_s, before=before)
        row.numbers = {"sockets reset": sockets}
        judge(row, target, growth_mb=GROWTH_MB)
    return row
