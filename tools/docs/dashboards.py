"""Draw the dashboards of `deploy/grafana/` into `docs/pictures`: `make dashboards`.

Grafana is not needed: a real server, under a load that rises beyond what it can do and falls
again, is scraped by a real Prometheus with this repository's configuration, and each panel's own
queries are drawn by a plotting library. For the dashboard of several servers there are two, of
which one ends under load.
"""

import asyncio
import contextlib
import itertools
import random
import signal
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from pathlib import Path

from rich.progress import Progress

from streamer.weights.manifest import require
from streamer_client import connect
from streamer_client.audio import open_audio
from streamer_client.errors import StreamerError
from streamer_client.pacing import delay_s
from tools.command_line import tool_parser
from tools.docs.card import Span
from tools.docs.drawing import draw
from tools.harness.monitoring import DASHBOARDS, ROOT, panels, prometheus
from tools.harness.process import Server, running_server

PICTURES = ROOT / "docs/pictures"
SEVERAL = "servers"
"""The dashboard of several servers."""
FASTER = 7.5
"""A scrape every two seconds."""

PHASES = ((60, 3), (60, 10), (40, 60), (80, 5))
"""Seconds and number of live streams: quiet, busy, too many, quiet."""

CRASH_AT_S = 90
"""When a worker is killed, as the system does when memory runs out."""

SHARED_S, SHARED_STREAMS, DRAIN_AT_S = 100, 24, 60
"""Seconds and streams of the load on two servers, and when the first of them ends."""

OF_TWO = {"inference": {"workers": 1}, "limits": {"max_sessions": 32, "drain_seconds": 10}}
"""Each has half of the cores."""

MISTAKE_EVERY_S = 7
BLOCK_S = 0.1
LONGEST_START_S = 20.0


async def speak(address: str, recording: Path) -> None:
    """Play a recording in real time from some moment on, again and again."""
    with open_audio(recording) as audio:
        blocks = list(audio.blocks(audio.format.block_bytes(BLOCK_S)))
        settings = audio.format.settings()
    first = random.randrange(len(blocks))
    async with connect(
        address, **settings, interim_results=True, timeout_s=LONGEST_START_S
    ) as stream:
        started_s = time.monotonic()
        for sent, block in enumerate(itertools.islice(itertools.cycle(blocks), first, None)):
            await asyncio.sleep(delay_s(started_s, sent * BLOCK_S, time.monotonic()))
            await stream.send(block)
            while await stream.poll() is not None:
                pass


async def keep_speaking(recording: Path, *addresses: str) -> None:
    """Speak, and come back when turned away, to the next address."""
    for address in itertools.cycle(addresses):
        with contextlib.suppress(StreamerError):
            await speak(address, recording)
        await asyncio.sleep(1.0)


async def make_mistakes(address: str) -> None:
    """Send a bad `start` every few seconds."""
    while True:
        await asyncio.sleep(MISTAKE_EVERY_S)
        with contextlib.suppress(StreamerError):
            async with connect(address, vad={"threshold": 2}, timeout_s=LONGEST_START_S):
                pass


async def run_load(server: Server, started_s: float) -> None:
    """Play as many live streams as each phase has; returns after the last phase."""
    segmented, simple = (
        f"ws://127.0.0.1:{server.port}/api/v1/{route}" for route in ("segmented", "simple")
    )
    recording = require("moonshine-tiny-en") / "two_cities.wav"
    ends = list(itertools.accumulate(seconds for seconds, _ in PHASES))
    crashed = False
    speakers: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as tasks:
        others = [
            tasks.create_task(make_mistakes(segmented)),
            tasks.create_task(keep_speaking(recording, simple)),
        ]
        with Progress() as progress:
            bar = progress.add_task("load", total=ends[-1])
            while (passed_s := time.time() - started_s) < ends[-1]:
                target = next(n for end, (_, n) in zip(ends, PHASES, strict=True) if passed_s < end)
                if len(speakers) < target:
                    speakers.append(tasks.create_task(keep_speaking(recording, segmented)))
                for _ in range(len(speakers) - target):
                    speakers.pop().cancel()
                if passed_s > CRASH_AT_S and not crashed:
                    crashed = True
                    server.workers()[0].kill()
                progress.update(bar, completed=passed_s)
                await asyncio.sleep(0.3)
        for task in (*speakers, *others):
            task.cancel()


async def share_load(servers: Sequence[Server], started_s: float) -> None:
    """Play live streams to several servers, and end the first; its streams go to the others."""
    addresses = [f"ws://127.0.0.1:{server.port}/api/v1/segmented" for server in servers]
    recording = require("moonshine-tiny-en") / "two_cities.wav"
    async with asyncio.TaskGroup() as tasks:
        speakers = []
        for number in range(SHARED_STREAMS):
            first = number % len(addresses)
            turned = (*addresses[first:], *addresses[:first])
            speakers.append(tasks.create_task(keep_speaking(recording, *turned)))
            await asyncio.sleep(0.5)
        await asyncio.sleep(max(0.0, started_s + DRAIN_AT_S - time.time()))
        servers[0].send_signal(signal.SIGTERM)
        await asyncio.sleep(max(0.0, started_s + SHARED_S - time.time()))
        for task in speakers:
            task.cancel()


def draw_while(
    servers: Sequence[Server],
    load: Callable[[float], Coroutine[None, None, None]],
    dashboards: Iterable[Path],
) -> None:
    """Watch servers under a load, then draw dashboards of that time."""
    targets = [f"127.0.0.1:{server.port}" for server in servers]
    with (
        tempfile.TemporaryDirectory() as name,
        prometheus(Path(name), {"streamer": targets}, FASTER) as source,
    ):
        if len(targets) > 1:
            source.servers = {at: f"server-{n}:8080" for n, at in enumerate(targets, start=1)}
        time.sleep(source.rate_interval_s)  # the first rates
        started_s = time.time()
        asyncio.run(load(started_s))
        span = Span(started_s, time.time())
        for dashboard in dashboards:
            picture = PICTURES / f"{dashboard.stem}.png"
            draw(panels(dashboard), source, span, picture)
            print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size // 1000} kB")


def main() -> None:
    """Run the loads, then draw."""
    parser = tool_parser("tools.docs.dashboards", __doc__)
    parser.add_argument("--only", choices=("one", "several"), help="of the two loads")
    only = parser.parse_args().only
    PICTURES.mkdir(exist_ok=True)
    others = sorted(path for path in DASHBOARDS.glob("*.json") if path.stem != SEVERAL)
    if only != "several":
        with running_server(None) as server:
            draw_while([server], partial(run_load, server), others)
    if only != "one":
        with running_server(OF_TWO) as first, running_server(OF_TWO) as second:
            servers = (first, second)
            draw_while(servers, partial(share_load, servers), [DASHBOARDS / f"{SEVERAL}.json"])


if __name__ == "__main__":
    main()
