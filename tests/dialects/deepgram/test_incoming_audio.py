"""Audio whose first bytes say what it is, and channels that are mixed, cut anywhere."""

import io
import struct
import wave
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.dialects.deepgram.incoming_audio import IncomingAudio
from streamer.http.deepgram_query import ListenQuery, ServedModel
from streamer.protocol.requests import BadRequest

MAX_CHANNELS = 2
SAMPLES = np.arange(-3_000, 3_000, dtype="<i2").tobytes()


def incoming(**options: str) -> IncomingAudio:
    query = ListenQuery([*options.items()], [ServedModel("m", "standin")])
    return IncomingAudio(query, MAX_CHANNELS)


def wave_file(rate: int, channels: int, samples: bytes = SAMPLES) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((channels, 2, rate, 0, "NONE", ""))
        written.writeframes(samples)
    return file.getvalue()


def pushed(audio: IncomingAudio, data: bytes, cuts: list[int]) -> bytes:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    parts = [audio.push(data[a:b]) for a, b in pairwise(edges)]
    return b"".join([*parts, audio.settle(over=True)])


CUTS = st.lists(st.integers(0, 20_000), max_size=12)


@settings(max_examples=50)
@given(CUTS, st.sampled_from([8_000, 16_000, 44_100]))
def test_a_wav_file_is_recognized_however_it_is_cut(cuts: list[int], rate: int) -> None:
    audio = incoming()
    assert pushed(audio, wave_file(rate, 1), cuts) == SAMPLES
    assert audio.format == AudioFormat(rate)
    assert audio.seconds == pytest.approx(len(SAMPLES) / 2 / rate)


@settings(max_examples=50)
@given(CUTS)
def test_raw_audio_without_encoding_is_taken_at_the_rate_of_the_query(cuts: list[int]) -> None:
    audio = incoming(sample_rate="8000")
    assert pushed(audio, SAMPLES, cuts) == SAMPLES
    assert audio.format == AudioFormat(8_000)


@settings(max_examples=50)
@given(CUTS, st.booleans())
def test_channels_are_mixed_however_they_are_cut(cuts: list[int], in_wave: bool) -> None:
    rows = np.frombuffer(SAMPLES, "<i2").reshape(-1, 2) / 32_768
    named = {} if in_wave else {"encoding": "linear16", "sample_rate": "16000", "channels": "2"}
    audio = incoming(**named)
    mixed = pushed(audio, wave_file(16_000, 2) if in_wave else SAMPLES, cuts)
    assert audio.format == AudioFormat(16_000, 1, 32, is_float=True)
    np.testing.assert_allclose(np.frombuffer(mixed, "<f4"), rows.mean(axis=1), atol=1e-6)
    assert audio.seconds == pytest.approx(len(rows) / 16_000)


def test_channels_stay_apart_where_that_is_wanted() -> None:
    audio = incoming(encoding="linear16", channels="2", multichannel="true")
    assert audio.push(SAMPLES) == SAMPLES
    assert audio.format == AudioFormat(16_000, 2)


@pytest.mark.parametrize(
    ("tag", "bits", "expected"),
    [
        (1, 8, AudioFormat(8_000, 1, 8)),
        (3, 32, AudioFormat(8_000, 1, 32, is_float=True)),
        (6, 8, AudioFormat(8_000, 1, 8, encoding="alaw")),
        (7, 8, AudioFormat(8_000, 1, 8, encoding="mulaw")),
        (0xFFFE, 24, AudioFormat(8_000, 1, 24)),
    ],
)
def test_formats_within_wav(tag: int, bits: int, expected: AudioFormat) -> None:
    fmt = struct.pack("<HHIIHH", tag, 1, 8_000, 8_000 * bits // 8, bits // 8, bits)
    if tag == 0xFFFE:
        fmt += struct.pack("<HHIH", 22, bits, 4, 1) + bytes(14)
    chunks = b"LIST\x03\0\0\0abc\0fmt " + struct.pack("<I", len(fmt)) + fmt
    head = b"RIFF\xff\xff\xff\xffWAVE" + chunks + b"data\xff\xff\xff\xff"
    audio = incoming()
    assert pushed(audio, head + b"\1\2\3", [20, 40]) == b"\1\2\3"
    assert audio.format == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"FORM\0\0\0\0AIFF" + bytes(40), "the audio is in AIFF format; allowed: OGG, WebM, MP3"),
        (b"\1" * 10_000, "'encoding' is missing"),
        (wave_file(4_000, 1), "'sample_rate' is 4000; allowed: 8000 to 192000"),
        (wave_file(8_000, 3), "'channels' is 3; allowed: 1 to 2"),
    ],
)
def test_other_audio_is_an_error_once(data: bytes, message: str) -> None:
    audio = incoming()
    with pytest.raises(BadRequest) as refused:
        pushed(audio, data, [3])
    assert message in str(refused.value)
    assert audio.push(data) == audio.settle(over=True) == b""


CONTAINERS = (
    b"OggS\0\x02" + bytes(20),
    b"fLaC\0\0\0\x22" + bytes(40),
    b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm" + bytes(20),
    b"ID3\x04\0\0\0\0\0\0" + bytes(20),
    b"RIFF\0\0\0\0WAVE" + b"LIST\xff\xff\xff\x7f" + bytes(9_000),  # FFmpeg may find more
)


@given(CUTS, st.sampled_from(CONTAINERS))
def test_other_containers_are_passed_on_as_they_are(cuts: list[int], data: bytes) -> None:
    audio = incoming(sample_rate="8000")
    assert pushed(audio, data, cuts) == data
    assert audio.format == AudioFormat(0, 1, 0, encoding="auto")
    assert audio.seconds == 0


@pytest.mark.parametrize("data", CONTAINERS[:-1])
@pytest.mark.parametrize("cut", [0, 1, 3])
def test_a_decision_while_a_container_begins_waits_for_it(data: bytes, cut: int) -> None:
    audio = incoming(sample_rate="8000")
    taken = audio.push(data[:cut]) + audio.settle(over=False) + audio.push(data[cut:])
    assert taken == data


@pytest.mark.parametrize(
    ("query", "channels"),
    [
        ({"channels": "2"}, 1),  # one transcript
        ({"channels": "2", "multichannel": "true"}, 2),
        ({"encoding": "ogg-opus"}, 1),
        ({"encoding": "FLAC"}, 1),
    ],
)
def test_the_channels_of_a_container(query: dict[str, str], channels: int) -> None:
    audio = incoming(**query)
    assert pushed(audio, CONTAINERS[0], [7]) == CONTAINERS[0]
    assert audio.format == AudioFormat(0, channels, 0, encoding="auto")


def test_nothing_at_all_is_no_error() -> None:
    audio = incoming()
    assert audio.settle(over=False) == b""
    assert audio.format is None
    assert audio.settle(over=True) == b""
    assert audio.format == AudioFormat(16_000)


@pytest.mark.parametrize("cut", [0, 1, 4, 11, 12, 30, 43, 44, 100])
def test_a_decision_while_a_wav_file_begins_waits_for_its_header(cut: int) -> None:
    audio, file = incoming(sample_rate="8000"), wave_file(48_000, 1)
    taken = audio.push(file[:cut]) + audio.settle(over=False) + audio.push(file[cut:])
    assert taken == SAMPLES
    assert audio.format == AudioFormat(48_000)


def test_raw_audio_is_taken_at_once_where_that_is_wanted() -> None:
    audio = incoming(sample_rate="8000")
    assert audio.push(b"\1\2") + audio.settle(over=False) == b"\1\2"
    assert audio.format == AudioFormat(8_000)
