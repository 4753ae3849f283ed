"""How many requests a second, how soon, at what cost, by length of clip: `make bench-http`.

Starts the server as a user would and posts clips of the recordings that come with the model to
`/analyze_pcm_s16le`, from as many clients as there are cores, each of which sends its next clip
when the last is answered. Prints a table, and writes it as JSON to `build/results/http.json`.
"""

import http.client
import json
import os
import platform
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.weights.manifest import require
from tools.bench.result_files import write_json
from tools.bench.serving import server
from tools.command_line import tool_parser

RATE = 16_000
CLIPS_S = (0.5, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Answered:
    """One request. Milliseconds: as the client saw it, and in the worker."""

    total_ms: float
    inference_ms: float


@dataclass(frozen=True)
class ClipRow:
    """One line of the table. The real-time factor is inference time over the clip's length."""

    clip_s: float
    clients: int
    requests: int
    requests_per_s: float
    total_p50_ms: float
    total_p95_ms: float
    inference_p50_ms: float
    inference_p95_ms: float
    real_time_factor: float


def speech() -> bytes:
    """The recordings one after another, 16 kHz mono s16le."""
    parts = []
    for name in ("two_cities.wav", "beckett.wav"):
        samples, rate = soundfile.read(require("moonshine-tiny-en") / name, dtype="float32")
        parts.append(soxr.resample(samples, rate, RATE))
    return (np.concatenate(parts) * 32767).astype(np.int16).tobytes()


def client(host: str, audio: bytes, clip_s: float, until_s: float) -> Iterator[Answered]:
    """Post clips from random places over one connection, until a moment of the clock."""
    size = int(clip_s * RATE) * 2
    headers = {"Content-Type": "application/octet-stream"}
    connection = http.client.HTTPConnection(host, timeout=60)
    while time.perf_counter() < until_s:
        first = random.randrange((len(audio) - size) // 2) * 2
        began = time.perf_counter()
        connection.request("POST", "/analyze_pcm_s16le", audio[first : first + size], headers)
        answer = json.load(connection.getresponse())
        if not answer["ok"]:
            raise SystemExit(f"the server refused: {answer['error']}")
        yield Answered(1000 * (time.perf_counter() - began), answer["inference_ms"])
    connection.close()


def run(host: str, clip_s: float, clients: int, seconds: float) -> ClipRow:
    """One line of the table."""
    audio = speech()
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        work = [
            pool.submit(lambda: list(client(host, audio, clip_s, began + seconds)))
            for _ in range(clients)
        ]
        answered = [answer for future in work for answer in future.result()]
    elapsed = time.perf_counter() - began
    total = np.percentile([answer.total_ms for answer in answered], (50, 95))
    inference = np.percentile([answer.inference_ms for answer in answered], (50, 95))
    mean_ms = float(np.mean([answer.inference_ms for answer in answered]))
    return ClipRow(
        clip_s=clip_s,
        clients=clients,
        requests=len(answered),
        requests_per_s=round(len(answered) / elapsed, 1),
        total_p50_ms=round(float(total[0]), 1),
        total_p95_ms=round(float(total[1]), 1),
        inference_p50_ms=round(float(inference[0]), 1),
        inference_p95_ms=round(float(inference[1]), 1),
        real_time_factor=round(mean_ms / 1000 / clip_s, 4),
    )


def table(rows: list[ClipRow]) -> Table:
    """What is printed."""
    made = Table(title="POST /analyze_pcm_s16le, by length of clip")
    for column in ClipRow.__dataclass_fields__:
        made.add_column(column.replace("_", " "), justify="right")
    for row in rows:
        made.add_row(*(str(value) for value in asdict(row).values()))
    return made


def main() -> None:
    """Measure, print, write."""
    cores = os.cpu_count() or 1
    parser = tool_parser("tools.bench.http_requests", "Latency and throughput of requests.")
    parser.add_argument("--clients", type=int, default=cores, help="at the same time")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each length of clip")
    parser.add_argument("--config", type=Path, help="of the server; without it, the default model")
    args = parser.parse_args()
    rows = []
    console = Console(stderr=True)
    options = ("--config", str(args.config.absolute())) if args.config else ()
    with server(*options) as (url, _), Progress(console=console) as progress:
        bar = progress.add_task("posting", total=len(CLIPS_S))
        for clip_s in CLIPS_S:
            rows.append(run(urlsplit(url).netloc, clip_s, args.clients, args.seconds))
            progress.advance(bar)
    Console(width=max(console.width, 140)).print(table(rows))
    machine = {
        "cores": cores,
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    report = {"machine": machine, "rows": [asdict(row) for row in rows]}
    write_json("http.json", report)


if __name__ == "__main__":
    main()
