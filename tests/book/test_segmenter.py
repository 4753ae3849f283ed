"""Check of the exercise `segmenter`; the server's own segmenter is the judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.buffer import SampleBuffer
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import SegmentEnded
from streamer.vad.segmenter_settings import SegmenterSettings
from tests.book.exercise import load

answer = load("segmenter")


def the_servers(speech: list[bool], asked: tuple[int, int, int, int]) -> list[tuple[int, int]]:
    """With windows of one sample."""
    min_speech, min_silence, prefix, suffix = asked
    settings = SegmenterSettings(
        threshold=0.5, min_silence=min_silence, min_speech=min_speech, prefix_padding=prefix,
        suffix_padding=suffix, max_segment=10_000, sample_rate=1_000,
    )  # fmt: skip
    audio = SampleBuffer()
    audio.append(np.zeros(len(speech), np.float32))
    segmenter = Segmenter(settings, 1, audio)
    events = [event for one in speech for event in segmenter.advance(0.9 if one else 0.1)]
    events += segmenter.finish()
    return [(event.start, event.end) for event in events if isinstance(event, SegmentEnded)]


def found(picture: str, *asked: int) -> list[tuple[int, int]]:
    speech = [character == "#" for character in picture]
    segments: list[tuple[int, int]] = answer.segments(speech, answer.Settings(*asked))
    return segments


@pytest.mark.parametrize(
    ("picture", "segments"),
    [
        ("...####......", [(1, 8)]),
        ("##......", [(0, 3)]),
        ("...#......", []),
        ("...#.#....", [(1, 7)]),
        ("##..##...", [(0, 7)]),
        ("##...##...", [(0, 3), (3, 8)]),
        ("##....##...", [(0, 3), (4, 9)]),
        ("...##", [(1, 5)]),
        ("##...#", [(0, 3)]),
    ],
)
def test_pictures(picture: str, segments: list[tuple[int, int]]) -> None:
    assert found(picture, 2, 3, 2, 1) == segments


@st.composite
def settings(draw: st.DrawFn) -> tuple[int, int, int, int]:
    min_speech = draw(st.integers(1, 4))
    min_silence = draw(st.integers(min_speech, 8))
    return min_speech, min_silence, draw(st.integers(0, 6)), draw(st.integers(0, min_silence))


@given(st.text("#.", max_size=80), settings())
def test_the_same_segments_as_the_servers(picture: str, asked: tuple[int, int, int, int]) -> None:
    expected = the_servers([character == "#" for character in picture], asked)
    # At the end of a stream the server counts less than a window of silence as speech; a window of
    # one sample has no less.
    assert found(picture, *asked) == expected
