"""Recordings that end early or are damaged: what is there comes out, and the rest is told."""

import contextlib
import io
import struct
import tempfile
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamer.recordings import link
from streamer.recordings.decoding import Decoding
from streamer.recordings.errors import AudioFileError
from tests.recordings.kinds import KINDS
from tests.recordings.makers import Samples, encoded, id3, riff, sound, wav, wav_chunks
from tests.recordings.test_decoding import decoded

WITHOUT_A_LENGTH = (
    "wav of a pipe", "wav size 0", "wav size max", "wav size 7ffff000", "wav size too small",
    "au of a pipe", "caf of a pipe",
)  # fmt: skip
"""Nothing in these could tell that they were cut."""

SECOND = sound(1, 16_000)

NOTHING_WITHOUT_THE_END = (
    "caf alac", "mov s16", "m4a", "m4a alac", "mp4 with video", "mov", "3gp amr",
)  # fmt: skip
"""Their index is at the end."""

CUT = [
    name
    for name in KINDS
    if name not in (*WITHOUT_A_LENGTH, *NOTHING_WITHOUT_THE_END, "flac id3 before", "mp3 tags")
]


@pytest.mark.parametrize("name", CUT)
def test_a_file_that_ends_early_gives_what_is_there_and_says_so(name: str) -> None:
    kind = KINDS[name]
    body = kind.make()
    decoding, found, report = decoded(body[: len(body) * 2 // 3 - 7])
    seconds = found.shape[1] / kind.rate
    # A lossy file's bytes are no measure of its seconds, and a page or frame may be lost.
    assert 0.4 * kind.seconds < seconds < 0.95 * kind.seconds
    assert report.warnings
    declared_s = decoding.header.duration_s or 0.0
    if declared_s > 0.9 * kind.seconds:  # of joined files, the first one's header has its own
        assert report.missing_s == pytest.approx(kind.seconds - seconds, abs=0.1)
        assert f"{seconds:.2f} s are there" in report.warnings[0]


@pytest.mark.parametrize("name", WITHOUT_A_LENGTH)
def test_without_a_length_all_that_is_there_is_taken(name: str) -> None:
    body = KINDS[name].make()
    _, found, _ = decoded(body[: len(body) // 2])
    assert found.shape[1] == pytest.approx(KINDS[name].rate * KINDS[name].seconds / 2, rel=0.05)


@pytest.mark.parametrize("name", NOTHING_WITHOUT_THE_END[1:])
def test_an_mp4_without_its_index_says_what_is_missing(name: str) -> None:
    body = KINDS[name].make()
    with pytest.raises(AudioFileError, match=r"its index .* is missing"):
        decoded(body[: len(body) * 2 // 3])


def test_eight_bytes_are_missing() -> None:
    _, found, report = decoded(KINDS["wav size too large"].make())
    assert found.shape[1] == 40_000
    assert report.warnings == (
        "the WAV file ends early: its header declares 80008 bytes of samples, 80000 are there, "
        "8 bytes (0.00025 s) are missing",
    )


@pytest.mark.parametrize(("name", "seconds"), [("wav extensible", True), ("wav ima adpcm", False)])
def test_bytes_are_seconds_only_where_that_is_exact(name: str, seconds: bool) -> None:
    body = KINDS[name].make()
    (warning,) = decoded(body[: len(body) * 2 // 3])[2].warnings
    assert warning.startswith("the WAV file ends early: its header declares ")
    assert (" s) are missing" in warning) == seconds


@pytest.mark.parametrize("name", ["wav s16", "mp3 cbr", "m4a"])
def test_a_recording_behind_many_zeros_is_found(name: str) -> None:
    """More than what is searched for a stream that begins anywhere."""
    body = KINDS[name].make()
    assert np.array_equal(decoded(bytes(300_000) + body)[1], decoded(body)[1])


@pytest.mark.parametrize(
    "name", ["flac", "flac of a pipe", "mp3 cbr", "mp3 of a pipe", "aac adts", "m4a", "ogg opus",
             "ogg vorbis", "webm of a browser", "wma",  "ac3"],
)  # fmt: skip
def test_damage_in_the_middle_is_skipped_and_told(name: str) -> None:
    kind = KINDS[name]
    body = bytearray(kind.make())
    middle = len(body) // 2
    body[middle : middle + 400] = np.random.default_rng(5).bytes(400)
    _, found, report = decoded(bytes(body))
    assert found.shape[1] / kind.rate > 0.6 * kind.seconds
    assert report.warnings
    tail = found[:, -int(0.3 * kind.rate) :]
    assert np.abs(tail).max() > 0.05  # it goes on behind the damage


@pytest.mark.parametrize("lost", [1, 40, 300])
def test_a_page_that_lost_bytes_takes_no_other_with_it(lost: int) -> None:
    body = encoded(sound(6, 48_000), 48_000, "ogg", "libopus", {"page_duration": "500000"})
    middle = len(body) * 7 // 10
    _, found, report = decoded(body[:middle] + body[middle + lost :])
    assert found.shape[1] / 48_000 > 5.7
    assert report.warnings


@pytest.mark.parametrize("loud_first", [True, False])
def test_no_length_is_estimated_from_the_first_frames(loud_first: bool) -> None:
    """Of an MP3 without a header for it, whose bit rate changes."""
    rate = 44_100
    silence, noise = np.zeros(6 * rate), np.random.default_rng(3).normal(0, 0.2, 3 * rate)
    parts = [noise, silence] if loud_first else [silence, noise]
    samples = np.concatenate(parts).astype(np.float32)[None]
    body = encoded(samples, rate, "mp3", "libmp3lame", {"write_xing": "0"}, pipe=True, quality=5)
    _, found, report = decoded(body)
    assert found.shape[1] / rate == pytest.approx(9, abs=0.1)
    assert report.warnings == ()


def test_mp3s_joined_with_tags_between_lose_nothing() -> None:
    mp3 = KINDS["mp3 cbr"].make()
    _, found, report = decoded(mp3 + b"TAG" + bytes(125) + id3(500) + mp3)
    assert found.shape[1] / 44_100 == pytest.approx(5.0, abs=0.15)
    assert report.warnings == ()


def test_a_second_file_that_cannot_be_read_is_told() -> None:
    first = wav(sound(1, 16_000), 16_000)
    second = riff([(b"fmt ", struct.pack("<HHIIHH", 0x7777, 1, 16_000, 1, 1, 8)), (b"data", b"x")])
    _, found, report = decoded(first + second)
    assert found.shape[1] == 16_000
    assert "another WAV file follows" in report.warnings[0]


def test_digital_silence_where_a_wrong_length_ends_is_no_end() -> None:
    samples = sound(2.5, 16_000)
    samples[:, 16_000:16_400] = 0
    _, found, _ = decoded(riff(wav_chunks(samples, 16_000), sizes={b"data": 32_000}))
    assert found.shape[1] == 40_000


@pytest.mark.parametrize("size", [0, 0x7FFF_F000, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_silence_behind_an_unknown_length_is_audio(size: int) -> None:
    """Zeros behind the end that a header declares are padding; but this one declares none."""
    silence = wav_chunks(np.zeros((1, 40_000), np.float32), 16_000)
    _, found, report = decoded(riff(silence, sizes={b"data": size}))
    assert found.shape[1] == 40_000
    assert report.warnings == ()


def test_padding_with_zeros_is_no_audio() -> None:
    _, found, report = decoded(wav(sound(1, 16_000), 16_000) + bytes(5_000))
    assert found.shape[1] == 16_000
    assert report.warnings == ()


@pytest.mark.parametrize(
    "body",
    [
        KINDS["m4a"].make() + struct.pack(">I4sQ", 1, b"free", (1 << 63) + 5) + bytes(100),
        KINDS["m4a"].make() + struct.pack(">I4sQ", 1, b"free", 1 << 62) + bytes(100),
    ],
)
def test_a_size_without_bounds_loses_nothing(body: bytes) -> None:
    with tempfile.TemporaryFile() as file:  # which has other bounds than bytes in memory
        file.write(body)
        decoding = Decoding(file)
        assert sum(rows.shape[1] for rows in decoding.blocks(8_000)) >= 40_000


def test_a_size_without_bounds_before_the_samples_is_refused() -> None:
    body = KINDS["wav w64"].make()
    junk = b"junk" + bytes(12) + struct.pack("<Q", (1 << 64) - 1)
    with pytest.raises(AudioFileError, match="are missing"):
        decoded(body[:40] + junk + body[40:])


def bare_mp3() -> bytes:
    options = {"id3v2_version": "0", "write_xing": "0"}
    return encoded(SECOND, 16_000, "mp3", "libmp3lame", options=options)


JOINED: dict[str, tuple[Callable[[], bytes], str]] = {
    name: (made, kind)
    for name, made, kind in [
        ("aiff", lambda: encoded(SECOND, 16_000, "aiff", "pcm_s16be"), "AIFF"),
        ("caf", lambda: encoded(SECOND, 16_000, "caf", "pcm_s16be"), "CAF"),
        ("au", lambda: encoded(SECOND, 16_000, "au", "pcm_s16be"), "AU"),
        ("wma", lambda: encoded(SECOND, 16_000, "asf", "wmav2", bit_rate=48_000), "WMA"),
        ("flac", lambda: encoded(SECOND, 16_000, "flac", "flac"), "FLAC"),
        ("amr", lambda: encoded(sound(1, 8_000), 8_000, "amr", "libopencore_amrnb"), "AMR"),
        ("m4a", lambda: encoded(SECOND, 16_000, "ipod", "aac"), "MP4"),
        ("webm", lambda: encoded(sound(1, 48_000), 48_000, "webm", "libopus"), "WebM"),
        ("wav", lambda: wav(SECOND, 16_000), "WAV"),
        ("mp3", lambda: encoded(SECOND, 16_000, "mp3", "libmp3lame"), "MP3"),
        ("mp3 without a tag", bare_mp3, "MP3"),
        ("aac", lambda: encoded(SECOND, 16_000, "adts", "aac"), "AAC"),
        ("latm", lambda: encoded(SECOND, 16_000, "latm", "aac"), "LATM"),
        ("ac3", lambda: encoded(sound(1, 48_000), 48_000, "ac3", "ac3"), "AC-3"),
    ]
}
OTHERS: dict[str, Callable[[], bytes]] = {
    "flac 48 kHz": lambda: encoded(sound(1, 48_000, 2), 48_000, "flac", "flac"),
    "wav 8 kHz": lambda: wav(sound(1, 8_000), 8_000),
    "mp3": lambda: encoded(SECOND, 16_000, "mp3", "libmp3lame"),
    "opus": lambda: encoded(sound(1, 48_000), 48_000, "ogg", "libopus"),
    "m4a": lambda: encoded(SECOND, 16_000, "ipod", "aac"),
    "webm": lambda: encoded(sound(1, 48_000), 48_000, "webm", "libopus"),
    "mp3 without a tag": bare_mp3,
}


NO_END = ("flac", "amr", "mp3", "mp3 without a tag", "aac", "latm", "ac3")
PAIRS = [
    (name, other)
    for name in JOINED
    for other in ("the same", *OTHERS)
    # These declare no end, and only a container shows where another file begins.
    if name not in NO_END or not other.startswith("mp3") or name.startswith("mp3")
]


@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_what_is_joined_to_a_file_is_not_lost(name: str, other: str) -> None:
    first, kind = JOINED[name]
    body = first() + (first if other == "the same" else OTHERS[other])()
    decoding, found, report = decoded(body)
    assert decoding.header.container == kind
    assert found.shape[1] / decoding.header.sample_rate == pytest.approx(2, abs=0.2)
    assert np.abs(found[:, found.shape[1] * 3 // 4 :]).max() > 0.05
    assert report.warnings == ()


def test_thousands_of_bad_parts_are_told_in_few_sentences() -> None:
    bad = riff([(b"fmt ", struct.pack("<HHIIHH", 0x7777, 1, 16_000, 1, 1, 8)), (b"data", b"x")])
    _, found, report = decoded(wav(SECOND, 16_000) + 2_000 * bad)
    assert found.shape[1] == 16_000
    assert sum(map(len, report.warnings)) < link.MAX_TEXT_BYTES / 8


def test_a_box_that_leads_nowhere_is_no_other_file() -> None:
    _, found, report = decoded(wav(SECOND, 16_000) + struct.pack(">I4s", 2, b"moov") + bytes(64))
    assert found.shape[1] == 16_000
    assert len(report.warnings) == 1


def test_parts_with_another_rate_keep_time_exactly() -> None:
    parts = [(16_000, 1), (48_000, 2), (44_100, 1), (8_000, 2)]
    body = b"".join(wav(sound(1.25, rate, n), rate) for rate, n in parts)
    _, found, _ = decoded(body)
    assert found.shape == (1, 4 * 20_000)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["wav s16", "flac stereo", "ogg opus", "mp3 cbr"]), st.integers(1, 100_000))
def test_blocks_of_any_size_are_the_whole(name: str, block: int) -> None:
    body = KINDS[name].make()
    assert np.array_equal(decoded(body, block)[1], _whole(name))


_WHOLE: dict[str, Samples] = {}


def _whole(name: str) -> Samples:
    if name not in _WHOLE:
        _WHOLE[name] = decoded(KINDS[name].make(), 1 << 20)[1]
    return _WHOLE[name]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_any_damage_is_survived(name: str, data: st.DataObject) -> None:
    body = bytearray(KINDS[name].make())
    at = data.draw(st.integers(0, len(body) - 1))
    damage = data.draw(st.binary(min_size=1, max_size=64))
    body[at : at + len(damage)] = damage
    with contextlib.suppress(AudioFileError):
        decoding = Decoding(io.BytesIO(bytes(body)))
        for rows in decoding.blocks(8_000):
            assert np.isfinite(rows).all()
        decoding.report()


@settings(max_examples=60)
@given(st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"RIFX\0\0\0\0WAVEfmt ", b"fLaC", b"OggS\0\2",
                        b"ID3\4\0\0\0\0\0\1", b"\0\0\0\x08ftyp", b"\x1aE\xdf\xa3webm", b"#!AMR\n",
                        b"caff", b".snd", b"\xff\xfb\x90\x00", b"FORM\0\0\0\0AIFF"]),
       st.binary(max_size=4_000))  # fmt: skip
def test_any_bytes_are_audio_or_refused(head: bytes, rest: bytes) -> None:
    with contextlib.suppress(AudioFileError):
        decoding = Decoding(io.BytesIO(head + rest))
        for _ in decoding.blocks(8_000):
            pass
        decoding.report()
