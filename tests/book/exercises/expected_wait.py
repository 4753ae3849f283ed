"""How long would the first segment of a new session wait?"""

from collections.abc import Sequence
from typing import NamedTuple


class Pool(NamedTuple):
    """What is known of a pool now. All times in seconds."""

    workers: int
    """At least 1."""
    waiting_audio_s: Sequence[float]
    """Length of the next final of each session that waits."""
    mean_inference_s: float
    """Of recent finals."""
    inference_for_a_second: float
    """Of recent finals: inference time for a second of audio."""
    waits_since_s: float | None
    """Since when a final has waited without any worker being given a job. None = none waits."""


def expected_wait_s(pool: Pool, now_s: float) -> float:
    """Return the expected wait of a new session's first segment.

    - Nothing waits: 0.
    - Two estimates: the number of sessions that wait, each with a mean inference; and the length of
      what waits. The lower one counts, shared by the workers.
    - If workers hang or are gone, no job begins. So the wait is at least as long as a final has
      waited already.
    """
    raise NotImplementedError
