"""The recordings that are played, and how they are cut into messages."""

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import soundfile

from tools.harness.sounds import SUBTYPES, Audio, encode

WHOLE_BYTES = 65_536
"""Bytes of a message when nothing is cut at random."""

LARGEST_CUT_BYTES = 131_072
"""Below the server's `limits.max_message_bytes`."""

CUTS = 40
"""Lower bound of the number of random messages. More come, but well below 1000 a second."""

_ENCODINGS = {subtype: wire for wire, subtype in SUBTYPES.items()}


@dataclass(frozen=True)
class PlayedRecording:
    """A file.

    Attributes:
        name: As in the manifest.
        path: Where it is.
        audio: Its samples, as they go over a WebSocket; None = libsndfile cannot read it.
    """

    name: str
    path: Path
    audio: Audio | None

    @property
    def body(self) -> bytes:
        """Its bytes, as they go into a request."""
        return self.path.read_bytes()


def read_recording(name: str, path: Path) -> PlayedRecording:
    """Read a file; its samples keep their encoding, or become float32 if it has none of ours."""
    try:
        subtype = soundfile.info(path).subtype
        samples, rate = soundfile.read(path)
    except (soundfile.SoundFileError, TypeError):  # TypeError: a raw file, of unknown rate
        return PlayedRecording(name, path, None)
    bit_depth, is_float, encoding = _ENCODINGS.get(subtype, (32, True, "pcm"))
    return PlayedRecording(name, path, encode(samples, rate, bit_depth, is_float, encoding))


def manifest(folder: Path) -> list[tuple[str, Path]]:
    """Name and path of every file in a folder's `manifest.json`."""
    files = json.loads((folder / "manifest.json").read_text())["files"]
    return [(entry["path"], folder / entry["path"]) for entry in files]


def whole(data: bytes) -> Iterator[bytes]:
    """Messages of equal size."""
    return (data[first : first + WHOLE_BYTES] for first in range(0, len(data), WHOLE_BYTES))


def random_cuts(data: bytes, seed: str) -> Iterator[bytes]:
    """Messages of one byte to `LARGEST_CUT_BYTES`, as many small ones as large ones.

    The same seed gives the same cuts. Samples and frames are cut apart.
    """
    chance = random.Random(seed)
    most = min(max(len(data) // CUTS, 4_096), LARGEST_CUT_BYTES)
    first = 0
    while first < len(data):
        size = int(math.exp(chance.uniform(0, math.log(most))))
        yield data[first : first + size]
        first += size
