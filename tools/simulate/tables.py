"""All tables of docs/scaling.md: simulated, printed, and written to `build/results/`."""

from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from streamer.config.segmentation import VadConfig
from tools.bench.live import RATE, joined, recordings
from tools.bench.result_files import RESULTS, Row, table, write_json
from tools.simulate.costs import Costs, published
from tools.simulate.pictures import draw
from tools.simulate.scenarios import failures, hops, pool_sizes
from tools.simulate.simulation import one_machine
from tools.simulate.sizing import CONVERSATION, constants, sizes
from tools.simulate.speech import found_in
from tools.simulate.stream_costs import DEFAULT, TINY

POOLS = (1, 2, 4, 8, 16)
ROUNDS, MEASURED_ROUNDS = 3, 20
"""Runs of each case, with other places in the recordings."""

WORKERS = 8
"""Of a server, in the scenarios with workers elsewhere and with failures."""


def simulate(results: Path, out: Console) -> None:
    """Simulate everything with the costs in a folder of results, print, and write.

    What one machine does is simulated with the model that was measured there, the rest with the
    default model.

    Raises:
        NoResultsError: The folder lacks results.
    """
    loop = found_in(joined(recordings(None), RATE), VadConfig())
    talk = loop.thinned(CONVERSATION)
    tiny, default = (published(results, loop, model) for model in (TINY, DEFAULT))
    both = ((DEFAULT, default), (TINY, tiny))
    simulated: dict[str, list[Row]] = {
        "constants": constants(both),
        "server": [
            {
                "streams of one server's process": tiny.streams_a_server,
                "KB of a stream that speaks": round(tiny.active_session_bytes / 1_000),
            }
        ],
        "one_machine": one_machine(results / "bench.json", loop, tiny, MEASURED_ROUNDS),
        "pools": pool_sizes(talk, default, POOLS, ROUNDS),
        "pools_tiny": pool_sizes(talk, tiny, POOLS, ROUNDS),
        "hops": hops(talk, default, WORKERS, ROUNDS),
        "failures": failures(talk, default, WORKERS, ROUNDS),
        "sizes": sizes(default, tiny),
    }
    for name, rows in simulated.items():
        out.print(table(name.replace("_", " "), rows))
    costs = {"tiny": _shown(tiny), "default": _shown(default)}
    file = write_json("simulation.json", {"costs": costs, **simulated})
    draw(simulated["one_machine"], RESULTS / "simulation.svg")
    print(f"written: {file}")


def _shown(costs: Costs) -> Row:
    crowded = costs.inference / costs.crowded
    return asdict(costs) | {
        "inference, ms per speech s": round(1_000 * costs.inference, 1),
        "the same when all cores compute": round(1_000 * crowded, 1),
    }
