import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamer_client.audio import open_audio
from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat
from tests.recordings.kinds import KINDS
from tests.recordings.makers import encoded, sound

PCM, FLOAT, ALAW, MULAW = 1, 3, 6, 7
SAMPLES = [
    (PCM, 8),
    (PCM, 16),
    (PCM, 24),
    (PCM, 32),
    (FLOAT, 32),
    (FLOAT, 64),
    (ALAW, 8),
    (MULAW, 8),
]


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    size = len(body) if size is None else size
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2)


def form(code: int, bits: int, channels: int, rate: int, *, extensible: bool = False) -> bytes:
    frame = channels * bits // 8
    tag = 0xFFFE if extensible else code
    body = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)
    if extensible:
        guid = struct.pack("<H", code) + bytes.fromhex("000000001000800000aa00389b71")
        body += struct.pack("<HHI", 22, bits, 0) + guid
    return chunk(b"fmt ", body)


def riff(*chunks: bytes, magic: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack("<I", len(body) & 0xFFFFFFFF) + body


def read(path: Path, size_bytes: int = 1000) -> tuple[AudioFormat, bytes]:
    with open_audio(path) as audio:
        blocks = list(audio.blocks(size_bytes))
        assert all(len(block) == size_bytes for block in blocks[:-1])
        data = b"".join(blocks)
        assert isinstance(audio.format, AudioFormat)
        assert audio.duration_s == pytest.approx(len(data) / audio.format.bytes_per_second)
        return audio.format, data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(SAMPLES),
    channels=st.integers(1, 9),
    rate=st.sampled_from([8000, 11025, 44100, 192000]),
    frames=st.integers(1, 50),
    extensible=st.booleans(),
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
    size_bytes=st.integers(1, 100),
    data=st.data(),
)
def test_wav_bytes_are_sent_as_they_are(
    tmp_path: Path,
    kind: tuple[int, int],
    channels: int,
    rate: int,
    frames: int,
    extensible: bool,
    before: bytes,
    after: bytes,
    size_bytes: int,
    data: st.DataObject,
) -> None:
    code, bits = kind
    size = frames * channels * bits // 8
    audio = data.draw(st.binary(min_size=size, max_size=size))
    path = tmp_path / "any.wav"
    fmt = form(code, bits, channels, rate, extensible=extensible)
    path.write_bytes(
        riff(chunk(b"LIST", before), fmt, chunk(b"data", audio), chunk(b"LIST", after))
    )
    names: dict[int, Any] = {ALAW: "alaw", MULAW: "mulaw"}
    expected = AudioFormat(rate, channels, bits, is_float=code == FLOAT, encoding=names.get(code))
    assert read(path, size_bytes) == (expected, audio)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
def test_wav_files_of_libsndfile_hold_the_same_samples(
    tmp_path: Path, container: str, subtype: str
) -> None:
    path = tmp_path / "x.wav"
    samples = np.linspace(-1, 0.99, 600).reshape(-1, 2)
    soundfile.write(path, samples, 22050, format=container, subtype=subtype)
    audio_format, data = read(path)
    width = audio_format.bit_depth // 8
    if audio_format.is_float:
        decoded = np.frombuffer(data, f"<f{width}").astype(float)
    elif width == 1:
        decoded = (np.frombuffer(data, np.uint8).astype(float) - 128) / 128
    else:
        padded = np.zeros((len(data) // width, 4), np.uint8)
        padded[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
        decoded = padded.view("<i4")[:, 0] / 2**31
    assert audio_format.channels == 2
    np.testing.assert_allclose(decoded.reshape(-1, 2), samples, atol=1 / 100)


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000])
def test_a_wav_of_unknown_length_goes_to_its_end(tmp_path: Path, claimed: int) -> None:
    path = tmp_path / "piped.wav"
    audio = bytes(range(200))
    path.write_bytes(riff(form(PCM, 16, 1, 8000), chunk(b"data", audio, claimed)))
    assert read(path)[1] == audio
    with open_audio(path) as file:
        assert file.warnings == []


@pytest.mark.parametrize(("claimed", "missing"), [(208, "8 bytes"), (99_999, "99799 bytes")])
def test_a_wav_of_wrong_length_goes_to_its_end_and_says_so(
    tmp_path: Path, claimed: int, missing: str
) -> None:
    path = tmp_path / "cut.wav"
    audio = bytes(range(200))
    path.write_bytes(riff(form(PCM, 16, 1, 8000), chunk(b"data", audio, claimed)))
    assert read(path)[1] == audio
    with open_audio(path) as file:
        (warning,) = file.warnings
    assert f"declares {claimed} bytes of samples, 200 are there, {missing}" in warning


def test_rf64_takes_its_length_from_ds64(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, 20, 10, 0))
    data = chunk(b"data", bytes(range(20)), 0xFFFFFFFF)
    path.write_bytes(
        riff(sizes, form(PCM, 16, 1, 8000), data, chunk(b"LIST", b"more"), magic=b"RF64")
    )
    assert read(path)[1] == bytes(range(20))


