"""Simulate servers under load: `make simulate`.

    make simulate                the published costs of docs/performance
    make simulate RESULTS=build/results    those of your own benchmarks

What one machine does is simulated first and compared with `make bench`; then pools of any size,
workers on other machines, and failures. Prints tables, and writes JSON and a picture to
`build/results/`. The same costs give the same figures.
"""

import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from streamer.config.segmentation import VadConfig
from tools.bench.live import RATE, joined, recordings
from tools.bench.result_files import RESULTS, ROOT, Row, table, write_json
from tools.command_line import tool_parser
from tools.simulate.costs import published
from tools.simulate.pictures import draw
from tools.simulate.scenarios import CONVERSATION, failures, hops, pool_sizes
from tools.simulate.simulation import one_machine
from tools.simulate.sizing import sizes, streams_a_server
from tools.simulate.speech import found_in

POOLS = (1, 2, 4, 8, 16)
ROUNDS, MEASURED_ROUNDS = 3, 20
"""Runs of each case, with other places in the recordings."""

WORKERS = 8
"""Of a server, in the scenarios with workers elsewhere and with failures."""


def main() -> None:
    """Simulate, print, write."""
    parser = tool_parser("tools.simulate", "Simulate servers under load.")
    parser.add_argument(
        "--results", type=Path, default=ROOT / "docs/performance", help="results of benchmarks"
    )
    results: Path = parser.parse_args().results
    loop = found_in(joined(recordings(None), RATE), VadConfig())
    talk = loop.thinned(CONVERSATION)
    costs = published(results, loop)
    (balancer,) = json.loads((results / "balancer.json").read_text())["cost"]
    simulated: dict[str, list[Row]] = {
        "one_machine": one_machine(results / "bench.json", loop, costs, MEASURED_ROUNDS),
        "pools": pool_sizes(talk, costs, POOLS, ROUNDS),
        "hops": hops(talk, costs, WORKERS, ROUNDS),
        "failures": failures(talk, costs, WORKERS, ROUNDS),
        "sizes": sizes(talk, costs, balancer["HAProxy, ms per audio s"] / 1_000),
    }
    out = Console(width=180)
    for name, rows in simulated.items():
        out.print(table(name.replace("_", " "), rows))
    costs_row: Row = {
        "inference, ms per speech s": round(1_000 * costs.inference, 1),
        "the same when all cores compute": round(1_000 * costs.inference / costs.crowded, 1),
        "streams of one server's process": streams_a_server(costs),
        "ms per audio s of each of them": round(
            1_000 * costs.server_of(streams_a_server(costs)), 2
        ),
        "KB of each of them": round(costs.active_session_bytes / 1_000),
        "MB of a worker": round(costs.worker_bytes / 1e6),
    }
    out.print(table("constants", [costs_row]))
    write_json("simulation.json", {"costs": asdict(costs), "constants": [costs_row], **simulated})
    draw(simulated["one_machine"], RESULTS / "simulation.svg")
    print(f"written: {RESULTS / 'simulation.json'}")


if __name__ == "__main__":
    main()
