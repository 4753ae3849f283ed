"""Check of the exercise `quietest`."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("quietest")


@given(st.lists(st.integers(-8, 8), min_size=1, max_size=60), st.data())
def test_no_frame_is_quieter(values: list[int], data: st.DataObject) -> None:
    """Whole numbers, so that sums are exact."""
    frame = data.draw(st.integers(1, len(values)))
    energies = [
        sum(value * value for value in values[at : at + frame])
        for at in range(len(values) - frame + 1)
    ]
    expected = energies.index(min(energies)) + frame // 2
    assert answer.quietest(np.array(values, np.float32), frame) == expected


def test_a_quiet_place_after_much_noise() -> None:
    """In 32 bits, the sum of what is before would swallow the difference."""
    samples = np.full(400_000, 0.5, np.float32)
    samples[300_000:300_480] = 0.4999
    assert answer.quietest(samples, 480) == 300_240


def test_a_frame_as_long_as_the_samples() -> None:
    assert answer.quietest(np.ones(7, np.float32), 7) == 3
