"""One recording behind another on a pipe: what is decoded is what the same bytes give as a file."""

import functools
import re
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.recordings.arriving import ArrivingRecording
from streamer.recordings.containers import find_container
from streamer.recordings.decoding import Decoding
from streamer.recordings.recognition import STREAMED
from tests.recordings.kinds import KINDS
from tests.recordings.pipes import Pieces, samples

FIRST = (
    *("aac adts", "aac latm", "ac3", "amr", "eac3", "flac of a pipe", "flac stereo"),
    *("m4a fragmented", "m4a index in front", "mp3 cbr", "mp3 no xing", "mp2"),
    *("ogg opus", "webm opus", "webm live", "mkv flac"),
)
LATER = (
    *("wav s16", "wav mulaw", "wav ima adpcm", "wav list after data", "wav rifx", "wav size 0"),
    *("aiff s16", "flac", "ogg opus", "m4a", "m4a fragmented", "amr", "webm live", "webm opus"),
    *("mp3 tags", "aac adts", "caf alac", "au of a pipe", "wav rf64 of ffmpeg", "wav w64"),
)
ALL = tuple(
    kind for kind in KINDS if kind not in ("ogg chained other codecs", "webm live", "mkv flac")
)
"""Behind Matroska of unknown length, a pipe finds no frames without a container (docs/http.md)."""
MP3_PADDING = 1_152
"""Samples: without seeking, FFmpeg does not cut off the padding at the end of an MP3."""


@functools.cache
def body(kind: str) -> bytes:
    return KINDS[kind].make()


def compare(data: bytes, sizes: list[int], mp3s: int) -> None:
    """Decode the same bytes as a file and from a pipe."""
    file = Decoding(BytesIO(data))
    expected = samples(file)
    start = find_container(BytesIO(data), "the file").start
    kind = file.header.container
    assert kind in STREAMED
    pipe = ArrivingRecording(Pieces(data[start:], sizes), kind, data[start : start + 300])
    arrived = samples(pipe)
    padding = arrived.shape[1] - expected.shape[1]
    assert 0 <= padding <= mp3s * 6 * MP3_PADDING
    if not padding:
        np.testing.assert_array_equal(arrived, expected)
    assert pipe.header[:4] == file.header[:4]
    said, expected_said = pipe.report().warnings, file.report().warnings
    assert len(said) == len(expected_said)
    if not any("unknown" in sentence for sentence in said):
        # The padding at the end of an MP3 moves the places behind it.
        assert [without_numbers(each) for each in said] == [
            without_numbers(each) for each in expected_said
        ]


def without_numbers(sentence: str) -> str:
    return re.sub(r"[\d.]+", "0", sentence)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("first", FIRST)
def test_what_follows_is_decoded_as_in_a_file(first: str, later: str) -> None:
    compare(body(first) + body(later), [40_000], sum("mp" in kind for kind in (first, later)))


@settings(max_examples=25)
@given(
    first=st.sampled_from([kind for kind in FIRST if kind in ALL]),
    later=st.lists(st.sampled_from(ALL), min_size=1, max_size=3),
    sizes=st.lists(st.integers(1, 20_000), max_size=5),
    cut=st.sampled_from([0, 0, 1, 100, 1_500]),
)
def test_any_recordings_in_any_pieces(
    first: str, later: list[str], sizes: list[int], cut: int
) -> None:
    data = b"".join(map(body, (first, *later)))[: -cut or None]
    compare(data, sizes, sum("mp" in kind for kind in (first, *later)))


@pytest.mark.parametrize("later", ["mp3 tags", "mp3 no xing", "aac adts", "wav list after data"])
@pytest.mark.parametrize(
    "first", ["flac", "mp3 cbr", "aac adts", "amr", "ac3", "wav list after data"]
)
def test_nothing_behind_another_recording_is_lost_or_invented(first: str, later: str) -> None:
    """Also where no container's mark shows where it begins."""
    file = Decoding(BytesIO(body(first) + body(later)))
    seconds = samples(file).shape[1] / file.header.sample_rate
    assert seconds == pytest.approx(5, abs=0.15)
    assert not file.report().warnings
