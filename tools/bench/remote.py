"""What remote workers cost: `make bench-remote`.

All of it on this machine, with two nodes of a Ray cluster: no network is between them.

- The round trip of a segment to a model that takes no time: to a local worker, to an actor on the
  same node as the bridge, to one on the other node. The three take turns, so that other load on the
  machine affects them alike.
- CPU of a server and of all its processes with local and with remote workers: both play the same
  streams of real speech in real time at the same time. The model takes no time in either.
- Two servers that share remote workers, with many streams each.
"""

import asyncio
import json
import multiprocessing
import multiprocessing.pool
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console

from streamer.load.generate import generate
from streamer.load.load_report import LoadReport
from streamer.load.plan import LoadPlan
from streamer.version import installed_version
from streamer_client.formats import AudioFormat
from tools.bench.live import RATE, UNLIMITED, Served, joined, machine, recordings
from tools.bench.result_files import Row, table, write_json
from tools.bench.round_trips import NODES, round_trips, trip_rows
from tools.command_line import tool_parser
from tools.harness.process import Server, cpu_s
from tools.harness.ray_cluster import PROGRAM, PYTHON, RayCluster, installed_as, ray_cluster

TARGET = 1.4
"""Of the CPU of a server and its processes with local workers, the most with remote ones."""


@contextmanager
def _serving(model: Mapping[str, object], path: str) -> Iterator[Served]:
    """A server whose Python has Ray."""
    with tempfile.TemporaryDirectory() as folder:
        config = {"model": model, "limits": UNLIMITED, "server": {"log_level": "warning"}}
        env = {"PYTHONPATH": path, "PYTHONWARNINGS": ""}
        running = Server(Path(folder), config, env=env, program=PROGRAM)
        try:
            running.wait_ready()
            url = f"ws://127.0.0.1:{running.port}/api/v1/segmented"
            yield Served(url, running.process.pid)
        finally:
            running.stop()


def play(url: str, pcm: bytes, streams: int, seconds: float) -> LoadReport:
    """Play streams in real time; for a process of its own."""
    return generate(LoadPlan(url, streams, seconds, pcm, AudioFormat(RATE, 1, 16)))


def _play_at_once(
    players: multiprocessing.pool.Pool,
    servers: Sequence[Served],
    pcm: bytes,
    streams: int,
    seconds: float,
) -> list[tuple[LoadReport, float, float]]:
    """Play to all servers at the same time.

    Returns:
        For each, the report, and milliseconds of CPU for a second of audio: of the server's own
        process, and of the processes that it has started.
    """
    before = [(cpu_s(one.process), _children_cpu_s(one)) for one in servers]
    played = [players.apply_async(play, (one.url, pcm, streams, seconds)) for one in servers]
    reports = [each.get() for each in played]
    spent = [(cpu_s(one.process), _children_cpu_s(one)) for one in servers]
    return [
        (
            report,
            1000 * (after[0] - first[0]) / report.audio_s,
            1000 * (after[1] - first[1]) / report.audio_s,
        )
        for report, first, after in zip(reports, before, spent, strict=True)
    ]


def _children_cpu_s(served: Served) -> float:
    return sum(map(cpu_s, served.process.children(recursive=True)))


def _remote(cluster: RayCluster, **settings: object) -> dict[str, object]:
    remote = {"address": cluster.address, "workers": 2, "num_cpus": 1, "only": True}
    return {"type": "standin", "remote": {**remote, "fallback": "none", **settings}}


