"""Audio as a client declares it, or as its first bytes say, cut anywhere."""

import io
import wave
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.format import CONTAINER, AudioFormat
from streamer.protocol.requests import BadRequest
from streamer.rpc.google.wire import GoogleWire
from streamer.rpc.recognition.encodings import LINEAR, MULAW, UNSPECIFIED, Encoding
from streamer.rpc.recognition.incoming_audio import DeclaredAudio, IncomingAudio

MAX_CHANNELS = 2
SAMPLES = np.arange(-3_000, 3_000, dtype="<i2").tobytes()
LINEAR16, MU_LAW, FLAC = Encoding("LINEAR16", LINEAR), Encoding("MULAW", MULAW), Encoding("FLAC")
FLAC_HEAD = b"fLaC\x00\x00\x00\x22" + bytes(34)
MIXED = AudioFormat(16_000, 1, 32, is_float=True)
CUTS = st.lists(st.integers(0, 20_000), max_size=12)


def incoming(
    encoding: Encoding, rate: int = 0, channels: int = 0, *, separate: bool = False
) -> IncomingAudio:
    declared = DeclaredAudio(encoding, rate, channels, separate)
    return IncomingAudio(declared, MAX_CHANNELS, GoogleWire().raw_encodings)


def wave_file(rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((channels, width, rate, 0, "NONE", ""))
        written.writeframes(SAMPLES)
    return file.getvalue()


def pushed(audio: IncomingAudio, data: bytes, cuts: list[int] | None = None) -> bytes:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    parts = [audio.push(data[a:b]) for a, b in pairwise(edges)]
    return b"".join([*parts, audio.finish()])


@settings(max_examples=50)
@given(CUTS, st.sampled_from([LINEAR16, UNSPECIFIED]), st.sampled_from([0, 8_000]))
def test_a_wave_header_is_left_out_however_it_is_cut(
    cuts: list[int], encoding: Encoding, rate: int
) -> None:
    audio = incoming(encoding, rate)
    assert pushed(audio, wave_file(8_000), cuts) == SAMPLES
    assert audio.format == AudioFormat(8_000)


@settings(max_examples=50)
@given(CUTS)
def test_raw_audio_is_unchanged_however_it_is_cut(cuts: list[int]) -> None:
    audio = incoming(LINEAR16, 16_000)
    assert pushed(audio, SAMPLES, cuts) == SAMPLES
    assert audio.format == AudioFormat(16_000)
    law = incoming(MU_LAW, 8_000, 1)
    assert pushed(law, SAMPLES, cuts) == SAMPLES
    assert law.format == AudioFormat(8_000, 1, 8, encoding="mulaw")


@settings(max_examples=50)
@given(CUTS, st.booleans())
def test_channels_are_mixed_unless_each_is_to_have_results(cuts: list[int], header: bool) -> None:
    data = wave_file(channels=2) if header else SAMPLES
    mixed = incoming(LINEAR16, 16_000, 2)
    rows = np.frombuffer(pushed(mixed, data, cuts), "<f4")
    expected = np.frombuffer(SAMPLES, "<i2").reshape(-1, 2).mean(axis=1) / 32_768
    assert mixed.format == MIXED
    np.testing.assert_allclose(rows, expected)
    separate = incoming(LINEAR16, 16_000, 2, separate=True)
    assert pushed(separate, data, cuts) == SAMPLES
    assert separate.format == AudioFormat(16_000, 2)


@pytest.mark.parametrize(("separate", "channels"), [(False, 1), (True, 2)])
def test_containers_are_left_to_the_pipeline(separate: bool, channels: int) -> None:
    expected = msgspec.structs.replace(CONTAINER, channels=channels)
    audio = incoming(FLAC, 44_100, 2, separate=separate)
    assert audio.format == expected  # before the first byte
    assert pushed(audio, FLAC_HEAD, [3]) == FLAC_HEAD
    found = incoming(UNSPECIFIED, 0, 2, separate=separate)
    assert found.format is None
    assert pushed(found, FLAC_HEAD, [3]) == FLAC_HEAD
    assert found.format == expected


@pytest.mark.parametrize("encoding", [LINEAR16, FLAC, UNSPECIFIED])
def test_no_audio_at_all(encoding: Encoding) -> None:
    audio = incoming(encoding, 16_000)
    assert audio.finish() == b""
    assert audio.format is not None


@pytest.mark.parametrize(
    ("encoding", "rate", "channels", "data", "message"),
    [
        (LINEAR16, 7_000, 0, b"", "'config.sample_rate_hertz' is 7000; allowed: 8000 to 192000"),
        (LINEAR16, 0, 0, SAMPLES, "'config.sample_rate_hertz' is 0; allowed: 8000 to"),
        (LINEAR16, 16_000, 3, b"", "'config.audio_channel_count' is 3; allowed: 1 to 2"),
        (LINEAR16, 16_000, -1, b"", "'config.audio_channel_count' is -1; allowed: 1 to 2"),
        (
            LINEAR16,
            16_000,
            0,
            wave_file(8_000),
            "'config.sample_rate_hertz' is 16000, and the header of the WAV audio says 8000; "
            "allowed: 8000, or 0",
        ),
        (
            LINEAR16,
            16_000,
            1,
            wave_file(channels=2),
            "'config.audio_channel_count' is 1, and the header of the WAV audio says 2",
        ),
        (
            MU_LAW,
            16_000,
            0,
            wave_file(),
            "'config.encoding' is MULAW, and the header of the WAV audio says 16-bit pcm",
        ),
        (LINEAR16, 16_000, 0, wave_file(width=3), "the header of the WAV audio says 24-bit pcm"),
        (LINEAR16, 16_000, 0, wave_file()[:36], "not complete: the samples are missing"),
        (
            UNSPECIFIED,
            16_000,
            0,
            SAMPLES,
            "'config.encoding' is ENCODING_UNSPECIFIED, and the audio is in no known format; "
            "allowed for raw audio: LINEAR16, MULAW",
        ),
    ],
)
def test_audio_that_cannot_be_used(
    encoding: Encoding, rate: int, channels: int, data: bytes, message: str
) -> None:
    for cuts in ([], [*range(60)]):
        with pytest.raises(BadRequest) as refused:
            pushed(incoming(encoding, rate, channels), data, cuts)
        assert message in str(refused.value)
        assert refused.value.code == "bad_format"


def test_behind_a_failure_audio_is_ignored() -> None:
    audio = incoming(LINEAR16, 16_000)
    with pytest.raises(BadRequest):
        audio.push(wave_file(8_000))
    assert audio.push(SAMPLES) == b""
    assert audio.finish() == b""
