"""Files are decoded block by block as they would be at once."""

import contextlib
import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.files import AudioFileError, Mixed, PcmFile, SoundFile, container
from streamer.audio.format import AudioFormat

RATE = 48_000
RNG = np.random.default_rng(7)
TONE = 0.4 * np.sin(2 * np.pi * 220 * np.arange(2 * RATE) / RATE)
BURSTS = np.sin(2 * np.pi * 3 * np.arange(len(TONE)) / RATE) > 0.6
STEREO = np.stack([TONE, 0.3 * RNG.standard_normal(len(TONE)) * BURSTS], axis=1)
"""In bursts, so that an MP3's frames borrow bits from those before: seams would show."""

KINDS = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("FLAC", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
]


def encoded(kind: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, STEREO, RATE, subtype, format=kind)
    return file.getvalue()


FILES = {kind: encoded(*kind) for kind in KINDS}


def read(recording: SoundFile | PcmFile | Mixed, sizes: list[int]) -> np.ndarray:
    blocks = []
    turn = 0
    while (block := recording.read(sizes[turn % len(sizes)])).shape[1]:
        assert block.dtype == np.float32
        assert block.flags.c_contiguous
        blocks.append(block)
        turn += 1
    return np.concatenate(blocks, axis=1)


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 40_000), min_size=1, max_size=5).filter(lambda s: sum(s) > 99))
def test_blocks_of_any_size_are_the_whole(kind: tuple[str, str], sizes: list[int]) -> None:
    whole, _ = soundfile.read(io.BytesIO(FILES[kind]), dtype="float32", always_2d=True)
    sound = SoundFile(io.BytesIO(FILES[kind]))
    assert (sound.kind, sound.sample_rate, sound.channels) == (kind[0], RATE, 2)
    found = read(sound, sizes)
    sound.close()
    # libmpg123 rounds by where in memory it writes to.
    assert found.shape == whole.T.shape
    assert np.abs(found - whole.T).max() <= (1e-6 if kind[0] == "MP3" else 0)
    assert sound.frames == found.shape[1]
    assert sound.bad_samples == 0


def test_raw_pcm_and_a_file_of_it_are_the_same() -> None:
    data = (STEREO * 32_767).astype("<i2")
    file = io.BytesIO()
    soundfile.write(file, data, RATE, "PCM_16", format="WAV")
    file.seek(0)
    raw = PcmFile(io.BytesIO(data.tobytes()), AudioFormat(RATE, channels=2))
    assert raw.frames == len(data)
    assert np.array_equal(read(raw, [1_001]), read(SoundFile(file), [7_777]))


def test_channels_are_mixed_to_their_mean() -> None:
    mixed = Mixed(SoundFile(io.BytesIO(FILES["WAV", "FLOAT"])))
    assert mixed.channels == 1
    assert np.abs(read(mixed, [5_000])[0] - STEREO.mean(axis=1)).max() < 1e-6
    mono = PcmFile(io.BytesIO(bytes(2_000)), AudioFormat(RATE))
    assert read(Mixed(mono), [300]).shape == (1, 1_000)


def test_bad_samples_are_zeroed_and_counted() -> None:
    samples = STEREO.copy()
    samples[10] = [np.nan, np.inf]
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, "FLOAT", format="WAV")
    file.seek(0)
    sound = SoundFile(file)
    found = read(sound, [4_096])
    assert sound.bad_samples == 2
    assert np.isfinite(found).all()
    assert (found[:, 10] == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=4_000), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS"]))
def test_any_bytes_are_audio_or_refused(rest: bytes, head: bytes) -> None:
    with contextlib.suppress(AudioFileError):
        SoundFile(io.BytesIO(head + rest)).close()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(KINDS), st.data())
def test_any_damage_is_survived(kind: tuple[str, str], data: st.DataObject) -> None:
    body = bytearray(FILES[kind])
    at = data.draw(st.integers(0, len(body) - 1))
    damage = data.draw(st.binary(min_size=1, max_size=64))
    body[at : at + len(damage)] = damage
    with contextlib.suppress(AudioFileError):
        sound = SoundFile(io.BytesIO(bytes(body)))
        if sound.channels <= 8:
            read_some(sound)
        sound.close()


def read_some(sound: SoundFile) -> None:
    for _ in range(100):
        block = sound.read(4_096)
        if not block.shape[1]:
            return
        assert np.isfinite(block).all()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"RIFF1234WAVE", "WAV"),
        (b"RF641234WAVE", "WAV"),
        (b"RIFF1234AVI ", None),
        (b"FORM1234AIFF", "AIFF"),
        (b"FORM1234AIFC", "AIFF"),
        (b"FORM1234ILBM", None),
        (b"fLaC", "FLAC"),
        (b"OggS", "OGG"),
        (b"ID3\x03", "MP3"),
        (b"\xff\xfb", "MP3"),
        (b"\xff", None),
        (b"\xff\x1f", None),
        (b"", None),
    ],
)
def test_the_container_is_told_by_the_first_bytes(head: bytes, kind: str | None) -> None:
    assert container(head) == kind
