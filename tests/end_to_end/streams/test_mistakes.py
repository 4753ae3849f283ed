"""Audio that is not in the format of its `start`: one warning says what to do."""

import io

import pytest
import soundfile

from tests.end_to_end.http.posting import post
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, encode, recording
from tools.harness.streams import events_of, stream_audio

BOTH = pytest.mark.parametrize("path", ["segmented", "simple"])


def scaled(factor: float, bits: int = 32) -> Audio:
    samples, rate = recording("beckett.wav")
    return Audio((samples * factor).astype(f"<f{bits // 8}").tobytes(), rate, 1, bits, True)


@BOTH
@pytest.mark.parametrize("bits", [32, 64])
async def test_integers_as_floats(standin: Server, path: str, bits: int) -> None:
    events = await stream_audio(standin, scaled(32_768, bits), path, sizes=(1_000, 7, 50_000))
    (warning,) = events_of(events, "warning")
    assert warning["code"] == "out_of_scale"
    assert "divide by 32768" in warning["message"]
    assert events_of(events, "segment"), "and it is processed as it is"


@BOTH
@pytest.mark.parametrize(
    "audio", [scaled(1), scaled(4), beckett(), encode(*recording("beckett.wav"), 32)]
)
async def test_what_is_in_scale_has_no_warning(standin: Server, path: str, audio: Audio) -> None:
    assert not events_of(await stream_audio(standin, audio, path), "warning")


def test_integers_as_floats_in_a_request(standin: Server) -> None:
    query = "sample_rate=16000&bit_depth=32&is_float=true"
    for factor, codes in ((32_768, ["out_of_scale"]), (1, [])):
        reply = post(standin, f"/api/v1/analyze?{query}", scaled(factor).data)
        warnings = reply.json().get("warnings", [])
        assert [warning["code"] for warning in warnings] == codes


@BOTH
@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("sizes", [(3,), (640,), (65_536,)])
async def test_a_file_sent_as_samples(
    standin: Server, path: str, kind: str, sizes: tuple[int, ...]
) -> None:
    file = io.BytesIO()
    soundfile.write(file, *recording("beckett.wav"), format=kind)
    data = file.getvalue()[: 600 if sizes == (3,) and kind != "MP3" else 5_000]
    events = await stream_audio(standin, Audio(data[: len(data) // 2 * 2]), path, sizes)
    (warning,) = [w for w in events_of(events, "warning") if w["code"] != "lagging"]
    assert warning["code"] == "not_pcm"
    assert f"begins like a file in {kind} format" in warning["message"]
    assert "decoded samples" in warning["message"]


async def test_each_stream_has_a_warning_of_its_own(standin: Server) -> None:
    file = io.BytesIO()
    soundfile.write(file, *recording("beckett.wav"), format="WAV")
    audio = Audio(file.getvalue())
    for _ in range(2):
        events = await stream_audio(standin, audio)
        assert len(events_of(events, "warning")) == 1
        assert len(events_of(events, "segment")) == 6, "and all is processed as before"
