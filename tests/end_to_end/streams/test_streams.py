"""The life of streams on a socket: start, flush, stop, start again."""

import itertools

import numpy as np
import pytest
import soxr

from tests.end_to_end.conftest import Launch
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, encode, recording, silence
from tools.harness.streams import check_stream, client, events_of, findings, stream_audio

BOTH = pytest.mark.parametrize("path", ["segmented", "simple"])
SECOND = silence(1)
SENTENCE = Audio(beckett().part(0, 1.6))
"""`Ever tried.`, from 0.35 to 1.2 s, with not enough silence after it to end by itself."""
EVENTS_OF_SPEECH = ("active", "inactive", "segment", "flushed")


async def test_started_says_the_settings_in_force(standin: Server) -> None:
    async with client(standin) as socket:
        vad = {"threshold": 0.6, "max_segment_ms": 5_000}
        await socket.start(vad=vad, interim_results=True, model="standin")
        started = await socket.next_event()
    assert started.pop("session_id")
    assert len(started.pop("trace_id")) == 32
    assert started == {
        "type": "started",
        "protocol": 1,
        "max_message_bytes": 262_144,
        "model": "standin",
        "sample_rate": 16_000,
        "interim_results": True,
        "vad": {
            "engine": "silero",
            "threshold": 0.6,
            "min_silence_ms": 600,
            "min_speech_ms": 200,
            "prefix_padding_ms": 450,
            "max_segment_ms": 5_000,
        },
    }


async def test_interim_results_have_no_effect_on_simple(standin: Server) -> None:
    events = await stream_audio(standin, SECOND, "simple", interim_results=True)
    assert events[0]["interim_results"] is False
    assert events[0]["vad"] is None
    assert {event["type"] for event in events} == {"started", "segment", "stopped"}


async def test_the_settings_decide_what_is_found(standin: Server) -> None:
    assert len(events_of(await stream_audio(standin, beckett()), "segment")) == 6
    patient = await stream_audio(standin, beckett(), vad={"min_silence_ms": 2_000})
    assert len(events_of(patient, "segment")) == 1


async def test_a_long_segment_is_cut_into_consecutive_parts(standin: Server) -> None:
    vad = {"min_silence_ms": 2_000, "max_segment_ms": 3_000}
    segments = events_of(await stream_audio(standin, beckett(), vad=vad), "segment")
    assert len(segments) >= 3
    for part, following in itertools.pairwise(segments):
        assert part["end_time"] == following["start_time"]
        assert part["end_time"] - part["start_time"] <= 3
    for part in segments:
        assert part["count"] == round(16_000 * (part["end_time"] - part["start_time"]))


@BOTH
async def test_streams_follow_one_another_on_a_socket(standin: Server, path: str) -> None:
    async with client(standin, path) as socket:
        streams = []
        for _ in range(3):
            await socket.start(interim_results=True)
            await socket.send(beckett().data)
            await socket.send_request("stop")
            streams.append(await socket.events_until("stopped"))
    for events in streams:
        check_stream(events)
        assert events[-1]["audio_seconds"] == beckett().seconds
        assert findings(events) == findings(streams[0])


@BOTH
async def test_a_start_in_mid_stream_finishes_the_stream_first(standin: Server, path: str) -> None:
    async with client(standin, path) as socket:
        await socket.start()
        await socket.send(SENTENCE.data)
        await socket.start(silence(0, 8_000))
        first = await socket.events_until("stopped")
        await socket.send(bytes(16_000))
        await socket.send_request("stop", disconnect=True)
        second = await socket.events_until_close()
    check_stream(first)
    assert first[-1]["audio_seconds"] == SENTENCE.seconds
    assert events_of(first, "segment")[-1]["end_time"] == pytest.approx(SENTENCE.seconds, abs=0.2)
    check_stream(second)
    assert second[-1]["audio_seconds"] == 1


@BOTH
async def test_audio_after_stop_begins_a_stream_like_the_last(standin: Server, path: str) -> None:
    async with client(standin, path) as socket:
        vad = {"min_silence_ms": 700}
        await socket.start(silence(0, 8_000), vad=vad)
        first = await socket.events_until("started")
        await socket.send_request("stop")
        await socket.events_until("stopped")
        await socket.send(bytes(16_000))
        await socket.send_request("stop", disconnect=True)
        second = await socket.events_until_close()
    check_stream(second)
    assert second[0]["vad"] == first[0]["vad"]
    assert second[-1]["audio_seconds"] == 1, "8 kHz, as the last start said"


@BOTH
async def test_stop_without_disconnect_leaves_the_socket_open(standin: Server, path: str) -> None:
    async with client(standin, path) as socket:
        await socket.start()
        await socket.send_request("stop")
        stopped = (await socket.events_until("stopped"))[-1]
        assert stopped["audio_seconds"] == 0
        assert stopped["segments"] == 0
        await socket.start()
        assert (await socket.next_event())["type"] == "started"


async def test_flush_ends_the_segment_and_the_stream_goes_on(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.start()
        await socket.send(SENTENCE.data)
        await socket.events_until("active")
        await socket.send_request("flush")
        *_, flushed, answer = await socket.events_until("flushed")
        await socket.send(beckett().data[len(SENTENCE.data) :])
        await socket.send_request("stop", disconnect=True)
        rest = await socket.events_until_close()
    assert flushed["flushed"] is True
    assert answer == {"type": "flushed", "time": SENTENCE.seconds, "channel": 0}
    assert len(events_of(rest, "segment")) == 5
    assert not any("flushed" in event for event in rest)
    assert rest[-1]["segments"] == 6
    assert rest[-1]["audio_seconds"] == beckett().seconds


@BOTH
async def test_every_flush_is_answered(standin: Server, path: str) -> None:
    """Before any audio, in silence, twice in the same place; the last of them before `stopped`."""
    async with client(standin, path) as socket:
        await socket.start()
        await socket.send_request("flush")
        await socket.send(SECOND.data)
        await socket.send_request("flush")
        await socket.send_request("flush")
        await socket.send(SECOND.data)
        await socket.send_request("flush")
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    check_stream(events)
    assert [event["time"] for event in events_of(events, "flushed")] == [0, 1, 1, 2]
    assert [event["type"] for event in events[-2:]] == ["flushed", "stopped"]


@BOTH
async def test_a_flush_is_answered_on_each_channel(standin: Server, path: str) -> None:
    """Speech on one channel, silence on the other; a new start comes while all is pending."""
    speech = np.frombuffer(SENTENCE.data, "<i2")
    stereo = Audio(np.stack([speech, 0 * speech], axis=1).tobytes(), channels=2)
    async with client(standin, path) as socket:
        await socket.start(stereo)
        for _ in range(3):
            await socket.send(stereo.data)
            await socket.send_request("flush")
        await socket.start()
        events = await socket.events_until("stopped")
        await socket.send_request("stop", disconnect=True)
        assert [e["type"] for e in await socket.events_until_close()] == ["started", "stopped"]
    check_stream(events)
    for channel in (0, 1):
        answers = events_of(events, "flushed", channel=channel)
        assert [event["time"] for event in answers] == pytest.approx([1.6, 3.2, 4.8])
    if path == "segmented":
        of_speech = [e["type"] for e in events_of(events, *EVENTS_OF_SPEECH, channel=0)]
        assert of_speech == [*EVENTS_OF_SPEECH] * 3
        assert not events_of(events, "active", "segment", channel=1)


@pytest.mark.parametrize("rate", [16_000, 44_100])
async def test_no_turn_has_audio_of_the_turn_before(standin: Server, rate: int) -> None:
    """A sentence, flushed at once; the next begins with silence, which the padding would cross."""
    samples = soxr.resample(*recording("beckett.wav"), rate)
    sentence = encode(samples[: round(1.6 * rate)], rate)
    async with client(standin) as socket:
        await socket.start(sentence)
        for _ in range(4):
            await socket.send(sentence.data)
            await socket.send_request("flush")
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    check_stream(events)
    flushes = [event["time"] for event in events_of(events, "flushed")]
    segments = events_of(events, "segment")
    assert len(segments) == 4
    for segment, begun, ended in zip(segments, [0, *flushes], flushes, strict=False):
        assert begun <= segment["start_time"] < segment["end_time"] <= ended
        assert segment["count"] <= 1 + 16_000 * (ended - begun)


@BOTH
async def test_keep_alive_changes_nothing(standin: Server, path: str) -> None:
    plain = await stream_audio(standin, beckett(), path)
    async with client(standin, path) as socket:
        await socket.send_request("keep_alive")
        await socket.start(beckett())
        for first in range(0, len(beckett().data), 50_001):
            await socket.send(beckett().data[first : first + 50_001])
            await socket.send_request("keep_alive")
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert findings(events) == findings(plain)


async def test_interims_come_while_the_segment_grows(transcriber: Server) -> None:
    vad = {"min_silence_ms": 2_000}
    async with client(transcriber) as socket:
        await socket.start(interim_results=True, vad=vad)
        events: list[Event] = []
        for second in range(0, 8, 2):
            await socket.send(beckett().part(second, second + 2))
            events += await socket.events_until("interim")
        await socket.send(beckett().part(8, beckett().seconds))
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    interims = events_of(events, "interim")
    assert all(interim["is_final"] is False for interim in interims)
    assert "tried" in interims[-1]["text"]
    assert findings(events) == findings(await stream_audio(transcriber, beckett(), vad=vad))


async def test_an_interim_that_its_segment_overtakes_is_not_sent(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"delay": 0.3}}})
    events = await stream_audio(server, beckett(), interim_results=True)
    assert len(events_of(events, "segment")) == 6
    assert not events_of(events, "interim")


async def test_no_interims_unless_asked_for(transcriber: Server) -> None:
    async with client(transcriber) as without, client(transcriber) as asking:
        await without.start()
        await asking.start(interim_results=True)
        for socket in (without, asking):
            await socket.send(SENTENCE.part(0, 1.1))
            await socket.events_until("active")
        await asking.events_until("interim")
        await without.send_request("stop", disconnect=True)
        assert not events_of(await without.events_until_close(), "interim")