def test_samples_behind_a_length_that_is_too_small_are_sent_too(tmp_path: Path) -> None:
    path = tmp_path / "wrong.wav"
    audio = bytes(range(200))
    path.write_bytes(riff(form(PCM, 16, 1, 8000), chunk(b"data", audio, 100)))
    assert read(path)[1] == audio


def test_half_a_frame_at_the_end_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(riff(form(PCM, 16, 2, 8000), chunk(b"data", b"abcdef")))
    assert read(path)[1] == b"abcd"


@pytest.mark.parametrize("kind", KINDS)
def test_recordings_of_all_kinds_are_decoded_as_the_server_does(tmp_path: Path, kind: str) -> None:
    expected, path = KINDS[kind], tmp_path / "any"
    path.write_bytes(expected.make())
    with open_audio(path) as audio:
        samples = b"".join(audio.blocks(999))
        form = audio.format
        assert isinstance(form, AudioFormat)
        assert (form.sample_rate, form.channels) == (expected.rate, expected.channels)
        assert len(samples) / form.bytes_per_second == pytest.approx(
            expected.seconds, abs=expected.frame_s + 0.001
        )
        assert bool(audio.warnings) == expected.warns


@pytest.mark.parametrize(
    ("container", "codec", "is_float"),
    [
        ("flac", "flac", False),
        ("aiff", "pcm_s16be", False),
        ("aiff", "pcm_s24be", True),
        ("caf", "pcm_f32be", True),
        ("ipod", "alac", True),
        ("mp3", "libmp3lame", False),
        ("ogg", "libopus", False),
        ("mp4", "aac", False),
    ],
)
def test_samples_have_the_fewest_bits_that_keep_them(
    tmp_path: Path, container: str, codec: str, is_float: bool
) -> None:
    path, samples = tmp_path / "any", sound(1.0, 48_000, 2)
    path.write_bytes(encoded(samples, 48_000, container, codec, bit_rate=192_000))
    with open_audio(path) as audio:
        assert audio.format == AudioFormat(48_000, 2, 32 if is_float else 16, is_float=is_float)
        data = b"".join(audio.blocks(1000))
    decoded = np.frombuffer(data, "<f4" if is_float else "<i2").reshape(-1, 2).T
    scaled = decoded[:, : samples.shape[1]] / (1 if is_float else 32_768)
    if codec not in ("libmp3lame", "aac", "libopus"):
        np.testing.assert_allclose(scaled, samples, atol=2**-14)
    else:
        assert np.std(scaled) == pytest.approx(np.std(samples), rel=0.1)


def test_a_wav_is_read_without_the_decoder(tmp_path: Path) -> None:
    path = tmp_path / "plain.wav"
    path.write_bytes(riff(form(PCM, 16, 1, 8000), chunk(b"data", b"abcd")))
    code = (
        "import sys; from streamer_client.audio import open_audio; from pathlib import Path\n"
        f"with open_audio({str(path)!r}) as file: print(b''.join(file.blocks(9)))\n"
        "print([name for name in ('av', 'numpy', 'msgspec') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("b'abcd'\n[]\n", "")


def test_a_block_is_whole_frames() -> None:
    assert AudioFormat(11025, 3, 24).block_bytes(0.02) == 220 * 9
    assert AudioFormat(8000, 2, 16).block_bytes(0.0) == 4


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"hello, I am a text file, and no audio at all" * 9, "is not an audio file but text"),
        (b"#EXTM3U\nhttp://localhost/secret", "is not an audio file but an HLS or M3U playlist"),
        (riff(form(PCM, 16, 1, 8000)), "the WAV file is damaged or not complete: the samples are"),
        (riff(chunk(b"data", b"ab")), "the WAV file is damaged: the format of its samples is"),
        (riff(chunk(b"fmt ", b"abc")), "the format and the samples are missing"),
        (riff(form(PCM, 16, 0, 8000)), "the WAV file is damaged or not complete: the samples are"),
        (
            riff(form(PCM, 16, 0, 8000), chunk(b"data", b"abcd")),
            "its format chunk has a zero where none can be",
        ),
        (riff(form(PCM, 16, 1, 8000), chunk(b"data", b"")), "the WAV file holds no audio"),
        (
            riff(form(0x55AA, 16, 1, 8000), chunk(b"data", b"abcd")),
            "the WAV file holds audio of an",
        ),
    ],
)
def test_unusable_files_are_named_with_their_problem(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AudioFileError) as caught, open_audio(path):
        pass
    assert str(path) in str(caught.value)
    assert problem in str(caught.value)


def test_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"none\.wav does not exist"):
        open_audio(tmp_path / "none.wav").__enter__()
    with pytest.raises(AudioFileError, match="is a directory"):
        open_audio(tmp_path).__enter__()
