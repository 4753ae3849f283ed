"""What things cost, from the published results of the benchmarks: nothing here is typed by hand."""

import json
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import Any

from tools.simulate.speech import SpeechLoop

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Costs:
    """CPU in seconds for a second of audio or of speech, on the machine of the benchmarks.

    Attributes:
        cores: Of that machine.
        inference: Of a worker, for a second of a segment, while the other cores are idle.
        crowded: Speed of a core when all cores compute, as a part of its speed when the others are
            idle.
        server: Of the server's process, for a second of audio, by the number of streams.
        generator: Of the load generator, for a second of audio.
        overhead_s: From the moment that a result is ready, and due, to its arrival at the client:
            network, detector's batches, event loop. Not CPU.
        active_session_bytes: Of the server's process, for a stream that speaks.
        worker_bytes: Of a worker process.
    """

    cores: int
    inference: float
    crowded: float
    server: tuple[tuple[int, float], ...]
    generator: float
    overhead_s: float
    active_session_bytes: float
    worker_bytes: float

    def server_of(self, streams: int) -> float:
        """CPU of the server's process for a second of audio: each stream costs less among many.

        Between two measured numbers of streams, on the line through both in logarithms; outside
        of them, as the nearest.
        """
        numbers = [number for number, _ in self.server]
        at = bisect(numbers, streams)
        if at in (0, len(numbers)):
            return self.server[min(at, len(numbers) - 1)][1]
        (few, dear), (many, cheap) = self.server[at - 1], self.server[at]
        part = log(streams / few) / log(many / few)
        return exp(log(dear) + part * log(cheap / dear))


def published(results: Path, loop: SpeechLoop) -> Costs:
    """The costs in the published results of the benchmarks.

    Args:
        results: Folder with `bench.json` and `alternatives.json`.
        loop: The recordings that were played.
    """
    bench = json.loads((results / "bench.json").read_text())
    (model,), (memory,) = bench["model"], bench["memory"]
    alone = next(row for row in bench["live"] if row["streams"] == 1 and not row["interims"])
    silero = next(row for row in bench["overhead"] if row["engine"] == "silero")
    one, all_cores = (
        row["speech s per s"]
        for row in json.loads((results / "alternatives.json").read_text())["workers"]
        if row["workers"].endswith("processes")
    )
    return Costs(
        cores=bench["machine"]["cores"],
        inference=1 / one,
        crowded=all_cores / one / bench["machine"]["cores"],
        server=tuple(
            (row["streams"], row["server CPU ms per audio s"] / 1_000) for row in bench["growth"]
        ),
        generator=silero["generator CPU"] / 1_000,
        overhead_s=max(0.0, alone["final p50 ms"] / 1_000 - loop.min_silence_s),
        active_session_bytes=memory["active session KB"] * 1_000,
        worker_bytes=model["worker memory MB"] * 1_000_000,
    )
