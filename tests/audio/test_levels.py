"""Floats whose full scale is not 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.audio.levels import FAR, FAR_SAMPLES, LevelCheck

TONE = np.sin(np.arange(16_000) / 20).astype(np.float32)[np.newaxis]


def found(rows: NDArray[np.float32], size: int = 320) -> list[bool]:
    check = LevelCheck()
    return [check.out_of_scale(rows[:, at : at + size]) for at in range(0, rows.shape[1], size)]


@pytest.mark.parametrize("scale", [300, 3_000, 32_768, 8_388_608, 2**31])
def test_integers_as_floats_are_reported_once(scale: float) -> None:
    assert found(TONE * np.float32(scale)).count(True) == 1


@pytest.mark.parametrize("scale", [0, 0.001, 1, 2, 16, FAR])
def test_float_audio_is_not_however_loud(scale: float) -> None:
    assert not any(found(TONE * np.float32(scale)))


def test_a_few_broken_samples_are_not() -> None:
    rows = np.zeros((1, 16_000), np.float32)
    rows[0, :: 16_000 // (FAR_SAMPLES - 1) + 1] = 1e9
    assert not any(found(rows))


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=8),
    st.lists(st.integers(1, 500), min_size=1, max_size=8),
)
def test_how_the_samples_are_cut_makes_no_difference(far: list[int], sizes: list[int]) -> None:
    rows = np.concatenate([np.r_[np.zeros(9), np.full(count, -100.0)] for count in far])
    check, at, reports = LevelCheck(), 0, 0
    while at < len(rows):
        size = sizes[at % len(sizes)]
        reports += check.out_of_scale(rows[np.newaxis, at : at + size].astype(np.float32))
        at += size
    assert reports == (sum(far) >= FAR_SAMPLES)
