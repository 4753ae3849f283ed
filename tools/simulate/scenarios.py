"""What is simulated beyond what was measured: pools of any size, networks, failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from tools.bench.measurements import LIMIT_MS
from tools.bench.result_files import Row, percentiles
from tools.simulate.costs import Costs
from tools.simulate.simulation import Case, run
from tools.simulate.speech import SpeechLoop
from tools.simulate.stream_costs import FULL

SECONDS = 60.0
"""That streams play in these scenarios, unless something happens later."""

FAILURE_S, BACK_S, END_S = 40.0, 70.0, 110.0
"""When something fails, when it is back if it comes back, and when the streams end."""

PHASES = {
    "p95 before, ms": (10.0, FAILURE_S - 1),
    "in the next 10 s": (FAILURE_S - 1, FAILURE_S + 10),
    "10 to 30 s later": (FAILURE_S + 10, BACK_S),
    "40 to 65 s later": (BACK_S + 10, END_S - 5),
}
"""By the moment in which the speech ended."""


def most_streams(workers: int, loop: SpeechLoop, costs: Costs) -> int:
    """As many streams as leave no time to spare, early finals in vain included."""
    return int(workers / (loop.speech_share * costs.live))


def pool_sizes(loop: SpeechLoop, costs: Costs, workers: Sequence[int], rounds: int) -> list[Row]:
    """How many streams a worker serves, by the number of workers that share one queue.

    Args:
        loop: What the streams say.
        costs: Of what is said.
        workers: Numbers of workers.
        rounds: Runs of each, with other places in the recordings.
    """
    rows: list[Row] = []
    for count in workers:
        fits = _most_in_time(count, loop, costs)
        at_most = _together(Case(fits, workers=count, seconds=SECONDS), loop, costs, rounds)
        calm = ceil(FULL * most_streams(count, loop, costs))
        at_ease = _together(Case(calm, workers=count, seconds=SECONDS), loop, costs, rounds)
        rows.append(
            {
                "workers of a server": count,
                "streams with p95 ≤ 1 s": fits,
                "of them a worker": round(fits / count, 1),
                "workers busy, %": at_most.busy_percent,
                "streams at 60 %": calm,
                "their p95 ms": at_ease.p95_ms,
                "their p99 ms": at_ease.p99_ms,
            }
        )
    return rows


def hops(loop: SpeechLoop, costs: Costs, workers: int, rounds: int) -> list[Row]:
    """What the way to workers on other machines does, by how long it takes."""
    rows: list[Row] = []
    for share in (0.6, 0.8):
        streams = round(share * most_streams(workers, loop, costs))
        for hop_ms in (0, 5, 20, 50, 100):
            case = Case(streams, workers=workers, hop_s=hop_ms / 1_000, seconds=SECONDS)
            found = _together(case, loop, costs, rounds)
            rows.append(
                {
                    "streams": streams,
                    "of the most, %": round(100 * share),
                    "to a worker and back, ms": hop_ms,
                    "p50 ms": found.p50_ms,
                    "p95 ms": found.p95_ms,
                    "workers busy, %": found.busy_percent,
                }
            )
    return rows


def failures(loop: SpeechLoop, costs: Costs, workers: int, rounds: int) -> list[Row]:
    """What clients notice when a part is suddenly gone, by how much of the whole was used."""
    rows: list[Row] = []
    for what, servers, ends_s, lost_s in (
        ("one of four servers, for good", 4, FAILURE_S, None),
        ("half of a server's workers, for 30 s", 1, None, (FAILURE_S, BACK_S)),
    ):
        for share in (0.4, 0.6, 0.75, 0.9):
            streams = round(share * most_streams(servers * workers, loop, costs))
            case = Case(
                streams, servers, workers,
                seconds=END_S, server_ends_s=ends_s, workers_lost_s=lost_s,
            )  # fmt: skip
            outcomes = [run(case, loop, costs, seed) for seed in range(rounds)]
            found = {
                name: percentiles([ms for each in outcomes for ms in each.latencies_ms(*phase)])
                for name, phase in PHASES.items()
            }
            rows.append(
                {
                    "gone": what,
                    "used before, %": round(100 * share),
                    **{name: each["p95"] for name, each in found.items()},
                }
            )
    return rows


@dataclass(frozen=True)
class _Found:
    """Percentiles of the finals of several runs, and how busy the workers were."""

    p50_ms: int
    p95_ms: int
    p99_ms: int
    busy_percent: int


def _together(case: Case, loop: SpeechLoop, costs: Costs, rounds: int) -> _Found:
    outcomes = [run(case, loop, costs, seed) for seed in range(rounds)]
    latencies_ms = [ms for each in outcomes for ms in each.latencies_ms()]
    p50, p95, p99 = (round(float(value)) for value in np.percentile(latencies_ms, (50, 95, 99)))
    busy = float(np.mean([each.utilisation for each in outcomes]))
    return _Found(p50, p95, p99, round(100 * busy))


def _most_in_time(workers: int, loop: SpeechLoop, costs: Costs) -> int:
    """The largest number of streams whose 95th percentile is within the limit of `make bench`."""
    fits, too_many = 0, ceil(1.5 * most_streams(workers, loop, costs))
    while too_many - fits > max(1, workers):
        middle = (fits + too_many) // 2
        case = Case(middle, workers=workers, seconds=SECONDS)
        if _together(case, loop, costs, rounds=1).p95_ms <= LIMIT_MS:
            fits = middle
        else:
            too_many = middle
    return fits
