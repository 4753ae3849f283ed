"""The stand-in model: takes the time and fails as configured, and returns the number of samples.

For tests, for load, and to see how the server behaves when a model is slow or fails.
"""

import os
import random
import signal
import time

import numpy as np
import numpy.typing as npt

from streamer.model import Model


class StandIn(Model):
    """Returns `{"count": samples}`.

    Args:
        delay: Seconds that each inference takes, independent of its length.
        constant_factor: Further seconds for each second of audio: its real-time factor.
        jitter: Largest random addition, as a fraction of the time: 0.5 adds up to half of it.
        failure_rate: Probability that an inference raises.
        crash_rate: Probability that an inference kills its process.
        warmup_penalty: Seconds that the warm-up takes, before the worker is ready.
        sample_rate: Hz. The rate of the audio that it gets.
        busy: Spend the time computing, as a real model does, instead of sleeping.
        seed: Makes the random numbers repeatable; they are the same in each worker.
    """

    def __init__(
        self,
        *,
        delay: float = 0.0,
        constant_factor: float = 0.0,
        jitter: float = 0.0,
        failure_rate: float = 0.0,
        crash_rate: float = 0.0,
        warmup_penalty: float = 0.0,
        sample_rate: int = 16_000,
        busy: bool = False,
        seed: int | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self._delay = delay
        self._constant_factor = constant_factor
        self._jitter = jitter
        self._failure_rate = failure_rate
        self._crash_rate = crash_rate
        self._warmup_penalty = warmup_penalty
        self._busy = busy
        self._random = random.Random(seed)  # noqa: S311 – chances of failure, not secrets

    def warm_up(self) -> None:
        """Take the configured time of a cold start."""
        self._spend(self._warmup_penalty)

    def infer(self, samples: npt.NDArray[np.float32]) -> dict[str, object]:
        """Take the configured time; fail as configured, or count float32 [n]."""
        if self._random.random() < self._crash_rate:
            os.kill(os.getpid(), signal.SIGKILL)
        seconds = self._delay + self._constant_factor * len(samples) / self.sample_rate
        self._spend(seconds * (1 + self._jitter * self._random.random()))
        if self._random.random() < self._failure_rate:
            raise RuntimeError("the stand-in model was told to fail")
        return {"count": len(samples)}

    def _spend(self, seconds: float) -> None:
        if not self._busy:
            time.sleep(seconds)
            return
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass
