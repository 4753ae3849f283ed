"""Streams in containers: the words of the same audio as PCM, as they come, and nothing hangs."""

import asyncio
import re
import signal
from collections.abc import Mapping

import numpy as np
import psutil
import pytest

from tests.end_to_end.conftest import Launch
from tests.end_to_end.streams.containers import AUTO, KINDS, beckett_samples, speech
from tests.recordings.makers import encoded, id3, sound, wav
from tools.harness.json_socket import Event
from tools.harness.process import Server, wait_until
from tools.harness.sounds import beckett, word_error_rate
from tools.harness.streams import (
    check_stream,
    client,
    events_of,
    findings,
    stream_audio,
    transcript,
)

SENTENCES = 6


async def stream(
    server: Server,
    data: bytes,
    path: str = "segmented",
    size: int = 1_000,
    fmt: Mapping[str, object] = AUTO,
    **start: object,
) -> list[Event]:
    async with client(server, path) as socket:
        await socket.send_request("start", format=fmt, **start)
        await socket.send(data, (size,))
        await socket.send_request("stop", disconnect=True)
        return await socket.events_until_close()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_words_are_those_of_the_same_audio_as_pcm(transcriber: Server, kind: str) -> None:
    events = await stream(transcriber, speech(kind), size=317)
    check_stream(events)
    pcm = await stream_audio(transcriber, beckett())
    # A codec that loses something may cost, or gain, one of the twelve words.
    allowed = 0.0 if kind in ("FLAC", "WAV") else 0.1
    assert word_error_rate(transcript(pcm), transcript(events)) <= allowed
    assert not events_of(events, "warning", "error")
    assert events[-1]["audio_seconds"] == pytest.approx(beckett().seconds, abs=0.15)


@pytest.mark.parametrize("kind", ["FLAC", "WAV"])
@pytest.mark.parametrize("size", [173, 30_000])
async def test_without_loss_all_events_are_the_same(standin: Server, kind: str, size: int) -> None:
    events = await stream(standin, speech(kind), size=size)
    assert findings(events) == findings(await stream_audio(standin, beckett()))
    assert events[-1]["seconds"] == (await stream_audio(standin, beckett()))[-1]["seconds"]


async def test_chunks_without_a_detector(standin: Server) -> None:
    events = await stream(standin, speech("FLAC"), "simple")
    assert findings(events) == findings(await stream_audio(standin, beckett(), "simple"))


