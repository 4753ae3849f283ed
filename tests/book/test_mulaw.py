"""Check of the exercise `mulaw`."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.pcm import MULAW
from tests.book.exercise import load

answer = load("mulaw")

finite = st.floats(-4, 4, width=32)


def test_every_code_has_its_value() -> None:
    found = answer.decode(np.arange(256, dtype=np.uint8))
    assert found.dtype == np.float32
    assert found.tolist() == MULAW.tolist()


def test_every_value_survives() -> None:
    codes = answer.encode(MULAW)
    assert codes.dtype == np.uint8
    assert answer.decode(codes).tolist() == MULAW.tolist()  # 0.0 has two codes


@given(st.lists(finite, min_size=1, max_size=50))
def test_no_other_value_is_nearer(values: list[float]) -> None:
    samples = np.array(values, np.float32)
    found = answer.decode(answer.encode(samples)).astype(np.float64)
    distances = np.abs(MULAW.astype(np.float64)[:, np.newaxis] - samples)
    assert (np.abs(found - samples) == distances.min(axis=0)).all()


def test_what_is_too_loud_gets_the_extremes() -> None:
    found = answer.decode(answer.encode(np.array([-3, 3], np.float32)))
    assert found.tolist() == [MULAW.min(), MULAW.max()]
