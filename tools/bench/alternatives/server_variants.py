"""The whole server, or its sockets alone, made or set otherwise."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
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

READING = {
    "as it is": "",
    "into a buffer": """
import asyncio
from streamer.websocket.connection import WebSocketConnection

buffer = memoryview(bytearray(1 << 18))
WebSocketConnection.__bases__ = (asyncio.BufferedProtocol,)
WebSocketConnection.get_buffer = lambda self, size: buffer
WebSocketConnection.buffer_updated = lambda self, size: self._reader.feed(bytes(buffer[:size]))
""",
    "after pauses of 2 ms": """
import time
from streamer.websocket.connection import WebSocketConnection

begin, begun = WebSocketConnection.connection_made, []

def pause(loop):
    time.sleep(0.002)
    loop.call_soon(pause, loop)

def connection_made(self, transport):
    begin(self, transport)
    if not begun:
        begun.append(self)
        self._loop.call_soon(pause, self._loop)

WebSocketConnection.connection_made = connection_made
""",
}
"""Code that reads sockets in other ways: with `recv_into`, and many of them at each wake."""

WAITING = {
    f"{seconds:g} s, {share:g}": (
        "import streamer.pipeline.speech_channel as c, streamer.pipeline.stream as s; "
        f"c.MAX_DETECTION_DELAY_S = {seconds}; s.JOIN_SHARE = {share}"
    )
    for seconds in (0.3, 0.45)
    for share in (0.5, 0.75)
}
"""Code for the longest wait of a channel, and for the share of it after which it may join."""

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
    return _in_turn("collector", COLLECTORS, 60)


def reading() -> list[Row]:
    """The whole server with 100 streams, that reads its sockets in other ways, in turn."""
    return _in_turn("sockets are read", READING, 100)


def waiting() -> list[Row]:
    """The whole server with 100 streams, whose channels wait shorter or longer, in turn."""
    return _in_turn("longest wait, share to join", WAITING, 100)


def _in_turn(what: str, variants: Mapping[str, str], streams: int) -> list[Row]:
    """Three rounds of each variant, by its code, alternating."""
    audio = joined(read(None), RATE)
    spent: dict[str, list[float]] = {name: [] for name in variants}
    active_ms: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(3):
        for name, code in variants.items():
            with _started_with(code) as env, serve(STAND_IN, env) as served:
                run = served.play(audio, RATE, streams, 8)
            spent[name].append(run.steady_ms(streams))
            active_ms[name] += run.report.active_ms
    return [
        {
            what: name,
            "CPU ms per audio s": [round(each, 2) for each in spent[name]],
            "active p95 ms": percentiles(active_ms[name])["p95"],
        }
        for name in variants
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
