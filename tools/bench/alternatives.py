"""What else there would have been, in numbers: `make bench-alternatives`.

Other WebSocket implementations and event loops, a queue more, Silero under ONNX Runtime and with
fewer windows a call, threads instead of processes, other settings of the garbage collector, finals
that hold more or less silence, and interims that are decoded from the last one's words.
`docs/performance.md` says what was made of it.
"""

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import jiwer
import numpy as np
import psutil
from rich.console import Console
from rich.progress import Progress

from streamer.config.schema import InterimConfig, VadConfig
from streamer.models.moonshine.model import Moonshine
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from streamer_client.errors import CannotConnect
from tools.bench import floor
from tools.bench.bench import RESULTS, Row, live_row, percentiles, table
from tools.bench.curve import cuts, settings_of, tracks
from tools.bench.drafts import DraftingMoonshine, interims
from tools.bench.live import (
    MODEL,
    RATE,
    STAND_IN,
    Floats,
    detector_ms,
    joined,
    machine,
    raise_descriptor_limit,
    serve,
)
from tools.bench.live import recordings as read
from tools.bench.published import PublishedMoonshine

COLLECTORS = {
    "as it is": "",
    "thresholds ×100": "import gc; gc.set_threshold(70_000, 100, 100)",
    "off": "import gc; gc.disable()",
}


def sockets() -> list[Row]:
    """The same app under each implementation and event loop."""
    cases = [
        (implementation, loop)
        for implementation in ("websockets-sansio", "websockets", "wsproto", "streamer")
        for loop in ("uvloop", "asyncio")
    ]
    rows: list[Row] = []
    for implementation, loop in cases:
        try:
            cost: float | None = round(floor.played(implementation, loop), 2)
        except (OSError, ValueError, IndexError, CannotConnect):
            cost = None  # not installed
        rows.append({"WebSocket": implementation, "loop": loop, "CPU ms per audio s": cost})
    return rows


def hops() -> list[Row]:
    """Each message handed from task to task through more and more queues."""
    return [
        {"queues": count, "CPU ms per audio s": round(floor.played("streamer", hops=count), 2)}
        for count in (0, 1, 2, 3)
    ]


def detectors() -> list[Row]:
    """Silero's network under ONNX Runtime, and in NumPy, with more and more windows in a call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    weights = require("silero-vad") / "silero_vad_16k_op15.onnx"
    session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for batch in (1, 8, 32, 128):
        given = {
            "input": rng.normal(0, 0.1, (batch, CONTEXT + WINDOW)).astype(np.float32),
            "state": SileroNetwork.start(batch),
            "sr": np.array(RATE),
        }
        calls = 6_400 // batch
        begun = time.process_time()
        for _ in range(calls):
            session.run(None, given)
        spent_s = time.process_time() - begun
        rows.append(
            {
                "windows a call": batch,
                "ONNX Runtime, ms per audio s": round(
                    1000 * spent_s / calls / batch / (WINDOW / RATE), 2
                ),
                "NumPy": round(detector_ms(batch, calls), 2),
            }
        )
    return rows


def collectors() -> list[Row]:
    """The whole server under other settings of the garbage collector, in turn."""
    audio = joined(read(None), RATE)
    spent: dict[str, list[float]] = {name: [] for name in COLLECTORS}
    for _ in range(3):
        for name, code in COLLECTORS.items():
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "sitecustomize.py").write_text(code)
                with serve(STAND_IN, {"PYTHONPATH": folder}) as served:
                    spent[name].append(served.play(audio, RATE, 60, 8).steady_ms(60))
    return [
        {"collector": name, "CPU ms per audio s": [round(each, 2) for each in spent[name]]}
        for name in COLLECTORS
    ]


def company() -> list[Row]:
    """60 streams whose channels bring their windows along with others', or each alone."""
    audio = joined(read(None), RATE)
    rows: list[Row] = []
    for together, gather_ms in ((False, 10), (False, 5), (True, 10), (True, 5), (True, 0)):
        code = "" if together else "import streamer.vad.batching as b; b.STREAMS_PER_BATCH = 0"
        vad = {"engine": "silero", "gather_ms": gather_ms}
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "sitecustomize.py").write_text(code)
            with serve({**STAND_IN, "vad": vad}, {"PYTHONPATH": folder}) as served:
                run = served.play(audio, RATE, 60, 12)
        active = percentiles(run.report.active_ms)
        rows.append(
            {
                "in company": together,
                "gather_ms": gather_ms,
                "CPU ms per audio s": round(run.steady_ms(60), 2),
                "active p50 ms": active["p50"],
                "active p95 ms": active["p95"],
            }
        )
    return rows


_models: dict[int, Moonshine] = {}


def _infer(segment: Floats) -> float:
    """In a worker: its own model, and the CPU seconds that the inference took."""
    import threading

    model = _models.get(threading.get_ident())
    if model is None:
        model = _models[threading.get_ident()] = Moonshine(require(MODEL))
        model.warm_up()
    begun = time.thread_time()
    model.infer(segment)
    return time.thread_time() - begun


