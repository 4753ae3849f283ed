"""Speech probability for each 32 ms frame: Silero VAD as a model, for `/api/v1/simple`.

The example of a stateful model: the network is recurrent, and a chunk need not end where a frame
does. The samples left over go into the state. So the frames of all chunks together are those of one
pass over the whole signal, wherever it was cut.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from streamer.model import StatefulModel
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import CONTEXT, SAMPLE_RATE, WINDOW, SileroNetwork


class FramesState(NamedTuple):
    """What one channel carries from chunk to chunk."""

    network: Floats
    """The network's state, float32 [2, 1, 128]."""
    rest: Floats
    """float32 [64 + n]: the context of the next frame, and the n samples of it so far."""


class SpeechFrames(StatefulModel):
    """Returns `{"frames": [probability, …], "frame_seconds": 0.032, "first_frame_offset": 0.0}`.

    The offset counts from the segment's `start_time`. It is negative when the first frame began in
    the chunk before.

    Args:
        folder: Holds Silero's ONNX file.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, folder: Path) -> None:
        (path,) = folder.glob("*.onnx")
        self._network = SileroNetwork(path)

    def infer_next(
        self, samples: Floats, state: FramesState | None
    ) -> tuple[dict[str, object], FramesState]:
        """The frames that end within `samples`, float32 [n] at 16 kHz."""
        if state is None:
            start = np.zeros(CONTEXT, dtype=np.float32)
            state = FramesState(self._network.start(), start)
        audio = np.concatenate((state.rest, samples))
        probabilities, network = self._network.follow(audio, state.network)
        output = {
            "frames": [round(probability, 6) for probability in probabilities],
            "frame_seconds": WINDOW / SAMPLE_RATE,
            "first_frame_offset": (CONTEXT - len(state.rest)) / SAMPLE_RATE,
        }
        return output, FramesState(network, audio[len(probabilities) * WINDOW :].copy())
