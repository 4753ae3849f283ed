"""Models that nodes import by their path; the first sample of a segment says what they do."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer import Model, StatefulModel, Unwanted

Samples = npt.NDArray[np.float32]


class Raising(Model):
    """Raises on loud segments."""

    def infer(self, samples: Samples) -> Mapping[str, object]:
        if np.abs(samples).max() > 0.5:
            raise RuntimeError("too loud")
        return {"pid": os.getpid()}


class Batching(Model):
    """Answers with the size of the batch; one call takes as long whatever it holds."""

    max_batch_size = 8
    max_batch_wait_ms = 400.0

    def infer(self, samples: Samples) -> Mapping[str, object]:
        return {"batch": 1, "pid": os.getpid()}

    def infer_batch(self, batch: Sequence[Samples]) -> Sequence[Mapping[str, object]]:
        return [{"batch": len(batch), "pid": os.getpid()} for _ in batch]


class Counting(StatefulModel):
    """The number of segments that a channel has had, and where the last one ran."""

    def infer_next(self, samples: Samples, state: int | None) -> tuple[Mapping[str, object], int]:
        count = (state or 0) + 1
        return {"count": count, "pid": os.getpid()}, count


class Patient(Model):
    """Works until it is told that the result is unwanted, and leaves a note of it.

    Args:
        notes: The file for it.
    """

    def __init__(self, notes: str) -> None:
        self._notes = Path(notes)

    def warm_up(self) -> None:
        """Nothing: an inference would take a minute."""

    def infer(self, samples: Samples) -> Mapping[str, object]:
        self._notes.write_text("begun")
        for _ in range(3_000):
            if self.unwanted():
                self._notes.write_text("abandoned")
                raise Unwanted
            time.sleep(0.02)
        return {}
