"""How long before it is needed a result is asked for, by what earlier ones took."""

import pytest

from streamer.inference.queue import JobQueue
from streamer.inference.scheduler import Scheduler


async def test_the_lead_is_what_the_model_takes_and_a_little_more() -> None:
    queue = JobQueue(Scheduler(1), 1)
    for _ in range(200):
        queue.record_duration(0.5, 5.0)
    assert queue.lead_seconds(0.0) < 0.2
    assert queue.lead_seconds(10.0) - queue.lead_seconds(0.0) == pytest.approx(1.2, rel=0.05)


async def test_a_moment_of_audio_says_little_of_what_a_second_takes() -> None:
    queue = JobQueue(Scheduler(1), 1)
    for _ in range(200):
        queue.record_duration(0.1, 1.0)
    before_s = queue.lead_seconds(5.0)
    queue.record_duration(0.05, 1 / 16_000)  # a sample, before a flush
    assert queue.lead_seconds(5.0) < 1.2 * before_s
    queue.record_duration(0.0, 0.0)
    assert queue.lead_seconds(5.0) < 1.2 * before_s
