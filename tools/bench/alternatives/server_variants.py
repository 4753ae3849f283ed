"""The whole server, or its sockets alone, made or set otherwise."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from streamer_client.errors import CannotConnect
from tools.bench import floor
from tools.bench.live import RATE, STAND_IN, joined, serve
from tools.bench.live import recordings as read
from tools.bench.measurements import live_row
from tools.bench.result_files import Row, percentiles

COLLECTORS = {
    "as it is": "",
    "thresholds ×100": "import gc; gc.set_threshold(70_000, 100, 100)",
    "off": "import gc; gc.disable()",
}

ALONE = "import streamer.vad.batching as b; b.STREAMS_PER_BATCH = 0"
"""Code that keeps idle channels from joining the detector batches of others."""


def sockets() -> list[Row]:
    """The same app under each implementation and event loop."""
    cases = [
        (implementation, loop)
        for implementation in ("websockets-sansio", "websockets", "wsproto", "streamer")
        for loop in ("uvloop", "asyncio")
    ]
    rows: list[Row] = []
    for implementation, loop in cases:
        try:
            cost: float | None = round(floor.played(implementation, loop), 2)
        except (OSError, ValueError, IndexError, CannotConnect):
            cost = None  # not installed
        rows.append({"WebSocket": implementation, "loop": loop, "CPU ms per audio s": cost})
    return rows


def hops() -> list[Row]:
    """Each message handed from task to task through more and more queues."""
    return [
        {"queues": count, "CPU ms per audio s": round(floor.played("streamer", hops=count), 2)}
        for count in (0, 1, 2, 3)
    ]


def collectors() -> list[Row]:
    """The whole server under other settings of the garbage collector, in turn."""
    audio = joined(read(None), RATE)
    spent: dict[str, list[float]] = {name: [] for name in COLLECTORS}
    for _ in range(3):
        for name, code in COLLECTORS.items():
            with _started_with(code) as env, serve(STAND_IN, env) as served:
                spent[name].append(served.play(audio, RATE, 60, 8).steady_ms(60))
    return [
        {"collector": name, "CPU ms per audio s": [round(each, 2) for each in spent[name]]}
        for name in COLLECTORS
    ]


def batching() -> list[Row]:
    """60 streams whose channels join the batches of others, or do not."""
    audio = joined(read(None), RATE)
    rows: list[Row] = []
    for joins, gather_ms in ((False, 10), (False, 5), (True, 10), (True, 5), (True, 0)):
        vad = {"engine": "silero", "gather_ms": gather_ms}
        with (
            _started_with("" if joins else ALONE) as env,
            serve({**STAND_IN, "vad": vad}, env) as served,
        ):
            run = served.play(audio, RATE, 60, 12)
        active = percentiles(run.report.active_ms)
        rows.append(
            {
                "joined batches": joins,
                "gather_ms": gather_ms,
                "CPU ms per audio s": round(run.steady_ms(60), 2),
                "active p50 ms": active["p50"],
                "active p95 ms": active["p95"],
            }
        )
    return rows


def padding() -> list[Row]:
    """Finals of 32 live streams by the silence they hold, which decides when they may begin."""
    rows: list[Row] = []
    speech = joined(read(None), RATE)
    for milliseconds in (200, 250, 350, 450):
        with serve({"vad": {"suffix_padding_ms": milliseconds}}) as served:
            run = served.play(speech, RATE, 32, 20)
            counted = served.inference_counters()
        row = live_row(run, 32, interims=False)
        rows.append(
            {
                "suffix_padding_ms": milliseconds,
                "used": counted["early_used"],
                "in vain": counted["early_wasted"],
                **{key: row[key] for key in row if str(key).startswith("final ")},
                "CPU ms per speech s": row["CPU ms per speech s"],
            }
        )
    return rows


@contextlib.contextmanager
def _started_with(code: str) -> Iterator[dict[str, str]]:
    """The environment of a server that runs some code before its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(code)
        paths = [folder, *filter(None, (os.environ.get("PYTHONPATH"),))]
        yield {"PYTHONPATH": os.pathsep.join(paths)}
