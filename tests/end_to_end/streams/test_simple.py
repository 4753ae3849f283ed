"""`/api/v1/simple`: every sample reaches the model, in equal chunks, whatever the format."""

import math
import struct

import numpy as np
import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.process import Server
from tools.harness.sounds import SUBTYPES, Audio, beckett, encode, silence
from tools.harness.streams import check_stream, client, events_of, stream_audio

CHUNK_S = 0.25
"""Of the stand-in server."""

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000)


async def test_chunks_are_equal_and_the_last_one_is_shorter(standin: Server) -> None:
    events = await stream_audio(standin, beckett(), "simple")
    *whole, last = events_of(events, "segment")
    for number, chunk in enumerate(whole):
        assert chunk["start_time"] == number * CHUNK_S
        assert chunk["end_time"] == (number + 1) * CHUNK_S
        assert chunk["count"] == 4_000
    assert last["end_time"] == beckett().seconds
    assert 0 < last["count"] < 4_000
    assert 4_000 * len(whole) + last["count"] == beckett().frames


async def test_the_cut_of_the_messages_changes_nothing(standin: Server) -> None:
    audio = encode(np.zeros((30_011, 3)), 44_100, 24)
    whole = events_of(await stream_audio(standin, audio, "simple"), "segment", channel=0)
    assert (
        events_of(await stream_audio(standin, audio, "simple", (7,)), "segment", channel=0) == whole
    )
    assert (
        events_of(await stream_audio(standin, audio, "simple", (1, 997)), "segment", channel=0)
        == whole
    )


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
async def test_flush_ends_the_chunk_and_loses_no_sample(standin: Server, rate: int) -> None:
    part = silence(0.3, rate)
    async with client(standin, "simple") as socket:
        await socket.start(part)
        for _ in range(3):
            await socket.send(part.data)
            await socket.send_request("flush")
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    check_stream(events)
    segments = events_of(events, "segment")
    assert [event.get("flushed", False) for event in segments] == [False, True] * 3
    assert sum(event["count"] for event in segments) == round(3 * 0.3 * 16_000)


async def test_channels_are_chunked_apart(standin: Server) -> None:
    stereo = encode(np.zeros((20_000, 2)), 16_000)
    events = await stream_audio(standin, stereo, "simple")
    for channel in (0, 1):
        counts = [event["count"] for event in events_of(events, "segment", channel=channel)]
        assert counts == [4_000] * 5
    assert events[-1]["segments"] == 10


async def test_chunks_come_in_order_though_computed_side_by_side(launch: Launch) -> None:
    options = {"delay": 0.02, "jitter": 4.0}
    model = {"type": "standin", "options": options}
    server = launch({"model": model, "inference": {"workers": 3}})
    segments = events_of(await stream_audio(server, silence(20), "simple"), "segment")
    assert [event["start_time"] for event in segments] == list(range(20))


@pytest.mark.parametrize(("bits", "is_float", "encoding"), SUBTYPES)
async def test_every_format_arrives_whole(
    standin: Server, bits: int, is_float: bool, encoding: str
) -> None:
    async with client(standin, "simple") as socket:
        for rate in RATES:
            for channels in range(1, 9):
                samples = np.zeros((rate * 3 // 10 + channels, channels))
                audio = encode(samples, rate, bits, is_float, encoding)
                await socket.start(audio)
                await socket.send(audio.data, (60_000, 1))
                await socket.send_request("stop")
                events = await socket.events_until("stopped")
                check_stream(events)
                expected = math.floor(audio.frames * 16_000 / rate + 0.5)
                for channel in range(channels):
                    segments = events_of(events, "segment", channel=channel)
                    assert sum(event["count"] for event in segments) == expected, audio.format


@pytest.mark.parametrize(("bits", "code"), [(32, "f"), (64, "d")])
async def test_samples_that_are_no_numbers_are_reported_once(
    standin: Server, bits: int, code: str
) -> None:
    bad = struct.pack(f"<4{code}", 0.5, math.nan, math.inf, -math.inf)
    audio = Audio(bad * 4_000, bit_depth=bits, is_float=True)
    events = await stream_audio(standin, audio, "simple", (10_001,))
    (warning,) = events_of(events, "warning")
    assert warning["code"] == "bad_samples"
    assert sum(event["count"] for event in events_of(events, "segment")) == audio.frames


async def test_a_frame_that_stays_incomplete_is_left_out(standin: Server) -> None:
    async with client(standin, "simple") as socket:
        await socket.start()
        await socket.send(bytes(2 * 4_000 + 1))
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert events[-1]["audio_seconds"] == CHUNK_S
