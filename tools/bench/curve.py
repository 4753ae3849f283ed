"""What each of the segmenter's settings does: `make accuracy-curve AUDIO=folder`.

Silero's probabilities are computed once for each file; then the segmenter is run over them with
one setting after another, and the transcriber over the segments that come of it. Nothing goes
through a socket here: `make accuracy` does that, with the defaults that were chosen.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import soundfile
import soxr
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.audio.buffer import SampleBuffer
from streamer.config.segmentation import VadConfig
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.pipeline.segmenter_config import segmenter_settings
from streamer.vad.gain import InputGain
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import SegmentEnded, SpeechPaused, SpeechStarted
from streamer.vad.segmenter_settings import SegmenterSettings
from streamer.vad.silero_network import CONTEXT, SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench import vad
from tools.bench.pictures import draw_curve
from tools.bench.reference import (
    LATER_MS,
    MODEL,
    ROUNDS,
    ReferenceRecording,
    Transcripts,
    error_rate,
    losses,
    positive,
    read,
    recordings,
)
from tools.bench.result_files import write_json
from tools.command_line import tool_parser

SWEPT: Mapping[str, tuple[float, ...]] = {
    "min_silence_ms": (200, 300, 400, 450, 500, 550, 600, 800),
    "threshold": (0.3, 0.4, 0.5, 0.6, 0.7),
    "min_speech_ms": (50, 100, 150, 200, 250, 300),
    "prefix_padding_ms": (100, 200, 300, 450, 600, 800),
    "suffix_padding_ms": (50, 100, 200, 250, 300, 350, 450, 550),
}
"""Each alone, the others at their defaults."""


@dataclass(frozen=True)
class ScoredChannel:
    """One channel of a file at 16 kHz, and the probability of speech in each window."""

    samples: Floats
    probabilities: list[float]


@dataclass(frozen=True)
class Cut:
    """A segment in samples: its speech, the audio for the model, and its false pauses."""

    speech: tuple[int, int]
    audio: tuple[int, int]
    resumed: int
    """Pauses within it in which an early final would be started in vain."""


def tracks(
    path: Path, network: SileroNetwork, *, channels: int | None = None
) -> list[ScoredChannel]:
    """The first `channels` of a file, or all of them."""
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return [_track(np.ascontiguousarray(row), rate, network) for row in audio.T[:channels]]


def _track(audio: Floats, rate: int, network: SileroNetwork) -> ScoredChannel:
    samples = soxr.resample(audio, rate, SAMPLE_RATE)
    return ScoredChannel(samples, probabilities(samples, network))


def probabilities(samples: Floats, network: SileroNetwork, *, gain: bool = True) -> list[float]:
    """Of speech, of the windows of float32 [n] at 16 kHz, as the server computes them.

    Args:
        samples: One channel.
        network: Silero's.
        gain: Whether quiet audio is raised first (`streamer.vad.gain`).
    """
    windows = np.pad(samples, (0, -len(samples) % WINDOW)).reshape(-1, WINDOW)
    raised = InputGain().apply(windows) if gain else windows
    found, _ = network.follow(np.pad(raised.reshape(-1), (CONTEXT, 0)), network.start())
    return found


def settings_of(config: VadConfig) -> SegmenterSettings:
    """In samples, as the server has them without interims."""
    return segmenter_settings(config, None, SAMPLE_RATE)


def cuts(track: ScoredChannel, settings: SegmenterSettings) -> Iterator[Cut]:
    """The segments of a track."""
    buffer = SampleBuffer()
    buffer.append(track.samples)
    segmenter = Segmenter(settings, WINDOW, buffer)
    start_of_speech = pauses = 0
    events = [event for p in track.probabilities for event in segmenter.advance(p)]
    for event in [*events, *segmenter.finish()]:
        match event:
            case SpeechStarted(at):
                start_of_speech, pauses = at, 0
            case SpeechPaused():
                pauses += 1
            case SegmentEnded(at, start, end):
                yield Cut((start_of_speech, at), (start, end), max(0, pauses - 1))
            case _:
                pass


@dataclass
class Play:
    """A recording once: its words, its text as a whole, and the text of each piece."""

    reference: str
    whole: str
    track: ScoredChannel
    _transcripts: dict[tuple[int, int], str] = field(default_factory=dict)

    def cut(self, settings: SegmenterSettings, model: Moonshine) -> tuple[Transcripts, int]:
        """The transcripts with these settings, and the number of false pauses."""
        found = list(cuts(self.track, settings))
        for start, end in {cut.audio for cut in found} - set(self._transcripts):
            self._transcripts[start, end] = str(model.infer(self.track.samples[start:end])["text"])
        text = " ".join(self._transcripts[cut.audio] for cut in found)
        resumed = sum(cut.resumed for cut in found)
        return Transcripts(self.reference, self.whole, text), resumed


class Files:
    """All recordings, read once for each round, and the transcript of each piece."""

    def __init__(
        self, folder: Path | None, rounds: int, threads: Executor, progress: Progress
    ) -> None:
        network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
        self._models: SimpleQueue[Moonshine] = SimpleQueue()
        """Those that no thread uses: a model is for one thread at a time."""
        for _ in range(os.cpu_count() or 1):
            self._models.put(Moonshine(require(MODEL)))
        self._rounds = rounds
        self._threads = threads  # ONNX Runtime releases the interpreter's lock
        plays = [(r, turn * LATER_MS) for turn in range(rounds) for r in recordings(folder)]
        played = self._threads.map(lambda play: self._play(play[0], play[1], network), plays)
        self._asr = list(progress.track(played, total=len(plays), description="reading"))
        files = vad.labelled(folder) if folder else []
        self._vad = [
            (file, tracks(file.path, network))
            for file in progress.track(files, description="finding speech")
        ]

    def measure(self, config: VadConfig) -> dict[str, float]:
        """All figures for one setting."""
        settings = settings_of(config)

        def cut(play: Play) -> tuple[Transcripts, int]:
            with self._model() as model:
                return play.cut(settings, model)

        outcomes = list(self._threads.map(cut, self._asr))
        done = [recording for recording, _ in outcomes]
        found_speech = [
            (file, [_seconds(cut.speech) for track in each for cut in cuts(track, settings)])
            for file, each in self._vad
        ]
        lost = losses(done)
        figures: dict[str, float] = {
            "word error rate": error_rate([(each.reference, each.streamed) for each in done]),
            "of whole files": error_rate([(each.reference, each.whole) for each in done]),
            "first words lost": lost.first_words / self._rounds,
            "words lost": lost.words / self._rounds,
            "false pauses": sum(resumed for _, resumed in outcomes) / self._rounds,
        }
        if found_speech:
            score = asdict(vad.score("silero", found_speech))
            del score["engine"]
            figures |= {name.replace("_", " "): value for name, value in score.items()}
        return figures

    @contextmanager
    def _model(self) -> Iterator[Moonshine]:
        """A model that no other thread uses."""
        model = self._models.get()
        try:
            yield model
        finally:
            self._models.put(model)

    def _play(self, recording: ReferenceRecording, later_ms: int, network: SileroNetwork) -> Play:
        samples, rate = read(recording.path, later_ms)
        track = _track(samples, rate, network)
        with self._model() as model:
            whole = str(model.infer(track.samples)["text"])
        return Play(recording.transcript, whole, track)


def _seconds(interval: tuple[int, int]) -> vad.Interval:
    start, end = interval
    return start / SAMPLE_RATE, end / SAMPLE_RATE


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.curve", "What each of the segmenter's settings does.")
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help="times that each is played")
    args = parser.parse_args()
    rows: list[dict[str, object]] = []
    with (
        ThreadPoolExecutor(os.cpu_count()) as threads,
        Progress(console=Console(stderr=True)) as progress,
    ):
        files = Files(args.audio, args.rounds, threads, progress)
        steps = [(name, value) for name, values in SWEPT.items() for value in values]
        for name, value in progress.track(steps, description="segmenting"):
            config = VadConfig(**{name: value})  # type: ignore[arg-type]
            figures = {key: round(x, 3) for key, x in files.measure(config).items()}
            rows.append({"setting": name, "value": value, **figures})
    table = Table(title="one setting at a time, the others at their defaults")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            *(f"{value:g}" if isinstance(value, float) else str(value) for value in row.values())
        )
    Console(width=240).print(table)
    results = {"rounds": args.rounds, "defaults": _defaults(), "rows": rows}
    draw_curve(results, write_json("curve.json", results).parent)


def _defaults() -> dict[str, object]:
    config = VadConfig()
    return {name: getattr(config, name) for name in SWEPT}


if __name__ == "__main__":
    main()
