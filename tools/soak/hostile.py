"""Requests that are meant to do harm."""

import time
from collections import Counter

from tools.harness.sounds import beckett
from tools.harness.streams import client
from tools.soak.on_progress import OnProgress
from tools.soak.played_streams import reference
from tools.soak.server_under_test import running
from tools.soak.soak_report import SoakRow, percentile
from tools.soak.verdict import judge


async def hostile(share: float, progress: OnProgress) -> SoakRow:
    """Ten thousand hostile starts: each is answered, and leaves no series behind."""
    count = round(10_000 * share)
    answers_ms: list[float] = []
    codes: Counter[str] = Counter()
    with running({"model": {"type": "standin"}}) as target:
        await reference(target.port, beckett())
        before, series, begun_s = target.footprint(), target.series(), time.monotonic()
        async with client(target.port) as socket:
            for number in range(count):
                sent_s = time.monotonic()
                await socket.send_text(_hostile(number))
                kind = None
                while kind not in {"started", "error"}:
                    event = await socket.next_event()
                    kind = event["type"]
                answers_ms.append(1000 * (time.monotonic() - sent_s))
                codes[event.get("code", "started")] += 1
                progress(number / count)
        row = SoakRow("hostile starts", time.monotonic() - begun_s, before=before)
        row.numbers = {
            "sent": count,
            "answered after, p99 ms": round(percentile(answers_ms, 99), 1),
            "at most, ms": round(max(answers_ms), 1),
            "new series": target.series() - series,
        }
        judge(row, target)
    if row.numbers["new series"]:
        row.problems.append("clients can make series")
    if row.numbers["answered after, p99 ms"] > 50:
        row.problems.append("answers took longer than 50 ms")
    return row


def _hostile(number: int) -> str:
    """One of many kinds, each time with other names in it."""
    name = f"x{number}\\r\\nforged"
    good = '"format": {"sample_rate": 16000}'
    return [
        '{"request": "start", "format": {"sample_rate": NaN}}',
        '{"request": "start", "format": {"sample_rate": 1e999}}',
        f'{{"request": "start", "format": {{"sample_rate": 16000, "channels": {10**6 + number}}}}}',
        "[" * 16_000,
        f'{{"request": "start", {good}, "trace_id": "{name}"}}',
        f'{{"request": "start", {good}, "trace_id": "{number + 1:032x}"}}',
        f'{{"request": "start", {good}, "model": "{name}"}}',
        f'{{"request": "{name}"}}',
        f'{{"request": "start", {good}, "{name}": {number}}}',
    ][number % 9]
