"""Raw PCM, and the mix of channels, as the server reads them."""

import io

import numpy as np
import pytest

from streamer.audio.format import AudioFormat
from streamer.recordings.errors import AudioFileError
from streamer.recordings.recording import Mixed, PcmRecording, Recording
from tests.recordings.makers import sound, wav

STEREO = sound(2.5, 16_000, 2)
PCM = (STEREO.T * 32_767).astype("<i2").tobytes()
FORMAT = AudioFormat(16_000, channels=2)


async def read_all(recording: Recording) -> np.ndarray:
    blocks = []
    while (rows := await recording.read()).shape[1]:
        assert rows.shape[1] <= recording.sample_rate
        blocks.append(rows)
    return np.concatenate(blocks, axis=1)


async def test_raw_pcm_is_read_to_its_end() -> None:
    recording = PcmRecording(io.BytesIO(PCM), FORMAT)
    assert recording.declared_s == 2.5
    assert np.abs(await read_all(recording) - STEREO).max() < 1e-4
    assert (recording.kind, recording.warnings, recording.bad_samples) == ("PCM", (), 0)


async def test_channels_are_mixed_to_their_mean() -> None:
    mixed = Mixed(PcmRecording(io.BytesIO(PCM), FORMAT))
    assert mixed.declared_s == 2.5
    assert np.abs((await read_all(mixed))[0] - STEREO.mean(axis=0)).max() < 1e-4
    mono = Mixed(PcmRecording(io.BytesIO(PCM), AudioFormat(16_000)))
    assert (await read_all(mono)).shape == (1, 80_000)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "holds no audio"),
        (PCM[:9_999], "9999 bytes and ends within a frame; allowed: a multiple of 4"),
        (wav(STEREO, 16_000), "the body is a WAV file; allowed here: raw PCM"),
    ],
)
def test_what_is_no_raw_pcm(body: bytes, says: str) -> None:
    with pytest.raises(AudioFileError, match=says):
        PcmRecording(io.BytesIO(body), FORMAT)


async def test_samples_that_are_not_numbers_are_zeroed_and_counted() -> None:
    samples = np.array([0.5, np.nan, np.inf, -0.5], "<f4")
    recording = PcmRecording(
        io.BytesIO(samples.tobytes()), AudioFormat(16_000, bit_depth=32, is_float=True)
    )
    assert (await read_all(recording)).tolist() == [[0.5, 0.0, 0.0, -0.5]]
    assert recording.bad_samples == 2
