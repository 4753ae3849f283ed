"""Recordings from a pipe: recognised by no more bytes than it takes, decoded in any pieces."""

import functools
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.recordings.arriving import ArrivingRecording
from streamer.recordings.containers import find_container
from streamer.recordings.decoding import Decoding
from streamer.recordings.recognition import STREAMED, Recognised, recognise, recognise_inside
from tests.recordings.kinds import KINDS
from tests.recordings.makers import id3
from tests.recordings.pipes import Pieces, samples

ARRIVING = (
    *("aac adts", "aac joined", "aac latm", "ac3", "amr", "flac of a pipe", "flac id3 before"),
    *("m4a fragmented", "m4a index in front", "mp3 of a pipe", "mp3 joined", "mp3 tags"),
    *("ogg chained other codecs", "ogg flac", "ogg opus", "ogg without end", "webm opus"),
    *("webm live", "mkv flac"),
)


@functools.cache
def body(kind: str) -> bytes:
    return KINDS[kind].make()


@pytest.mark.parametrize("kind", KINDS)
def test_a_prefix_is_recognised_as_the_whole_is_or_not_yet(kind: str) -> None:
    found = find_container(BytesIO(body(kind)), "the file")
    whole = recognise(body(kind), ended=True)
    if whole is None or whole.kind is None:
        assert found.skipped or found.start, "it begins with other bytes"
        return
    assert whole == Recognised(found.kind, found.start)
    for length in (*range(200), 500, 2_000, 10_000):
        assert recognise(body(kind)[:length], ended=False) in (None, whole)


@pytest.mark.parametrize(
    ("head", "needed"),
    [
        (b"ab", 1),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff", 8),
        (b"\0\0\0\0", 4),
        (b"RIFE", 4),
        (b"ID\0", 3),
    ],
)
def test_raw_samples_wait_for_the_fewest_bytes(head: bytes, needed: int) -> None:
    assert recognise(head[:needed], ended=False) == Recognised(None)
    assert needed == 1 or recognise(head[: needed - 1], ended=False) is None


@given(st.binary(max_size=100))
def test_the_end_settles_what_it_is(head: bytes) -> None:
    assert recognise(head, ended=True) is not None
    early = recognise(head, ended=False)
    assert early in (None, recognise(head, ended=True))


def test_a_tag_belongs_to_a_recording() -> None:
    assert recognise(id3(5_000), ended=False) is None
    assert recognise(id3(50) + b"fLaC" + bytes(60), ended=False) == Recognised("FLAC", 60)


def test_a_stream_is_found_that_begins_within_a_frame() -> None:
    mp3 = body("mp3 no xing")
    found = recognise_inside(mp3[100:])
    assert found.kind == "MP3"
    assert recognise(mp3[100 + found.start :], ended=False) == Recognised("MP3")
    assert recognise_inside(np.arange(-9_000, 9_000, dtype="<i2").tobytes()).kind is None


@settings(max_examples=25)
@given(
    kind=st.sampled_from(ARRIVING),
    sizes=st.lists(st.integers(1, 5_000), max_size=5),
    cut=st.sampled_from([0, 1, 100, 1_500]),
)
def test_in_any_pieces_it_is_decoded_as_from_a_file(kind: str, sizes: list[int], cut: int) -> None:
    data = body(kind)[: -cut or None]
    file = Decoding(BytesIO(data))
    assert file.header.container in STREAMED
    start = find_container(BytesIO(data), "the file").start
    pipe = ArrivingRecording(
        Pieces(data[start:], sizes), file.header.container, data[start : start + 300]
    )
    expected, arrived = samples(file), samples(pipe)
    # Without seeking, FFmpeg does not cut off the padding at the end of an MP3.
    padding = arrived.shape[1] - expected.shape[1]
    assert 0 <= padding <= (1_152 if file.header.container == "MP3" else 0)
    np.testing.assert_array_equal(arrived[:, : expected.shape[1]], expected)
    assert pipe.header.sample_rate == file.header.sample_rate
    assert bool(pipe.report().warnings) == bool(file.report().warnings)
