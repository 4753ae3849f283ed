"""What a live stream costs, by model, from the published results: nothing here is typed by hand."""

import json
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from typing import Any

FULL = 0.6
"""The part of its time that a core computes at most: then finals hardly wait, and three of four
servers can serve what four did."""

DEFAULT = "default"
TINY = "moonshine-tiny-en"
"""The model of the live streams in `bench.json`."""

MODELS: Mapping[str, str] = {
    DEFAULT: "Base, interims by Tiny",
    "moonshine-base-en": "moonshine-base-en",
    TINY: TINY,
}
"""The names that a user may give, and those of the rows of `pairs.json`."""

COMMANDS: Mapping[str, str] = {
    "balancer": "bench-balancer",
    "bench": "bench",
    "pairs": "bench-pairs",
}
"""The targets of `make` that write the results which are read here."""


class NoResultsError(ValueError):
    """A folder lacks the results of a benchmark; the message names the command that writes them."""


@dataclass(frozen=True, kw_only=True)
class StreamCosts:
    """CPU in seconds for a second of audio or of speech, on the machine of the benchmarks.

    Attributes:
        alone: Of the model, for a second of speech, when nothing else runs.
        live_ratio: What a second of speech costs the workers of live streams, over `alone`: with
            early finals in vain, and beside other processes.
        server: Of the server's process, for a second of audio, by the number of streams.
        balancer: Of HAProxy, for a second of audio.
        active_session_bytes: Of the server's process, for a stream that speaks.
        worker_bytes: Of a worker process; None = not known.
    """

    alone: float
    live_ratio: float
    server: tuple[tuple[int, float], ...]
    balancer: float
    active_session_bytes: float
    worker_bytes: float | None

    @property
    def live(self) -> float:
        """CPU of a worker for a second of speech in live streams."""
        return self.alone * self.live_ratio

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

    @property
    def streams_a_server(self) -> int:
        """As many streams as one server's process serves with `FULL` of a core."""
        streams = 1
        while (streams + 1) * self.server_of(streams + 1) <= FULL:
            streams += 1
        return streams

    @property
    def server_full(self) -> float:
        """CPU of a server's process that has as many streams as it may, for a second of audio."""
        return self.server_of(self.streams_a_server)

    def cores_for(self, streams: float, speech_share: float) -> float:
        """The formula: cores for live streams, with the part of their audio that is speech."""
        a_stream = speech_share * self.live + self.server_full + self.balancer
        return streams * a_stream / FULL


def published_costs(
    results: Path, model: str = DEFAULT, *, factor: float | None = None
) -> StreamCosts:
    """The costs in the results of the benchmarks.

    Args:
        results: Folder with `bench.json`, `balancer.json` and `pairs.json`.
        model: One of `MODELS`.
        factor: Real-time factor of another model, used instead: its CPU seconds for a second of
            speech. The memory of its workers is then not known.

    Raises:
        NoResultsError: A file is missing, or has no row of the model.
    """
    bench = results_of(results, "bench")
    (measured,), (memory,) = bench["model"], bench["memory"]
    (balancer,) = results_of(results, "balancer")["cost"]
    alone, worker_bytes = (factor, None) if factor else _of_model(results, model)
    return StreamCosts(
        alone=alone,
        live_ratio=measured["of which workers"] / measured["model CPU ms per speech s"],
        server=tuple(
            (row["streams"], row["server CPU ms per audio s"] / 1_000) for row in bench["growth"]
        ),
        balancer=balancer["HAProxy, ms per audio s"] / 1_000,
        active_session_bytes=memory["active session KB"] * 1_000,
        worker_bytes=worker_bytes,
    )


def results_of(results: Path, name: str) -> dict[str, Any]:
    """The results of one benchmark.

    Raises:
        NoResultsError: They are not in the folder.
    """
    file = results / f"{name}.json"
    try:
        found: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        command = COMMANDS.get(name, f"bench-{name}")
        raise NoResultsError(f"no {file}: run `make {command}`, which writes it") from None
    return found


def _of_model(results: Path, model: str) -> tuple[float, float]:
    """CPU seconds of a worker for a second of speech, and its bytes at most."""
    name = MODELS[model]
    for row in results_of(results, "pairs")["rows"]:
        if row["models"] == name:
            return row["finals, ms/s"] / 1_000, row["at most, MB"] * 1e6
    raise NoResultsError(f"{results / 'pairs.json'} has no row of {name}: run `make bench-pairs`")
