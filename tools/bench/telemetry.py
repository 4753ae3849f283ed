"""What watching costs: `make bench-telemetry`.

The same 50 streams, in real time, to a server that counts nothing, to one with metrics that are
scraped every 5 s, and to one that exports traces besides: all three at the same time, so that
whatever else the machine does is in all of them. CPU time of each server's own process, several
rounds: the shares are worth more than the milliseconds.
"""

import contextlib
import multiprocessing
import statistics
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from urllib.request import urlopen

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.onnx.graph import Floats
from tools.bench.live import RATE, STAND_IN, joined, machine, recordings, serve
from tools.bench.result_files import write_json
from tools.command_line import tool_parser

SCRAPE_S = 5.0
VARIANTS = ("nothing", "metrics", "metrics and traces")


@contextlib.contextmanager
def collector() -> Iterator[str]:
    """An OTLP receiver that throws all away; yields its endpoint."""
    export = grpc.unary_unary_rpc_method_handler(
        lambda _request, _context: trace_service_pb2.ExportTraceServiceResponse(),
        response_serializer=trace_service_pb2.ExportTraceServiceResponse.SerializeToString,
    )
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    receiver = grpc.server(ThreadPoolExecutor(1))
    handler = grpc.method_handlers_generic_handler(service, {"Export": export})
    receiver.add_generic_rpc_handlers((handler,))
    port = receiver.add_insecure_port("127.0.0.1:0")
    receiver.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        receiver.stop(None).wait()


@contextlib.contextmanager
def scraper(address: str) -> Iterator[None]:
    """Fetch the metrics every few seconds, as Prometheus does."""
    url = address.replace("ws://", "http://").replace("/api/v1/segmented", "/metrics")
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(SCRAPE_S):
            with urlopen(url) as answer:
                answer.read()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measure(variant: str, streams: int, seconds: float, audio: Floats, endpoint: str) -> float:
    """CPU milliseconds of the server's process for a second of audio."""
    env = {"STREAMER_TELEMETRY__METRICS": "false" if variant == "nothing" else "true"}
    if "traces" in variant:
        env["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    with contextlib.ExitStack() as stack:
        served = stack.enter_context(serve(STAND_IN, env))
        if variant != "nothing":
            stack.enter_context(scraper(served.url))
        run = served.play(audio, RATE, streams, seconds)
    assert not run.report.unfinished
    return run.steady_ms(streams)


def summary(spent: dict[str, list[float]]) -> list[dict[str, object]]:
    """Medians over the rounds: of the cost, and of how much more it was than in the same round."""
    rows: list[dict[str, object]] = []
    for variant in VARIANTS:
        ratios = [a / b - 1 for a, b in zip(spent[variant], spent["nothing"], strict=True)]
        rows.append(
            {
                "watched by": variant,
                "ms per audio s": round(statistics.median(spent[variant]), 2),
                "more than nothing, %": round(100 * statistics.median(ratios), 1),
            }
        )
    return rows


def main() -> None:
    """Print the table."""
    parser = tool_parser("tools.bench.telemetry", __doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    audio = joined(recordings(None), RATE)
    spent: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    console = Console(stderr=True)
    # Spawned, because the collector's threads must not be forked.
    context = multiprocessing.get_context("spawn")
    with (
        collector() as endpoint,
        ProcessPoolExecutor(len(VARIANTS), mp_context=context) as players,
        Progress(console=console, transient=True) as progress,
    ):
        for _ in progress.track(range(args.rounds), description="playing"):
            playing = {
                variant: players.submit(
                    measure, variant, args.streams, args.seconds, audio, endpoint
                )
                for variant in VARIANTS
            }
            for variant, played in playing.items():
                spent[variant].append(played.result())
    table = Table(title=f"{args.streams} streams, CPU of the server's process")
    for heading in ("watched by", "ms per audio s", "more than nothing, %"):
        table.add_column(heading, justify="right")
    rows = summary(spent)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    results = {"machine": machine(), "rows": rows, "rounds": spent}
    write_json("telemetry.json", results)


if __name__ == "__main__":
    main()
