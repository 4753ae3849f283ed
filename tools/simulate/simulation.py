"""Runs a case in simulated time: streams at servers that are all alike."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simpy

from streamer.load.plan import LoadPlan
from streamer.vad.silero_network import SAMPLE_RATE
from streamer_client.formats import AudioFormat
from tools.bench.result_files import Row, percentiles
from tools.simulate.costs import Costs
from tools.simulate.speakers import Crowd, SimulatedFinal
from tools.simulate.speech import SpeechLoop
from tools.simulate.workers import Process, Workers

ROUNDS = 20
"""Runs of each case, with other places in the recordings; the first has those of `make bench`."""

BENCH_S = 30.0
"""Seconds that `make bench` plays live streams for."""

PLAN = LoadPlan("", 0, BENCH_S, b"", AudioFormat(SAMPLE_RATE, 1, 16))
"""As `make bench` plays; its address and audio are not used."""


@dataclass(frozen=True)
class Case:
    """Streams at servers that are all alike.

    Attributes:
        streams: Of all servers.
        servers: How many there are.
        workers: Of each server.
        shared: Whether the workers of a server share as many cores with its process and the load
            generator, as in `make bench`; if not, each has a core of its own.
        hop_s: From a server to a worker and back.
        seconds: That each stream plays.
        server_ends_s: When the first server ends without a drain; None = never.
        workers_lost_s: When half of the workers of the first server are gone, and when they are
            back; None = never.
    """

    streams: int
    servers: int = 1
    workers: int = 2
    shared: bool = False
    hop_s: float = 0.0
    seconds: float = BENCH_S
    server_ends_s: float | None = None
    workers_lost_s: tuple[float, float] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a case came to: its finals, and the CPU in seconds for a second of audio."""

    finals: Sequence[SimulatedFinal]
    cpu: float
    utilisation: float
    """The part of their time that workers compute."""
    in_vain: float
    """The part of that for early finals that were not used."""

    def latencies_ms(self, since_s: float = 0.0, until_s: float = float("inf")) -> list[float]:
        """Of the finals whose speech ended in between."""
        return [
            1_000 * final.latency_s for final in self.finals if since_s <= final.spoken_s < until_s
        ]


def run(case: Case, loop: SpeechLoop, costs: Costs, seed: int) -> Outcome:
    """Simulate a case.

    Args:
        case: What there is.
        loop: What the streams say.
        costs: Of what is said.
        seed: Of the places in the recordings and the moments at which the streams begin: the same
            as those of the load generator with this seed.
    """
    environment = simpy.Environment()

    def others(streams: int) -> float:
        return streams * (costs.server_of(streams) + costs.generator)

    servers = [
        Workers(
            environment,
            case.workers,
            cores=case.workers if case.shared else None,
            crowded=costs.crowded,
            others=others,
            hop_s=case.hop_s,
        )
        for _ in range(case.servers)
    ]
    chance = random.Random(seed)
    crowd = Crowd(environment, loop, costs, servers, random.Random(seed))
    messages = round(loop.seconds / PLAN.message_s)
    offsets = [chance.randrange(messages) * PLAN.message_s for _ in range(case.streams)]
    for offset_s in offsets:
        begin_s = chance.random() * PLAN.spread_s
        crowd.open(begin_s, offset_s, begin_s + case.seconds)
    environment.process(_trouble(environment, case, servers[0]))
    end_s = PLAN.spread_s + case.seconds
    environment.run()
    audio_s = case.streams * case.seconds
    busy_s = sum(each.busy_s for each in servers)
    cpu_s = sum(each.cpu_s for each in servers)
    in_vain_s = sum(each.in_vain_s for each in servers)
    of_servers = costs.server_of(-(-case.streams // case.servers))
    return Outcome(
        crowd.finals,
        cpu_s / audio_s + of_servers,
        busy_s / (end_s * case.servers * case.workers),
        in_vain_s / busy_s if busy_s else 0.0,
    )


def _trouble(environment: simpy.Environment, case: Case, server: Workers) -> Process:
    if case.server_ends_s is not None:
        yield environment.timeout(case.server_ends_s)
        server.end()
    elif case.workers_lost_s is not None:
        lost_s, back_s = case.workers_lost_s
        yield environment.timeout(lost_s)
        server.lose(server.count // 2)
        yield environment.timeout(back_s - lost_s)
        server.regain()


def one_machine(bench: Path, loop: SpeechLoop, costs: Costs, rounds: int = ROUNDS) -> list[Row]:
    """Each measured number of streams: what was measured, and what the simulation says."""
    rows: list[Row] = []
    for measured in json.loads(bench.read_text())["live"]:
        if measured["interims"]:
            continue
        case = Case(measured["streams"], workers=costs.cores, shared=True)
        outcomes = [run(case, loop, costs, seed) for seed in range(rounds)]
        same = percentiles(outcomes[0].latencies_ms())
        others = sorted(_p95(each.latencies_ms()) for each in outcomes)
        cpu_ms = 1_000 * float(np.mean([each.cpu for each in outcomes]))
        rows.append(
            {
                "streams": case.streams,
                "measured p50 ms": measured["final p50 ms"],
                "simulated p50 ms": same["p50"],
                "measured p95 ms": measured["final p95 ms"],
                "simulated p95 ms": same["p95"],
                "p95 with other places, from": others[0],
                "to": others[-1],
                "measured CPU ms per audio s": measured["CPU ms per audio s"],
                "simulated CPU": round(cpu_ms, 1),
            }
        )
    return rows


def _p95(latencies_ms: Sequence[float]) -> int:
    return round(float(np.percentile(latencies_ms, 95)))