async def _watch(lags_ms: list[float]) -> None:
    """What an event loop in this process feels: how late an appointment in 5 ms is."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(0.005)
        lags_ms.append(1000 * (time.perf_counter() - begun - 0.005))


def workers() -> list[Row]:
    """Threads beside processes: as much audio as one or two of them can take."""
    segments = [segment for segment in _segments() if len(segment) > RATE]
    rows: list[Row] = []
    for count in (1, 2):
        for kind in ("threads", "processes"):
            context = multiprocessing.get_context("spawn")
            executor: Executor = (
                ThreadPoolExecutor(count)
                if kind == "threads"
                else ProcessPoolExecutor(count, mp_context=context)
            )
            with executor:
                rows.append({"workers": f"{count} {kind}", **_throughput(executor, segments)})
            _models.clear()
    return rows


def _throughput(executor: Executor, segments: list[Floats]) -> Row:
    lags_ms: list[float] = []

    async def work() -> float:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(executor, _infer, s) for s in segments[:4]))
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(lags_ms))
            begun = time.perf_counter()
            for _ in range(2):
                await asyncio.gather(*(loop.run_in_executor(executor, _infer, s) for s in segments))
            passed = time.perf_counter() - begun
            watching.cancel()
        return passed

    wall = asyncio.run(work())
    speech = 2 * sum(map(len, segments)) / RATE
    process = psutil.Process()
    memory = sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))
    p50, p99 = np.percentile(lags_ms, (50, 99))
    return {
        "speech s per s": round(speech / wall, 1),
        "loop late p50 ms": round(float(p50), 1),
        "p99 ms": round(float(p99), 1),
        "memory of all MB": round(memory / 1e6),
    }


def _segments() -> list[Floats]:
    network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
    settings = settings_of(VadConfig())
    return [
        track.samples[slice(*cut.heard)]
        for name in ("two_cities.wav", "beckett.wav")
        for track in tracks(require(MODEL) / name, network, channels=1)
        for cut in cuts(track, settings)
    ]


def graphs() -> list[Row]:
    """Moonshine's graphs as they are published, and those that the server makes of them."""
    segments = _segments()
    seconds = sum(map(len, segments)) / RATE
    rows: list[Row] = []
    said: list[list[str]] = []
    for name, kind in (("published", PublishedMoonshine), ("the server's", Moonshine)):
        model = kind(require(MODEL))
        model.warm_up()
        begun = time.process_time()
        tokens = [model.tokens(segment) for segment in segments]
        spent_s = time.process_time() - begun
        said.append([model.text(each) for each in tokens])
        rows.append({"graphs": name, "CPU ms per speech s": round(1000 * spent_s / seconds, 1)})
    differ = sum(a != b for a, b in zip(*said, strict=True))
    rows[0]["other text"] = "–"
    rows[1]["other text"] = f"{differ} of {len(segments)}"
    return rows


def padding() -> list[Row]:
    """Finals of 32 live streams by how much silence they hold, which is when they may be begun."""
    rows: list[Row] = []
    speech = joined(read(None), RATE)
    for milliseconds in (200, 250, 350, 450):
        with serve({"vad": {"suffix_padding_ms": milliseconds}}) as served:
            run = served.play(speech, RATE, 32, 20)
            counted = served.inference_counters()
        row = live_row(run, 32, interims=False)
        rows.append(
            {
                "suffix_padding_ms": milliseconds,
                "used": counted["early_used"],
                "in vain": counted["early_wasted"],
                **{key: row[key] for key in row if str(key).startswith("final ")},
                "CPU ms per speech s": row["CPU ms per speech s"],
            }
        )
    return rows


def drafts() -> list[Row]:
    """Interims decoded from nothing, and from the last interim's words."""
    model = DraftingMoonshine(require(MODEL))
    config = InterimConfig()
    spent = {"from nothing": 0.0, "from the last one": 0.0}
    steps = dict.fromkeys(spent, 0)
    plain: list[str] = []
    drafted: list[str] = []
    for segment in _segments():
        draft: list[int] = []
        for end in interims(len(segment), config):
            begun = time.process_time()
            tokens = model.tokens(segment[:end])
            spent["from nothing"] += time.process_time() - begun
            steps["from nothing"] += len(tokens) + 1
            begun = time.process_time()
            draft, passes = model.verified(segment[:end], draft)
            spent["from the last one"] += time.process_time() - begun
            steps["from the last one"] += passes
            plain.append(model.text(tokens))
            drafted.append(model.text(draft))
    differ = sum(a != b for a, b in zip(plain, drafted, strict=True))
    said = [(a, b) for a, b in zip(plain, drafted, strict=True) if a.strip()]
    changed = 100 * jiwer.wer([a for a, _ in said], [b for _, b in said])
    return [
        {
            "interims": name,
            "decoder passes": steps[name],
            "CPU s": round(spent[name], 2),
            "other text": f"{differ} of {len(plain)}" if name != "from nothing" else "–",
            "other words, %": round(changed, 1) if name != "from nothing" else "–",
        }
        for name in spent
    ]


def main() -> None:
    """Measure, print, write."""
    steps: dict[str, tuple[str, Callable[[], list[Row]]]] = {
        "sockets": ("receiving live audio, and nothing else", sockets),
        "hops": ("queues on the way of a message", hops),
        "detectors": ("Silero's network", detectors),
        "company": ("windows gathered, and brought along", company),
        "workers": ("threads or processes", workers),
        "graphs": ("Moonshine's graphs", graphs),
        "padding": ("early finals by suffix_padding_ms, 32 streams", padding),
        "drafts": ("interims decoded from a draft", drafts),
        "collectors": ("the garbage collector", collectors),
    }
    parser = argparse.ArgumentParser(description="What else there would have been.")
    parser.add_argument("--only", nargs="+", choices=steps, help="the others stay as they were")
    args = parser.parse_args()
    raise_descriptor_limit()
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "alternatives.json"
    results: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
    results["machine"] = machine()
    console = Console(stderr=True)
    wanted = args.only or list(steps)
    with Progress(console=console) as progress:
        bar = progress.add_task("measuring", total=len(wanted))
        for name in wanted:
            title, measure = steps[name]
            progress.update(bar, description=title)
            rows = results[name] = measure()
            progress.console.print(table(title, rows))
            file.write_text(json.dumps(results, indent=2) + "\n")
            progress.advance(bar)


if __name__ == "__main__":
    main()
