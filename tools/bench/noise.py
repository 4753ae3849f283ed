"""Noise, and speech with noise added.

Part of `make accuracy AUDIO=folder`: the folder's manifest has the noise, in files of the category
"noise". Recording and noise have the same mean power at 0 dB. Which noise a recording gets depends
on its place in the list and on nothing else, so every model gets the same.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats

LEVELS_DB = (20, 10, 5)
"""Decibels by which the speech is louder."""


def noises(folder: Path) -> list[Floats]:
    """The folder's noise, float32 [n] at 16 kHz each."""
    files = json.loads((folder / "manifest.json").read_text())["files"]
    found = []
    for entry in files:
        if entry.get("category") == "noise":
            samples, rate = soundfile.read(folder / entry["path"], dtype="float32", always_2d=True)
            found.append(soxr.resample(samples[:, 0], rate, Moonshine.sample_rate))
    return found


def mixed(speech: Floats, noise: Sequence[Floats], place: int, level_db: float) -> Floats:
    """Speech with noise, which begins anew where it is shorter, added at a level.

    Args:
        speech: float32 [n].
        noise: Pieces to choose from.
        place: Chooses one.
        level_db: Decibels by which the speech is louder.
    """
    chosen = np.resize(noise[place % len(noise)], len(speech))
    ratio = _power(speech) / max(_power(chosen), 1e-12) / 10 ** (level_db / 10)
    return np.asarray(speech + chosen * np.sqrt(ratio), np.float32)


def _power(samples: Floats) -> float:
    return float(np.square(samples, dtype=np.float64).mean())
