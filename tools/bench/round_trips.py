"""Round trips of a segment to workers here and on the nodes of a Ray cluster."""

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import psutil

from streamer.config.remote import RemoteConfig
from streamer.inference import ipc
from streamer.inference.worker_process import WorkerProcess
from streamer.inference.worker_program import LOCAL, Program, new_slot
from streamer.models.registry import ModelSpec
from streamer.remote import bridge
from streamer.remote.plan import RemotePlan
from tools.bench.live import RATE
from tools.bench.result_files import Row
from tools.harness.process import cpu_s

NODES = ("one", "two")
"""The bridges of this machine use the first, which has the head."""

STAND_IN = ModelSpec("standin", "standin")


@dataclass
class Trips:
    """Round trips to one kind of worker.

    Attributes:
        milliseconds: Of each.
        cpu_s: Of the worker's process on the server's machine, during all trips: for a remote
            worker, its bridge.
        memory_bytes: That only this process has.
    """

    milliseconds: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    memory_bytes: int = 0


def _program(address: str, node: str) -> Program:
    remote = RemoteConfig(address=address, num_cpus=0, resources={node: 1})
    return Program(functools.partial(bridge.run, RemotePlan(remote, 0, 30.0)), remote=True)


async def round_trips(address: str, segment_s: float, count: int) -> dict[str, Trips]:
    """Send a segment to each kind of worker in turn.

    Args:
        address: Of the cluster.
        segment_s: Seconds of the segment.
        count: Trips to each.
    """
    programs = {"local worker": LOCAL}
    for node, name in zip(NODES, ("actor, same node", "actor, other node"), strict=True):
        programs[name] = _program(address, node)
    samples = np.zeros(round(segment_s * RATE), np.float32)
    workers = {
        name: await WorkerProcess.launch(STAND_IN, number, new_slot(), program)
        for number, (name, program) in enumerate(programs.items())
    }
    trips = {name: Trips() for name in workers}
    try:
        for worker in workers.values():
            await worker.loaded()
        processes = {name: psutil.Process(worker.pid) for name, worker in workers.items()}
        before_s = {name: cpu_s(process) for name, process in processes.items()}
        for _ in range(count):
            for name, worker in workers.items():
                begun_s = time.perf_counter()
                await worker.infer([[samples]], [None], [ipc.DEFAULT_REQUEST])
                trips[name].milliseconds.append(1000 * (time.perf_counter() - begun_s))
        for name, process in processes.items():
            trips[name].cpu_s = cpu_s(process) - before_s[name]
            trips[name].memory_bytes = process.memory_full_info().uss
    finally:
        for worker in workers.values():
            await worker.end(at_once=True)
    return trips


def trip_rows(trips: Mapping[str, Trips]) -> list[Row]:
    """Percentiles of the trips, and what the process on the server's machine costs."""
    rows: list[Row] = []
    for name, made in trips.items():
        p50, p95 = np.percentile(made.milliseconds, (50, 95))
        rows.append(
            {
                "to": name,
                "p50 ms": round(float(p50), 2),
                "p95 ms": round(float(p95), 2),
                "CPU of its process here, ms": round(1000 * made.cpu_s / len(made.milliseconds), 2),
                "memory of it, MB": round(made.memory_bytes / 1e6),
            }
        )
    return rows