def server_costs(
    cluster: RayCluster, pcm: bytes, streams: int, seconds: float, rounds: int
) -> list[Row]:
    """CPU of the server with local workers and with remote ones, in the same rounds."""
    with (
        _serving({"type": "standin", "workers": 2}, cluster.path) as local,
        _serving(_remote(cluster), cluster.path) as remote,
        multiprocessing.get_context("spawn").Pool(2) as players,
    ):
        servers = [local, remote]
        _play_at_once(players, servers, pcm, 4, 3.0)
        costs = [_play_at_once(players, servers, pcm, streams, seconds) for _ in range(rounds)]
    for at_once in costs:
        assert all(report.lost == report.unfinished == 0 for report, _, _ in at_once)
    # Of the model's own work there is none, so this is what it costs to reach it.
    ratios = [(far[1] + far[2]) / (near[1] + near[2]) for near, far in costs]
    rows: list[Row] = []
    for number, name in enumerate(("local workers", "remote workers")):
        own = statistics.median(one[number][1] for one in costs)
        others = statistics.median(one[number][2] for one in costs)
        ratio = statistics.median(ratios) if number else 1.0
        rows.append(
            {
                "server with": name,
                "CPU of the server, ms per audio s": round(own, 2),
                "of workers or bridges": round(others, 2),
                "both over local": round(ratio, 2),
                "in the rounds": f"{min(ratios):.2f} to {max(ratios):.2f}" if number else None,
            }
        )
    return rows


def two_servers(cluster: RayCluster, pcm: bytes, streams: int, seconds: float) -> list[Row]:
    """Two servers that share the same remote workers."""
    with ExitStack() as stack:
        shared = _remote(cluster, shared=True)
        servers = [stack.enter_context(_serving(shared, cluster.path)) for _ in range(2)]
        players = stack.enter_context(multiprocessing.get_context("spawn").Pool(2))
        _play_at_once(players, servers, pcm, 4, 3.0)
        played = _play_at_once(players, servers, pcm, streams, seconds)
    rows: list[Row] = []
    for number, (report, own, others) in enumerate(played, 1):
        finals = np.percentile(report.settled_ms, (50, 95)) if report.settled_ms else (0, 0)
        rows.append(
            {
                "server": number,
                "streams": streams,
                "segments": report.events["segment"],
                "errors": report.events["error"],
                "lost": report.lost,
                "`inactive` to `segment`, p50 ms": round(float(finals[0]), 1),
                "p95 ms": round(float(finals[1]), 1),
                "CPU of the server, ms per audio s": round(own, 2),
                "of bridges": round(others, 2),
            }
        )
    return rows


def main() -> int:
    """Print the tables; 1 if the server's CPU misses its target."""
    parser = tool_parser("tools.bench.remote", __doc__)
    parser.add_argument("--trips", type=int, default=200, help="to each kind of worker")
    parser.add_argument("--streams", type=int, default=24, help="to each server, for the CPU")
    parser.add_argument("--many", type=int, default=64, help="to each of two servers")
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    # Bridges of this process import Ray from there.
    sys.path.append(str(next((PYTHON.parents[1] / "lib").glob("python3*/site-packages"))))
    pcm = (np.clip(joined(recordings(None), RATE), -1, 1) * 32767).astype("<i2").tobytes()
    before = machine()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        # All processes have the version of this one, also those that run from the source.
        path = installed_as(installed_version(), Path(folder))
        cluster = stack.enter_context(ray_cluster({"PYTHONPATH": path}))
        for node in NODES:
            cluster.start(node, cpus=2)
        trips = trip_rows(asyncio.run(round_trips(cluster.address, 5.0, args.trips)))
        costs = server_costs(cluster, pcm, args.streams, args.seconds, args.rounds)
        pair = two_servers(cluster, pcm, args.many, args.seconds)
    console = Console(width=140)
    console.print(table("Round trip of a segment of 5 s, no work in the model", trips))
    console.print(table(f"{args.streams} streams to each server, stand-in model", costs))
    console.print(table("Two servers that share two remote workers", pair))
    results = {"machine": before, "trips": trips, "server": costs, "two_servers": pair}
    write_json("remote.json", results)
    ratio = costs[1]["both over local"]
    assert isinstance(ratio, float)
    print(json.dumps({"server CPU over local": ratio, "target": TARGET}))
    return int(ratio > TARGET)


if __name__ == "__main__":
    sys.exit(main())