@pytest.mark.parametrize("kind", ["WebM/Opus", "Ogg/Opus", "MP3", "FLAC", "ADTS", "MP4", "WAV"])
async def test_results_come_while_the_stream_goes_on(standin: Server, kind: str) -> None:
    data = speech(kind)
    async with client(standin) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send(data[: len(data) // 2], (500,))
        before = await socket.events_until("segment", 2)
        await socket.send(data[len(data) // 2 :], (500,))
        await socket.send_request("stop", disconnect=True)
        events = before + await socket.events_until_close()
    check_stream(events)
    assert len(events_of(events, "segment")) == SENTENCES


async def test_flush_acts_on_the_audio_that_was_sent_before(standin: Server) -> None:
    data = speech("WebM/Opus")
    async with client(standin) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send(data[: len(data) // 2], (500,))
        await socket.send_request("flush")
        events = await socket.events_until("flushed")
        assert events[-1]["time"] == pytest.approx(beckett().seconds / 2, abs=0.5)
        await socket.send(data[len(data) // 2 :], (500,))
        await socket.send_request("configure", interim_results=True)
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    assert events_of(events, "configured")[0]["interim_results"] is True


async def test_requests_before_the_first_byte(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send_request("flush")
        await socket.send_request("configure", interim_results=True)
        await socket.send_request("stop")
        events = await socket.events_until("stopped")
        assert [event["type"] for event in events] == [
            *("started", "flushed", "configured", "stopped")
        ]
        assert (events[1]["time"], events[1]["channel"]) == (0, 0)
        assert (events[-1]["audio_seconds"], events[-1]["seconds"]) == (0, [])
        # Audio without a new `start` is a new stream, and a new container.
        await socket.send(speech("FLAC"))
        await socket.send_request("stop", disconnect=True)
        again = await socket.events_until_close()
    check_stream(again)
    assert len(events_of(again, "segment")) == SENTENCES


async def test_streams_of_both_kinds_on_one_socket(standin: Server) -> None:
    async with client(standin) as socket:
        for data, fmt in ((speech("MP3"), AUTO), (beckett().data, beckett().format)) * 2:
            await socket.send_request("start", format=fmt)
            await socket.send(data)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert len(events_of(events, "stopped")) == 4
    assert len(events_of(events, "segment")) == 4 * SENTENCES


async def test_a_chain_with_other_rates_is_one_stream(standin: Server) -> None:
    chain = encoded(beckett_samples(16_000), 16_000, "ogg", "flac") + encoded(
        beckett_samples(44_100), 44_100, "ogg", "flac"
    )
    events = await stream(standin, chain)
    check_stream(events)
    assert len(events_of(events, "segment")) == 2 * SENTENCES
    assert events[-1]["audio_seconds"] == pytest.approx(2 * beckett().seconds, abs=0.01)


async def test_what_is_given_and_different_is_said(standin: Server) -> None:
    fmt = {"encoding": "auto", "sample_rate": 16_000, "channels": 2, "bit_depth": 16}
    events = await stream(standin, speech("WebM/Opus"), fmt=fmt)
    rate, channels = events_of(events, "warning")
    assert (rate["code"], channels["code"]) == ("other_format", "other_format")
    assert "'format.sample_rate' is 16000, and the WebM stream has 48000" in rate["message"]
    assert "'format.channels' is 2, and the WebM stream has 1" in channels["message"]
    assert {event["channel"] for event in events_of(events, "segment")} == {0, 1}


async def test_one_channel_is_a_mix(standin: Server) -> None:
    both = wav(np.concatenate([beckett_samples(), 0 * beckett_samples()]), 16_000)
    two = await stream(standin, both)
    assert len(two[-1]["seconds"]) == 2
    one = await stream(standin, both, fmt=AUTO | {"channels": 1})
    assert not events_of(one, "warning")
    assert len(one[-1]["seconds"]) == 1
    assert len(events_of(one, "segment")) == SENTENCES


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (beckett().data[:60_000], "'format.encoding' is \"auto\": the audio is in no container"),
        (b"\x00" * 40_000, "allowed: WAV"),
        (b"<!DOCTYPE html><html><body>404</body></html>" + b" " * 100, "HTML"),
        (encoded(sound(1, 16_000), 16_000, "ipod", "aac"), "has its index"),
        (encoded(sound(1, 16_000), 16_000, "aiff", "pcm_s16be"), "this AIFF file can only be"),
        (wav(sound(0.5, 4_000), 4_000), "sample rate' is 4000; allowed: 8000 to 192000"),
        (wav(np.zeros((9, 800), np.float32), 16_000), "channels' is 9; allowed: 1 to 8"),
        (speech("WebM/Opus")[:100], "WebM file"),
        (speech("Ogg/Opus")[:40], "OGG file"),
        (id3(100_000), "known"),
    ],
)
async def test_what_cannot_be_decoded_ends_the_stream_with_an_error(
    standin: Server, data: bytes, says: str
) -> None:
    async with client(standin) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send(data)
        await socket.send_request("flush")
        await socket.send_request("stop")
        events = await socket.events_until("stopped")
        (error,) = events_of(events, "error")
        assert (error["code"], error["fatal"]) == ("bad_audio", False)
        assert says in error["message"]
        assert error["message"].endswith("the stream ends here")
        # The socket is as good as before.
        await socket.send_request("start", format=AUTO)
        await socket.send(speech("FLAC"))
        await socket.send_request("stop", disconnect=True)
        later = await socket.events_until_close()
    assert not events_of(later, "error")
    assert len(events_of(later, "segment")) == SENTENCES
    assert len(events_of(later, "stopped")) == 1


async def test_the_error_comes_without_a_stop(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send(beckett().data, (640,))
        events = await socket.events_until("stopped")
        assert [event["type"] for event in events] == ["started", "error", "stopped"]
        await socket.send(beckett().data, (640,))  # it has no effect
        await socket.send_request("flush")
        assert (await socket.next_event())["type"] == "flushed"
        await socket.send_request("stop", disconnect=True)
        assert await socket.events_until_close() == []


async def test_damage_in_the_middle_loses_nothing_before_it(standin: Server) -> None:
    data = bytearray(speech("WebM/Opus"))
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(range(200)) * 2
    events = await stream(standin, bytes(data))
    check_stream(events)
    whole = events_of(await stream(standin, speech("WebM/Opus")), "segment")
    assert events_of(events, "segment")[:2] == whole[:2]
    found, missing = events_of(events, "warning")
    assert found["code"] == missing["code"] == "damaged_audio"
    assert re.search(r"the WebM stream is damaged somewhere before [5-9]\.\d s", found["message"])
    assert events.index(found) < events.index(events_of(events, "segment")[-1])
    assert events[-2:] == [missing, events[-1]]


async def test_a_file_behind_that_cannot_be_decoded(standin: Server) -> None:
    """What was decoded has its results; then comes the error."""
    aiff = encoded(sound(1, 16_000), 16_000, "aiff", "pcm_s16be")
    events = await stream(standin, speech("WebM/Opus") + aiff)
    assert len(events_of(events, "segment")) == SENTENCES
    *_, error, stopped = events
    assert error["code"] == "bad_audio"
    assert re.search(r"; 9\.\d\d s before it are decoded; the stream ends here", error["message"])
    assert stopped["audio_seconds"] == pytest.approx(beckett().seconds, abs=0.15)


async def test_a_killed_decoder_ends_one_stream_and_no_other(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    data = speech("WebM/Opus")
    async with client(server) as one, client(server) as other:
        await one.send_request("start", format=AUTO)
        await one.send(data[: len(data) // 2], (500,))
        await one.events_until("segment", 2)
        (process,) = server.decoders()
        await other.send_request("start", format=AUTO)
        await other.send(data[: len(data) // 2], (500,))
        await other.events_until("segment", 2)
        process.kill()
        await one.send(data[len(data) // 2 :], (500,))
        events = await one.events_until("stopped")
        (error,) = events_of(events, "error")
        assert (error["code"], "its decoder was stopped" in error["message"]) == ("bad_audio", True)
        await other.send(data[len(data) // 2 :], (500,))
        await other.send_request("stop", disconnect=True)
        events = await other.events_until_close()
        assert len(events_of(events, "segment")) == SENTENCES - 2
    wait_until(lambda: not server.decoders(), "no decoder is left")


async def test_a_decoder_ends_with_its_client(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    async with client(server) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send(speech("WebM/Opus")[:2_000])
        await socket.events_until("started")
        await asyncio.to_thread(wait_until, lambda: server.decoders(), "a decoder runs")
        socket.abort()
        await asyncio.to_thread(wait_until, lambda: not server.decoders(), "it has ended")


async def test_only_so_many_at_once(launch: Launch) -> None:
    config = {"model": {"type": "standin"}, "limits": {"max_container_streams": 1}}
    server = launch(config)
    async with client(server) as one, client(server) as other:
        await one.send_request("start", format=AUTO)
        await one.send(speech("MP3")[:20_000])
        await one.events_until("active")
        await other.send_request("start", format=AUTO)
        await other.send(speech("MP3"))
        events = await other.events_until("stopped")
        (error,) = events_of(events, "error")
        assert (error["code"], error["fatal"]) == ("overloaded", False)
        assert "allowed: limits.max_container_streams (1)" in error["message"]
        # PCM needs no decoder.
        await other.start(beckett())
        await other.send(beckett().data)
        await other.send_request("stop")
        assert len(events_of(await other.events_until("stopped"), "segment")) == SENTENCES
        await one.send_request("stop")
        await one.events_until("stopped")
        await other.send_request("start", format=AUTO)
        await other.send(speech("MP3"))
        await other.send_request("stop", disconnect=True)
        assert len(events_of(await other.events_until_close(), "segment")) == SENTENCES


async def test_draining_lets_it_finish(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    data = speech("WebM/Opus")
    async with client(server) as socket:
        await socket.send_request("start", format=AUTO)
        await socket.send(data[: len(data) // 2], (500,))
        events = await socket.events_until("segment")
        server.send_signal(signal.SIGTERM)
        events += await socket.events_until("going_away")
        await socket.send(data[len(data) // 2 :], (500,))
        await socket.send_request("stop")
        events += await socket.events_until_close()
    assert socket.close_code == 1012
    assert len(events_of(events, "segment")) == SENTENCES


async def test_a_few_bytes_that_are_minutes_wait_like_audio_that_was_sent(
    launch: Launch,
) -> None:
    """Silence is small in FLAC. It lags behind nothing, and disturbs no neighbour."""
    config = {"model": {"type": "standin"}, "limits": {"max_lag_seconds": 3.0}}
    server = launch(config)
    seconds = 240
    quiet = encoded(np.zeros((1, 8_000 * seconds), np.float32), 8_000, "flac", "flac", pipe=True)
    server_process = psutil.Process(server.process.pid)
    before = server_process.memory_info().rss
    async with client(server) as bomb:
        await bomb.send_request("start", format=AUTO)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(bomb.send(quiet, (65_536,)))
            events = await stream(server, speech("WebM/Opus"))
            check_stream(events)
        await bomb.send_request("stop", disconnect=True)
        events = await bomb.events_until_close()
    assert bomb.close_code == 1000
    assert not events_of(events, "error", "warning")
    assert events[-1]["audio_seconds"] == seconds
    assert server_process.memory_info().rss - before < 100 << 20


async def test_a_pause_of_a_recorder_ends_the_segment(standin: Server) -> None:
    """As with PCM: a client that sends in real time, and then nothing."""
    data = speech("WebM/Opus")
    async with client(standin) as socket:
        await socket.send_request("start", format=AUTO)
        sent_s, steps = 1.1, 11  # `Ever tried.`, without the silence after it
        for step in range(steps):
            await socket.send(
                data[
                    round(len(data) * sent_s / beckett().seconds * step / steps) : round(
                        len(data) * sent_s / beckett().seconds * (step + 1) / steps
                    )
                ]
            )
            await asyncio.sleep(sent_s / steps)
        events = await socket.events_until("segment")
    assert not events_of(events, "error"), "it does not wait for the idle deadline"
    (segment,) = events_of(events, "segment")
    assert segment["end_time"] < 1.3
    assert "flushed" not in segment


@pytest.mark.parametrize(
    ("fmt", "says"),
    [
        ({"encoding": "auto", "sample_rate": 5}, "'format.sample_rate' is 5; allowed"),
        ({"encoding": "auto", "channels": 99}, "'format.channels' is 99; allowed: 1 to 8"),
        ({"encoding": "opus"}, "allowed: one of alaw, auto, mulaw, pcm"),
        ({"encoding": "pcm"}, "'format.sample_rate' is missing"),
    ],
)
async def test_a_format_that_cannot_be(standin: Server, fmt: dict[str, object], says: str) -> None:
    async with client(standin) as socket:
        await socket.send_request("start", format=fmt)
        error = await socket.next_event()
    assert error["code"] == "bad_format"
    assert says in error["message"]
