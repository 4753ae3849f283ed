"""What is measured of each peer: at equal load, and the most streams in time."""

import asyncio
import contextlib
import math
import os
import random
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.peers.load import PlayedStream, play
from tools.bench.peers.peer import Peer
from tools.bench.peers.score import Score, score
from tools.bench.peers.search import most_streams
from tools.bench.peers.usage import Usage, busy_s
from tools.bench.peers.utterances import Playlist, Reading, playlist
from tools.bench.result_files import Row, percentiles

LIMIT_MS = 1000.0
"""Milliseconds from the last word to its final that 95 of 100 utterances must keep."""

SEARCH_PATIENCE_S = 5.0
"""Seconds that texts may take in the search: what comes later than a second is too late there."""

CROWDED = 0.25
"""Part of the cores; where other programs use more, a peer's row has no latencies."""

FEWEST = 6
"""Utterances, about, in each step of the search: with few streams they play longer."""

UTTERANCE_S = 8.0
"""Seconds of an utterance with its gap, about."""


@dataclass(frozen=True)
class Plan:
    """How much is played.

    Attributes:
        readings: The recordings.
        streams: Number of streams of the equal load.
        seconds: That each of them plays at least, and a third of it in the search.
        search: Whether the most streams are searched for, which only a quiet machine can tell.
    """

    readings: Sequence[Reading]
    streams: int
    seconds: float
    search: bool = True

    def warm_up(self) -> list[Playlist]:
        """Played before anything is measured."""
        shortest = min(self.readings, key=lambda each: sum(u.duration_s for u in each.utterances))
        return [playlist([shortest], 0, UTTERANCE_S / 2)]

    def equal_load(self) -> list[Playlist]:
        """The same for every peer: each stream begins with another recording."""
        step = len(self.readings) / self.streams
        return [playlist(self.readings, int(i * step), self.seconds) for i in range(self.streams)]

    def search_load(self, streams: int) -> list[Playlist]:
        """Streams that begin with an utterance by chance, the same chance every time."""
        chance = random.Random(streams)
        every = [each for reading in self.readings for each in reading.utterances]
        single = [Reading("", (each,)) for each in every]
        seconds = max(self.seconds / 3, FEWEST * UTTERANCE_S / streams)
        return [playlist(single, chance.randrange(len(single)), seconds) for _ in range(streams)]


@dataclass(frozen=True)
class Load:
    """One run of some streams, and what it cost.

    Attributes:
        score: How its utterances were answered.
        audio_s: Seconds that all streams lasted, silence between utterances included.
        cpu_s: Processor seconds of the peer.
        generator_cpu_s: Processor seconds of the load generator.
        others_cores: Cores that other programs used meanwhile, on average.
        late_p99_ms: By how much it sent too late.
        memory_mb: Of the peer at the end.
        broken: Why streams ended early, each reason once.
    """

    score: Score
    audio_s: float
    cpu_s: float
    generator_cpu_s: float
    others_cores: float
    late_p99_ms: object
    memory_mb: float
    broken: Sequence[str]


def run(
    peer: Peer,
    port: int,
    pid: int,
    playlists: Sequence[Playlist],
    patience_s: float | None = None,
) -> Load:
    """Play these to a peer that runs; arguments as for `play`, and its process id."""
    usage = Usage(pid)
    begun_s, all_s = time.monotonic(), busy_s()
    peer_s, own_s = usage.cpu_s, _own_cpu_s()
    played: list[PlayedStream] = asyncio.run(play(peer, port, playlists, patience_s))
    peer_s, own_s = usage.cpu_s - peer_s, _own_cpu_s() - own_s
    others_s = busy_s() - all_s - peer_s - own_s
    return Load(
        score(played),
        sum(each.duration_s for each in playlists),
        peer_s,
        own_s,
        max(0.0, others_s / (time.monotonic() - begun_s)),
        percentiles([late for stream in played for late in stream.late_ms])["p99"],
        usage.memory_mb,
        sorted({stream.broken for stream in played} - {""}),
    )


def measure(peer: Peer, plan: Plan, *, cores: int | None = None) -> tuple[Row, list[Row]]:
    """A peer's row, and a row for each load that it was under.

    Args:
        peer: What is measured.
        plan: With how much.
        cores: That it is set up for, those of this machine without a number.

    Raises:
        Absent: It cannot be measured.
    """
    cores = cores or os.cpu_count() or 1
    with contextlib.ExitStack() as stack:
        runs = _Runs(peer, plan, cores, stack)
        equal = runs.run(plan.equal_load())
        steps = [_load_row(peer, plan.streams, equal)]

        def in_time(streams: int) -> bool:
            load = runs.run(plan.search_load(streams), SEARCH_PATIENCE_S)
            steps.append(_load_row(peer, streams, load))
            return load.score.percentile_ms(95) <= LIMIT_MS

        most = most_streams(peer.description.first_streams, in_time) if plan.search else None
    return _row(peer, most, equal, crowded=equal.others_cores > CROWDED * cores), steps


class _Runs:
    """Runs on one peer, which is started again after a run in which something came late or never.

    Args:
        peer: What is measured.
        plan: With its warm-up.
        cores: That the peer is set up for.
        stack: Ends the peer.
    """

    def __init__(self, peer: Peer, plan: Plan, cores: int, stack: contextlib.ExitStack) -> None:
        self._peer = peer
        self._plan = plan
        self._cores = cores
        self._stack = stack
        self._served: tuple[int, int] | None = None

    def run(self, playlists: Sequence[Playlist], patience_s: float | None = None) -> Load:
        """Play these, on a peer that is warm and has nothing left to do."""
        if self._served is None:
            self._served = self._stack.enter_context(self._peer.serving(self._cores))
            run(self._peer, *self._served, self._plan.warm_up())
        load = run(self._peer, *self._served, playlists, patience_s)
        if load.score.percentile_ms(100) > LIMIT_MS:
            self._stack.close()
            self._served = None
        return load


def _row(peer: Peer, most: int | None, equal: Load, *, crowded: bool) -> Row:
    found = peer.description
    p50, p95 = (None if crowded else _whole(equal.score.percentile_ms(p)) for p in (50, 95))
    return {
        "server": found.server,
        "model": found.model,
        "ends of speech": "told" if found.told else "found",
        "interims": found.interims,
        "most streams": most,
        "p50 ms": p50,
        "p95 ms": p95,
        "CPU ms per audio s": round(1000 * equal.cpu_s / equal.audio_s, 1),
        "memory MB": round(equal.memory_mb),
        "utterances": len(equal.score.latencies_ms),
        "lost": equal.score.lost,
        "cores used by others": round(equal.others_cores, 2),
        "word errors, %": equal.score.word_errors and round(equal.score.word_errors, 1),
    }


def _load_row(peer: Peer, streams: int, load: Load) -> Row:
    return {
        "peer": peer.description.title,
        "streams": streams,
        "utterances": len(load.score.latencies_ms),
        "lost": load.score.lost,
        "p50 ms": _whole(load.score.percentile_ms(50)),
        "p95 ms": _whole(load.score.percentile_ms(95)),
        "CPU ms per audio s": round(1000 * load.cpu_s / load.audio_s, 1),
        "generator CPU": round(1000 * load.generator_cpu_s / load.audio_s, 1),
        "generator late p99 ms": load.late_p99_ms,
        "cores used by others": round(load.others_cores, 2),
        "broken": "; ".join(load.broken),
    }


def _whole(milliseconds: float) -> int | None:
    """None for infinity, which JSON does not have."""
    return None if math.isinf(milliseconds) else round(milliseconds)


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
