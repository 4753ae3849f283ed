"""Live load on a server that is started for it, and what it cost: what `make bench` is made of."""

import json
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
import psutil
import soundfile
import soxr

from streamer.load.connect import open_stream
from streamer.load.generate import generate
from streamer.load.load_report import LoadReport
from streamer.load.plan import LoadPlan
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from streamer_client.formats import AudioFormat
from tools.bench.published import PublishedMoonshine
from tools.bench.serving import server

MODEL = "moonshine-tiny-en"
STAND_IN: Mapping[str, object] = {"model": {"type": "standin"}}
UNLIMITED = {"max_sessions": 0, "max_sessions_per_ip": 0, "max_queue_seconds": 0}
RATE = 16_000


def recordings(folder: Path | None) -> list[tuple[Floats, int]]:
    """First channel and sample rate of each recording, those of the model without a folder."""
    if folder is None:
        paths = [require(MODEL) / name for name in ("two_cities.wav", "beckett.wav")]
    else:
        found = sorted(p for p in folder.rglob("*") if p.suffix.upper()[1:] in _READABLE)
        paths = [path for path in found if path.is_file()]
    made = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        made.append((np.ascontiguousarray(samples[:, 0]), rate))
    return made


_READABLE = frozenset(soundfile.available_formats()) - {"RAW"}
"""Suffixes of formats that describe themselves."""


def joined(parts: list[tuple[Floats, int]], rate: int) -> Floats:
    """All recordings one after another at `rate`."""
    return np.concatenate([soxr.resample(part, given, rate) for part, given in parts])


def pcm_of(audio: Floats) -> bytes:
    """The audio as integers of 16 bits."""
    return (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()


@dataclass(frozen=True)
class Sample:
    """The server at one moment of a load: seconds since its beginning, CPU seconds, bytes."""

    at_s: float
    loop_cpu_s: float
    rss: int


@dataclass(frozen=True)
class LiveRun:
    """One load and what it cost: CPU in seconds, of the whole of it."""

    report: LoadReport
    loop_cpu_s: float
    workers_cpu_s: float
    samples: list[Sample]
    """While all streams played."""

    @property
    def loop_ms(self) -> float:
        """CPU of the server process, milliseconds per second of audio."""
        return 1000 * self.loop_cpu_s / self.report.audio_s

    def steady_ms(self, streams: int) -> float:
        """The same, without the opening and closing of the streams."""
        first, last = self.samples[0], self.samples[-1]
        spent_s = last.loop_cpu_s - first.loop_cpu_s
        return 1000 * spent_s / (last.at_s - first.at_s) / streams


class Served:
    """A running server under measurement."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.process = psutil.Process(pid)
        children = self.process.children(recursive=True)
        self.workers = [child for child in children if _rss(child) > 30_000_000]
        self._children = children

    def play(
        self, audio: Floats, rate: int, streams: int, seconds: float, *, interims: bool = False
    ) -> LiveRun:
        """Play `streams` live streams."""
        fmt = AudioFormat(rate, 1, 16)
        plan = LoadPlan(self.url, streams, seconds, pcm_of(audio), fmt, interim_results=interims)
        samples: list[Sample] = []

        def sample(at_s: float) -> None:
            if plan.spread_s < at_s < seconds:
                samples.append(Sample(at_s, _cpu_s([self.process]), self.rss))

        loop, workers = _cpu_s([self.process]), _cpu_s(self._children)
        report = generate(plan, sample)
        loop, workers = _cpu_s([self.process]) - loop, _cpu_s(self._children) - workers
        return LiveRun(report, loop, workers, samples)

    @contextmanager
    def idle(self, streams: int) -> Iterator[None]:
        """Streams that have started and send nothing."""
        plan = LoadPlan(self.url, streams, 0, b"", AudioFormat(RATE, 1, 16))
        with ExitStack() as stack:
            for _ in range(streams):
                stack.enter_context(closing(open_stream(plan)[0]))
            yield

    def inference_counters(self) -> dict[str, float]:
        """The counters of the workers, from `/api/v1/info`."""
        with urlopen(f"http://{urlsplit(self.url).netloc}/api/v1/info") as reply:
            counters: dict[str, float] = json.load(reply)["inference"]
        return counters

    @property
    def rss(self) -> int:
        """Resident bytes of the server process."""
        return _rss(self.process)


@contextmanager
def serve(config: Mapping[str, object], env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A server without limits on the number of sessions."""
    with server(config={**config, "limits": UNLIMITED}, env=env) as (url, pid):
        yield Served(url, pid)


@contextmanager
def written(audio: Floats) -> Iterator[Path]:
    """The audio as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        soundfile.write(path, audio, RATE)
        yield path


def detector_ms(batch: int, calls: int = 200) -> float:
    """CPU milliseconds of Silero alone for a second of audio, with `batch` windows in a call."""
    network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
    windows = np.random.default_rng(0).normal(0, 0.1, (batch, CONTEXT + WINDOW)).astype(np.float32)
    state = network.start(batch)
    started_s = time.process_time()
    for _ in range(calls):
        network.step(network.encode(windows), state)
        network.probabilities(state[0])
    return 1000 * (time.process_time() - started_s) / calls / batch / (WINDOW / RATE)


def bare(
    segments: list[Floats],
    kind: type[Moonshine | PublishedMoonshine] = Moonshine,
    name: str = MODEL,
) -> tuple[float, float]:
    """CPU and wall seconds of the model alone on `segments`, in a tight loop."""
    model = kind(require(name))
    model.warm_up()
    cpu, wall = time.process_time(), time.perf_counter()
    for segment in segments:
        model.infer(segment)
    return time.process_time() - cpu, time.perf_counter() - wall


def bare_worker_rss() -> int:
    """Resident bytes of a process that holds the model and nothing else of the server."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_load_and_weigh)


def _load_and_weigh() -> int:
    Moonshine(require(MODEL)).warm_up()
    return _rss(psutil.Process())


def machine() -> dict[str, object]:
    """What everything was measured on."""
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((x.partition(": ")[2] for x in lines if x.startswith("model name")), "")
    return {
        "cores": os.cpu_count(),
        "processor": model or platform.processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def raise_descriptor_limit() -> None:
    """Room for hundreds of sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _rss(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _cpu_s(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return float(sum(t.user + t.system for t in times))
