"""`stopped.seconds`, HTTP's `seconds` and the metrics: where the audio of real streams went."""

import asyncio
from typing import Any

import numpy as np
import pytest
import soxr

from tests.end_to_end.conftest import Launch
from tests.end_to_end.http.posting import analyzed, wav
from tests.end_to_end.telemetry.test_metrics import scrape, value
from tools.harness.json_socket import Event
from tools.harness.process import Server, wait_until
from tools.harness.sounds import Audio, beckett, encode, recording, silence
from tools.harness.streams import client, events_of, stream_audio

SUMS = ("received", "speech", "transcribed", "failed", "dropped", "loud_unheard")


def length(events: list[Event], kind: str) -> float:
    """Seconds in the spans of all events of a type."""
    return sum(float(event["end_time"] - event["start_time"]) for event in events_of(events, kind))


@pytest.mark.parametrize(
    ("options", "failing"),
    [({"crash_rate": 1}, "worker_lost"), ({"failure_rate": 0.5, "seed": 1}, "inference_failed")],
)
async def test_segments_without_a_result_are_failed(
    launch: Launch, options: dict[str, Any], failing: str
) -> None:
    inference = {"workers": 1, "early_finals": False}
    server = launch({"model": {"type": "standin", "options": options}, "inference": inference})
    audio = Audio(beckett().part(0, 4))
    events = await stream_audio(server, audio)
    [seconds] = events[-1]["seconds"]
    errors = events_of(events, "error")
    assert errors
    assert {event["code"] for event in errors} == {failing}
    assert seconds["failed"] == pytest.approx(length(events, "error"))
    assert seconds["transcribed"] == pytest.approx(length(events, "segment"))
    assert seconds["received"] == audio.seconds
    series = scrape(server)
    for name in SUMS:
        counted = value(series, "channel_audio_seconds_total", entry=name)
        assert counted == pytest.approx(seconds[name])


@pytest.mark.parametrize("rate", [8_000, 44_100])
async def test_each_channel_has_its_account(standin: Server, rate: int) -> None:
    speech = soxr.resample(*recording("beckett.wav"), rate)
    stereo = encode(np.stack([speech, 0 * speech], axis=1), rate)
    events = await stream_audio(standin, stereo)
    spoken, silent = events[-1]["seconds"]
    assert silent == dict.fromkeys(SUMS, 0) | {"channel": 1, "received": stereo.seconds}
    assert spoken["channel"] == 0
    assert spoken["transcribed"] == pytest.approx(length(events, "segment"), abs=0.001)
    assert 0 < spoken["speech"] < spoken["transcribed"] < spoken["received"]
    assert spoken["failed"] == spoken["dropped"] == 0


async def test_everything_reaches_the_model_without_a_vad(standin: Server) -> None:
    for audio in (beckett(), silence(1.23, 44_100)):
        [seconds] = (await stream_audio(standin, audio, "simple"))[-1]["seconds"]
        assert seconds["transcribed"] == seconds["received"] == audio.seconds
        answer = analyzed(standin, wav(np.zeros(12_345), 22_050), vad="false")
        [seconds] = answer["seconds"]
        assert seconds["transcribed"] == seconds["received"] == 12_345 / 22_050


async def test_a_recording_has_the_account_of_a_stream(standin: Server) -> None:
    samples, rate = recording("beckett.wav")
    streamed = (await stream_audio(standin, encode(samples, rate)))[-1]["seconds"]
    assert analyzed(standin, wav(samples, rate))["seconds"] == streamed


async def test_speech_that_a_flush_cuts_short_is_dropped(standin: Server) -> None:
    """`Ever` begins at 0.35 s; at 0.45 s it is not confirmed yet."""
    async with client(standin) as socket:
        await socket.start()
        await socket.send(beckett().part(0, 0.45))
        await socket.send_request("flush")
        await socket.send(silence(1).data)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    [seconds] = events[-1]["seconds"]
    assert not events_of(events, "segment")
    assert 0 < seconds["dropped"] < 0.2


async def test_what_a_client_leaves_behind_is_abandoned(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"delay": 600}}})
    async with client(server) as socket:
        await socket.start()
        await socket.send(beckett().data)
        await socket.events_until("inactive")
        socket.abort()

    def is_over() -> bool:
        return "stream broken off" in server.log()

    await asyncio.to_thread(wait_until, is_over, "the end of the stream")
    assert value(scrape(server), "channel_audio_seconds_total", entry="abandoned") > 1
