"""What early finals in vain cost in new work: `make bench-early`.

    make bench-early                          the recordings that come with the model
    make bench-early AUDIO=path/to/folder     every recording in a folder

An early final is in vain when the speaker goes on. But what it found is the draft of the next
inference of the segment, so a part of its work is not lost. Segments and pauses are those of the
server. Early finals begin as early, and get as far before speech resumes, as on the machine of
`docs/performance.md` when nothing waits. A tight loop infers all finals: alone, with the early
finals in vain, and with their drafts. What the last way takes more than the first is new work in
vain. Results are written to `build/results/early_finals.json`, or to `audio/` in there.
"""

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
from rich.console import Console
from rich.progress import track

from streamer.audio.buffer import SampleBuffer
from streamer.config.segmentation import VadConfig
from streamer.inference.queue import LEAD_FACTOR, LEAD_S
from streamer.model import SegmentRequest, Unwanted
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import (
    SegmentDiscarded,
    SegmentEnded,
    SegmenterEvent,
    SpeechPaused,
    SpeechResumed,
)
from streamer.vad.silero_network import WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import ScoredChannel, probabilities, settings_of
from tools.bench.live import recordings
from tools.bench.networks import MODELS, draft_of, segments
from tools.bench.reference import positive
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

RATE = Moonshine.sample_rate
ROUNDS = 5

FACTORS = {"moonshine-tiny-en": 0.010, "moonshine-base-en": 0.019}
"""Seconds that an inference takes for a second of audio, in `docs/performance.md`. With those of
this machine at this moment, other early finals would be in vain."""


class Vain(NamedTuple):
    """An early final in vain: its audio, float32 [n], and seconds of CPU until speech resumes."""

    samples: Floats
    cpu_s: float


class Whole(NamedTuple):
    """A segment, float32 [n], and the early finals in vain before its final."""

    samples: Floats
    vain: Sequence[Vain]


def wholes(channel: ScoredChannel, factor: float, slowness: float = 1.0) -> Iterator[Whole]:
    """The segments of a recording.

    Args:
        channel: The recording.
        factor: Seconds that an inference takes for a second of audio.
        slowness: How many times as long it takes here and now.
    """
    buffer, samples = SampleBuffer(), channel.samples
    buffer.append(samples)

    def lead(length: int) -> int:
        return math.ceil(RATE * (LEAD_FACTOR * factor * length / RATE + LEAD_S))

    segmenter = Segmenter(settings_of(VadConfig()), WINDOW, buffer, lead)
    timed: list[tuple[int, SegmenterEvent]] = [
        (number * WINDOW, event)
        for number, probability in enumerate(channel.probabilities, 1)
        for event in segmenter.advance(probability)
    ]
    timed += [(len(samples), event) for event in segmenter.finish()]
    vain: list[Vain] = []
    paused: tuple[int, SpeechPaused] | None = None
    for at, event in timed:
        match event:
            case SpeechPaused():
                paused = at, event
            case SpeechResumed() | SegmentEnded():
                if paused and not _confirms(event, paused[1]):
                    begun, early = paused
                    vain.append(
                        Vain(samples[early.start : early.end], slowness * (at - begun) / RATE)
                    )
                paused = None
                if isinstance(event, SegmentEnded):
                    yield Whole(samples[event.start : event.end], vain)
                    vain = []
            case SegmentDiscarded():
                vain, paused = [], None


def _confirms(event: SpeechResumed | SegmentEnded, early: SpeechPaused) -> bool:
    """Whether the early final is the final."""
    if isinstance(event, SpeechResumed):
        return False
    return (event.start, event.end) == (early.start, early.end)


@dataclass
class Spent:
    """What a loop took: seconds of CPU, those of early finals in vain among them, and passes."""

    texts: list[object]
    all_s: float = 0.0
    vain_s: float = 0.0
    passes: int = 0


