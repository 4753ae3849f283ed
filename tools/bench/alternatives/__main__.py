"""What else there would have been, in numbers: `make bench-alternatives`.

Other WebSocket implementations and event loops, a queue more, sockets read in other ways, Silero
under ONNX Runtime and with fewer windows a call, threads instead of processes, other settings of
the garbage collector, finals that hold more or less silence, interims that start from the words of
the interim before, and several segments in each pass of the decoder.
`docs/performance.md` draws the conclusions.
"""

import json
from collections.abc import Callable

from rich.console import Console
from rich.progress import Progress

from tools.bench.alternatives.networks import detectors, drafts, graphs
from tools.bench.alternatives.server_variants import (
    batching,
    collectors,
    hops,
    padding,
    reading,
    sockets,
    waiting,
)
from tools.bench.alternatives.shared_passes import shared_passes
from tools.bench.alternatives.workers import workers
from tools.bench.live import machine, raise_descriptor_limit
from tools.bench.result_files import RESULTS, Row, table, write_json
from tools.command_line import tool_parser


def main() -> None:
    """Measure, print, write."""
    steps: dict[str, tuple[str, Callable[[], list[Row]]]] = {
        "sockets": ("receiving live audio, and nothing else", sockets),
        "hops": ("queues on the way of a message", hops),
        "detectors": ("Silero's network", detectors),
        "batching": ("windows gathered, and joined to the batches of others", batching),
        "reading": ("sockets read in other ways", reading),
        "waiting": ("how long channels wait for a batch", waiting),
        "workers": ("threads or processes", workers),
        "graphs": ("Moonshine's graphs", graphs),
        "padding": ("early finals by suffix_padding_ms, 32 streams", padding),
        "drafts": ("interims decoded from a draft", drafts),
        "shared_passes": ("several segments in a pass of the decoder", shared_passes),
        "collectors": ("the garbage collector", collectors),
    }
    parser = tool_parser("tools.bench.alternatives", "What else there would have been.")
    parser.add_argument("--only", nargs="+", choices=steps, help="the others stay as they were")
    args = parser.parse_args()
    raise_descriptor_limit()
    file = RESULTS / "alternatives.json"
    results: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
    results["machine"] = machine()
    console = Console(stderr=True)
    chosen = args.only or list(steps)
    with Progress(console=console) as progress:
        bar = progress.add_task("measuring", total=len(chosen))
        for name in chosen:
            title, measure = steps[name]
            progress.update(bar, description=title)
            rows = results[name] = measure()
            progress.console.print(table(title, rows))
            write_json(file.name, results)
            progress.advance(bar)


if __name__ == "__main__":
    main()
