"""A stream with sound and without speech ends with one warning, which has the remedy."""

import numpy as np
import numpy.typing as npt
import pytest
import soxr

from tests.end_to_end.http.posting import analyzed, wav
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, encode, recording, silence
from tools.harness.streams import client, events_of, stream_audio

RATE = 16_000
Floats = npt.NDArray[np.float64]


def tone(seconds: float, level: float = 0.3) -> Floats:
    """A steady alarm tone of 3 kHz, which is its own noise floor."""
    return level * np.sin(2 * np.pi * 3_000 * np.arange(round(seconds * RATE)) / RATE)


def beeps(level: float) -> Floats:
    """Beeps of 0.5 s with 1 s between them."""
    return np.tile(np.concatenate([tone(0.5, level), np.zeros(RATE)]), 4)


def after_sound(seconds: float) -> Audio:
    """Speech, some seconds of alarm tone after the beginning."""
    samples, rate = recording("beckett.wav")
    speech = soxr.resample(samples, rate, RATE)
    return encode(np.concatenate([tone(seconds), np.zeros(RATE), speech]), RATE)


SOUNDS = pytest.mark.parametrize("sound", [tone(4), beeps(0.3), beeps(0.005)])


@SOUNDS
@pytest.mark.parametrize("sizes", [(65_536,), (640,)])
async def test_sound_without_speech(standin: Server, sound: Floats, sizes: tuple[int, ...]) -> None:
    events = await stream_audio(standin, encode(sound, RATE), sizes=sizes)
    (warning,) = events_of(events, "warning")
    assert warning["code"] == "no_speech"
    assert "/api/v1/simple" in warning["message"]
    assert [event["type"] for event in events[-2:]] == ["warning", "stopped"]


@pytest.mark.parametrize("size", [640, 160_000])
async def test_a_client_that_sends_sound_has_it_before_the_end(standin: Server, size: int) -> None:
    async with client(standin) as socket:
        await socket.start()
        await socket.send(encode(tone(12), RATE).data, (size,))
        *_, warning = await socket.events_until("warning")
        assert warning["code"] == "no_speech"
        assert "so far" in warning["message"]
        assert "/api/v1/simple" in warning["message"]
        await socket.send(encode(tone(12), RATE).data, (640,))
        await socket.send_request("stop", disconnect=True)
        assert [event["type"] for event in await socket.events_until_close()] == ["stopped"]


@pytest.mark.parametrize("sizes", [(65_536,), (640,), (7_777, 320, 160_000)])
async def test_however_the_bytes_are_cut(standin: Server, sizes: tuple[int, ...]) -> None:
    events = await stream_audio(standin, encode(tone(25), RATE), sizes=sizes)
    (warning,) = events_of(events, "warning")
    assert "so far" in warning["message"]
    for jingle_s, warnings in ((4, 0), (14, 1)):
        events = await stream_audio(standin, after_sound(jingle_s), sizes=sizes)
        assert len(events_of(events, "warning")) == warnings
        assert events_of(events, "segment")


async def test_a_recording_with_speech_after_sound_has_none(standin: Server) -> None:
    samples = np.frombuffer(after_sound(14).data, dtype="<i2") / 32_768
    assert "warnings" not in analyzed(standin, wav(samples, RATE))


@SOUNDS
async def test_in_a_recording(standin: Server, sound: Floats) -> None:
    (warning,) = analyzed(standin, wav(sound, RATE))["warnings"]
    assert warning["code"] == "no_speech"
    assert "vad=false" in warning["message"]
    assert "warnings" not in analyzed(standin, wav(sound, RATE), vad="false")


async def test_on_one_of_two_channels(standin: Server) -> None:
    sound = tone(4)
    events = await stream_audio(standin, encode(np.stack([0 * sound, sound], axis=1), RATE))
    assert [warning["code"] for warning in events_of(events, "warning")] == ["no_speech"]


@pytest.mark.parametrize(
    "audio",
    [
        beckett(),
        silence(4, RATE),
        encode(tone(0.3), RATE),
        encode(np.random.default_rng(1).normal(0, 0.001, 4 * RATE), RATE),
    ],
)
async def test_speech_silence_and_a_quiet_room_have_none(standin: Server, audio: Audio) -> None:
    assert not events_of(await stream_audio(standin, audio), "warning")


async def test_chunks_of_sound_have_none(standin: Server) -> None:
    events = await stream_audio(standin, encode(tone(2), RATE), "simple")
    assert not events_of(events, "warning")
