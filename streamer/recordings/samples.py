"""The samples of a frame that FFmpeg has decoded."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from streamer.audio.pcm import ALAW, MULAW, clean_floats

Rows = npt.NDArray[np.float32]

G711_VALUES: Mapping[str, npt.NDArray[np.float32]] = {"mulaw": MULAW, "alaw": ALAW}
"""float32 value of each of the 256 codes, full scale 1.0."""

_SCALES = {"u8": 2.0**-7, "s16": 2.0**-15, "s32": 2.0**-31}


def rows_of(frame: AudioFrame) -> tuple[Rows, int]:
    """Samples as finite float32 [channels, n], full scale 1.0, and how many were not finite."""
    samples = frame.to_ndarray()
    name = frame.format.name.removesuffix("p")
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    scale = _SCALES.get(name)
    if scale is None:
        return clean_floats(cast("Rows", samples))
    rows = samples.astype(np.float32)
    if name == "u8":
        rows -= 128.0
    rows *= np.float32(scale)
    return rows, 0
