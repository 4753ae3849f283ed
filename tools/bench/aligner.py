"""Where the words of a transcript are, by forced alignment with PocketSphinx.

It is wrong by some tens of milliseconds itself.
"""

import argparse
from importlib.util import find_spec

import numpy as np
import soxr

from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from tools.bench.certainty import Aligned
from tools.bench.reference import ReferenceRecording, read, words

RATE = Moonshine.sample_rate
FRAMES_PER_S = 100

MISSING = (
    "" if find_spec("pocketsphinx") else "words are aligned by PocketSphinx, which is not here"
)
"""Why words cannot be aligned; empty = they can. It has no wheels for Python 3.12 and newer."""


def require_aligner(parser: argparse.ArgumentParser) -> None:
    """End the command with an error if words cannot be aligned."""
    if MISSING:
        parser.error(f"{MISSING}: run this with Python 3.11")


def aligned(samples: Floats, transcript: str) -> list[Aligned]:
    """The words of a transcript in float32 [n] at 16 kHz; none if its dictionary lacks a word."""
    from pocketsphinx import Decoder  # see MISSING; the rest of this needs none

    decoder = Decoder(samprate=RATE, lm=None, loglevel="FATAL")
    try:
        decoder.set_align_text(words(transcript))
    except RuntimeError:
        return []
    decoder.start_utt()
    decoder.process_raw((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    found = [
        Aligned(
            segment.word.partition("(")[0],
            segment.start_frame / FRAMES_PER_S,
            (segment.end_frame + 1) / FRAMES_PER_S,
        )
        for segment in decoder.seg() or ()
    ]
    spoken = [each for each in found if each.word[0] not in "<["]
    return spoken if [each.word for each in spoken] == words(transcript).split() else []


def alignment(recording: ReferenceRecording) -> list[Aligned]:
    """The words of a recording, as `aligned`."""
    samples, rate = read(recording.path, 0)
    return aligned(soxr.resample(samples, rate, RATE), recording.transcript)