def infer(model: Moonshine, found: Sequence[Whole], *, early: bool, drafts: bool) -> Spent:
    """All finals once.

    Args:
        model: Any.
        found: The segments.
        early: Whether the early finals in vain are inferred, too.
        drafts: Whether what they find is a draft.
    """
    spent, passes, begun_s = Spent([]), model.decoder.network.runs, time.process_time()
    for whole in found:
        draft = b""
        for each in whole.vain if early else ():
            before_s = time.process_time()
            new = until_unwanted(model, each, draft)
            spent.vain_s += time.process_time() - before_s
            draft = new or draft if drafts else b""
        output = model.infer_request(whole.samples, SegmentRequest(draft=draft))
        spent.texts.append(output["text"])
    spent.all_s = time.process_time() - begun_s
    spent.passes = model.decoder.network.runs - passes
    return spent


def until_unwanted(model: Moonshine, early: Vain, draft: bytes) -> bytes:
    """The draft that an early final leaves, which ends when speech resumes."""
    until_s = time.process_time() + early.cpu_s
    model.unwanted = lambda: time.process_time() > until_s
    try:
        return draft_of(model.infer_request(early.samples, SegmentRequest(draft=draft)))
    except Unwanted as stopped:
        return stopped.draft
    finally:
        model.unwanted = type(model).unwanted


WAYS = {
    "alone": {"early": False, "drafts": False},
    "no drafts": {"early": True, "drafts": False},
    "drafts": {"early": True, "drafts": True},
}


def measure(name: str, channels: Sequence[ScoredChannel], rounds: int, progress: Console) -> Row:
    """The row of a model; the ways take turns."""
    model = Moonshine(require(name))
    slowness = factor_of(model) / FACTORS[name]
    found = [w for channel in channels for w in wholes(channel, FACTORS[name], slowness)]
    loops: dict[str, list[Spent]] = {way: [] for way in WAYS}
    for _ in track(range(rounds), description=name, console=progress):
        for way, options in WAYS.items():
            loops[way].append(infer(model, found, **options))
    texts = [loop.texts for each in loops.values() for loop in each]
    return row(name, found, loops) | {"other texts": sum(each != texts[0] for each in texts)}


def row(name: str, found: Sequence[Whole], loops: dict[str, list[Spent]]) -> Row:
    """Medians of the loops."""
    audio_s = sum(len(whole.samples) for whole in found) / RATE
    spent_s = {way: statistics.median(loop.all_s for loop in each) for way, each in loops.items()}
    vain_s = statistics.median(loop.vain_s for loop in loops["no drafts"])
    passes = {way: statistics.median(loop.passes for loop in each) for way, each in loops.items()}
    new_s = spent_s["drafts"] - spent_s["alone"]
    return {
        "model": name,
        "finals": len(found),
        "in vain": sum(len(whole.vain) for whole in found),
        "audio of finals, s": round(audio_s, 1),
        "in vain, s": round(sum(len(e.samples) for w in found for e in w.vain) / RATE, 1),
        **{f"{way}, ms/s": round(1_000 * each / audio_s, 2) for way, each in spent_s.items()},
        **{f"{way}, passes": round(each) for way, each in passes.items()},
        "in vain, %": round(100 * vain_s / spent_s["no drafts"], 1),
        "new work in vain, %": round(100 * new_s / spent_s["drafts"], 1),
    }


def factor_of(model: Moonshine) -> float:
    """Seconds of CPU that an inference takes for a second of audio."""
    found = segments()
    model.infer(found[0])  # warm
    begun_s = time.process_time()
    for samples in found:
        model.infer(samples)
    return (time.process_time() - begun_s) * RATE / sum(map(len, found))


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.early_finals", "What early finals in vain cost in new work.")
    parser.add_argument("--audio", type=Path, help="a folder of recordings")
    parser.add_argument("--rounds", type=positive, default=ROUNDS)
    args = parser.parse_args()
    network = SileroNetwork(require("silero-vad") / "silero_vad_16k_op15.onnx")
    channels = []
    for samples, rate in recordings(args.audio):
        resampled = np.asarray(soxr.resample(samples, rate, RATE), np.float32)
        channels.append(ScoredChannel(resampled, probabilities(resampled, network)))
    progress = Console(stderr=True)
    rows = [measure(name, channels, args.rounds, progress) for name in MODELS]
    Console(width=180).print(table("early finals in vain, of one stream", rows))
    write_json(f"{'audio/' if args.audio else ''}early_finals.json", {"rows": rows})


if __name__ == "__main__":
    main()
