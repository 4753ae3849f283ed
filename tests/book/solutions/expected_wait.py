"""Two estimates and a lower bound."""

from collections.abc import Sequence
from typing import NamedTuple


class Pool(NamedTuple):
    """What is known of a pool now."""

    workers: int
    waiting_audio_s: Sequence[float]
    mean_inference_s: float
    inference_for_a_second: float
    waits_since_s: float | None


def expected_wait_s(pool: Pool, now_s: float) -> float:
    """Only what waits counts."""
    if pool.waits_since_s is None:
        return 0.0
    by_number_s = len(pool.waiting_audio_s) * pool.mean_inference_s
    by_length_s = sum(pool.waiting_audio_s) * pool.inference_for_a_second
    expected_s = min(by_number_s, by_length_s) / pool.workers
    return max(expected_s, now_s - pool.waits_since_s)
