"""What things cost in the simulation, from the published results of the benchmarks."""

from dataclasses import dataclass
from pathlib import Path

from tools.simulate.speech import SpeechLoop
from tools.simulate.stream_costs import TINY, StreamCosts, published_costs, results_of


@dataclass(frozen=True, kw_only=True)
class Costs(StreamCosts):
    """CPU in seconds for a second of audio or of speech, on the machine of the benchmarks.

    Attributes:
        cores: Of that machine.
        inference: Of a worker, for a second of a segment, while the other cores are idle.
        crowded: Speed of a core when all cores compute, as a part of its speed when the others are
            idle.
        generator: Of the load generator, for a second of audio.
        overhead_s: From the moment that a result is ready, and due, to its arrival at the client:
            network, detector's batches, event loop. Not CPU.
    """

    cores: int
    inference: float
    crowded: float
    generator: float
    overhead_s: float


def published(results: Path, loop: SpeechLoop, model: str = TINY) -> Costs:
    """The costs in the published results of the benchmarks.

    Args:
        results: Folder with `alternatives.json` and what `published_costs` reads.
        loop: The recordings that were played.
        model: One of `MODELS`. Inference was measured with Tiny; with another model it costs as
            much more as this model costs more alone.

    Raises:
        NoResultsError: A file is missing.
    """
    bench = results_of(results, "bench")
    alone = next(row for row in bench["live"] if row["streams"] == 1 and not row["interims"])
    silero = next(row for row in bench["overhead"] if row["engine"] == "silero")
    one, all_cores = (
        row["speech s per s"]
        for row in results_of(results, "alternatives")["workers"]
        if row["workers"].endswith("processes")
    )
    of_model, tiny = published_costs(results, model), published_costs(results, TINY)
    return Costs(
        **vars(of_model),
        cores=bench["machine"]["cores"],
        inference=1 / one * (of_model.alone / tiny.alone),
        crowded=all_cores / one / bench["machine"]["cores"],
        generator=silero["generator CPU"] / 1_000,
        overhead_s=max(0.0, alone["final p50 ms"] / 1_000 - loop.min_silence_s),
    )
