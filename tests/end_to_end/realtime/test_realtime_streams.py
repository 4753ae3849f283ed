"""`/v1/realtime` gives the words of `/api/v1/segmented`, in OpenAI's events."""

import itertools
from collections.abc import Callable, Mapping

import pytest
import soxr

from tests.end_to_end.realtime.realtime_socket import (
    COMMITTED,
    COMPLETED,
    DELTA,
    ended_by_silence,
    named,
    realtime,
    texts,
)
from tools.harness.process import Server
from tools.harness.sounds import (
    BECKETT,
    Audio,
    beckett,
    encode,
    recording,
    silence,
    word_error_rate,
)
from tools.harness.streams import client, events_of, stream_audio, transcript


def telephone() -> Audio:
    """The recording at 8 kHz, in µ-law."""
    samples, _ = recording("beckett.wav")
    return encode(samples[::2], 8_000, 8, encoding="mulaw")


AUDIO: Mapping[str, Callable[[], Audio]] = {"16 kHz": beckett, "telephone": telephone}
SIZES = {"100 ms": (3_200,), "any": (1, 7_777, 2, 333, 40_001), "all": (1 << 19,)}


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [("16 kHz", "100 ms"), ("16 kHz", "any"), ("16 kHz", "all"), ("telephone", "any")],
)
async def test_its_words_are_ours_wherever_the_bytes_are_cut(
    transcriber: Server, kind: str, sizes: str
) -> None:
    audio = ended_by_silence(AUDIO[kind]())
    ours = events_of(await stream_audio(transcriber, audio), "segment")
    async with realtime(transcriber) as socket:
        await socket.use(audio)
        await socket.append(audio.data, SIZES[sizes])
        events = await socket.events_until(COMPLETED, len(ours))
    assert texts(events) == [segment["text"] for segment in ours]
    assert len(ours) == 6
    seconds = [event["usage"]["seconds"] for event in named(events, COMPLETED)]
    assert seconds == pytest.approx(
        [segment["end_time"] - segment["start_time"] for segment in ours], abs=0.001
    )


async def test_a_turn_from_start_to_end(transcriber: Server) -> None:
    audio = Audio(beckett().part(0, 2.5))
    ours = events_of(await stream_audio(transcriber, audio), "active", "inactive")
    async with realtime(transcriber) as socket:
        await socket.use(audio)
        await socket.append(audio.data)
        events = await socket.events_until(COMPLETED)
    started, stopped, committed, added, done = events[:5]
    assert started["type"] == "input_audio_buffer.speech_started"
    assert started["audio_start_ms"] == max(0, round(ours[0]["time"] * 1000) - 450)
    assert stopped["type"] == "input_audio_buffer.speech_stopped"
    assert stopped["audio_end_ms"] == round(ours[1]["time"] * 1000)
    assert (committed["type"], committed["previous_item_id"]) == (COMMITTED, None)
    assert (added["type"], done["type"]) == (
        "conversation.item.added",
        "conversation.item.done",
    )
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    of_item = [event["item_id"] for event in events if "item_id" in event]
    assert set(of_item[:3]) == {added["item"]["id"]}
    numbers = [event["event_id"] for event in (socket.created, *events)]
    assert len(set(numbers)) == len(numbers)


async def test_the_client_commits(transcriber: Server) -> None:
    """Text comes while the client speaks, and all of it at the end."""
    audio = beckett()
    halves = audio.part(0, 4.5), audio.part(4.5, audio.seconds)
    async with client(transcriber) as ours:
        await ours.start(audio)
        for half in halves:
            await ours.send(half)
            await ours.send_request("flush")
        await ours.send_request("stop", disconnect=True)
        expected = await ours.events_until_close()
    async with realtime(transcriber) as socket:
        await socket.use(audio, turn_detection=None)
        for half in halves:
            await socket.append(half)
            await socket.request("input_audio_buffer.commit")
        events = await socket.events_until(COMPLETED, 2)
    assert " ".join(texts(events)) == transcript(expected)
    assert not [event for event in events if "speech_" in event["type"]]
    committed, completed = named(events, COMMITTED), named(events, COMPLETED)
    assert [e["item_id"] for e in committed] == [e["item_id"] for e in completed]
    assert [e["usage"]["seconds"] for e in completed] == [4.5, round(audio.seconds - 4.5, 3)]
    for item in completed:
        deltas = [e["delta"] for e in named(events, DELTA) if e["item_id"] == item["item_id"]]
        assert len(deltas) > 1
        assert word_error_rate(item["transcript"], "".join(deltas)) < 0.35


async def test_deltas_of_speech_that_goes_on_come_before_its_end(transcriber: Server) -> None:
    samples, rate = recording("two_cities.wav")
    audio = encode(samples[: 10 * rate : 2], rate // 2)
    async with realtime(transcriber) as socket:
        await socket.use(audio, turn_detection=None)
        await socket.append(audio.data)
        first = (await socket.events_until(DELTA))[-1]
        await socket.request("input_audio_buffer.commit")
        events = await socket.events_until(COMPLETED)
    assert first["delta"].startswith("It")
    assert named(events, COMMITTED)[0]["item_id"] == first["item_id"]
    assert word_error_rate("it was the best of times", texts(events)[0][:24]) < 0.5


async def test_log_probabilities_are_of_words(transcriber: Server) -> None:
    audio = Audio(beckett().part(0, 3.4) + silence(1).data)
    async with realtime(transcriber) as socket:
        include = ["item.input_audio_transcription.logprobs"]
        await socket.request("session.update", session={"include": include})
        await socket.use(audio)
        await socket.append(audio.data)
        events = named(await socket.events_until(COMPLETED, 2), COMPLETED)
    for event in events:
        assert "".join(each["token"] for each in event["logprobs"]) == event["transcript"]
        assert all(-10 < each["logprob"] <= 0 for each in event["logprobs"])


async def test_at_the_rate_of_openai(transcriber: Server) -> None:
    samples, rate = recording("beckett.wav")
    audio = encode(soxr.resample(samples, rate, 24_000), 24_000)
    async with realtime(transcriber) as socket:  # nothing is said about the format
        await socket.append(audio.data + silence(1, 24_000).data)
        events = await socket.events_until(COMPLETED, 6)
    assert word_error_rate(BECKETT, " ".join(texts(events))) < 0.35


async def test_what_is_cleared_is_not_transcribed_and_time_goes_on(transcriber: Server) -> None:
    audio = beckett()
    async with realtime(transcriber) as socket:
        await socket.use(audio)
        await socket.append(audio.part(0, 1.0))  # in the middle of the first sentence
        await socket.events_until("input_audio_buffer.speech_started")
        await socket.request("input_audio_buffer.clear")
        await socket.events_until("input_audio_buffer.cleared")
        await socket.append(audio.part(1.6, 4.5) + silence(1).data)
        events = await socket.events_until(COMPLETED, 2)
    assert texts(events) == ["Ever failed.", "No matter."]
    started = named(events, "input_audio_buffer.speech_started")
    assert started[0]["audio_start_ms"] < 1_600


async def test_settings_change_in_the_middle_and_time_goes_on(transcriber: Server) -> None:
    """The second sentence is being spoken, and is not cut."""
    audio = ended_by_silence(beckett())
    ours = events_of(await stream_audio(transcriber, audio), "segment")
    async with realtime(transcriber) as socket:
        await socket.use(audio)
        await socket.append(audio.part(0, 2.2))
        events = await socket.events_until("input_audio_buffer.speech_started", 2)
        events += await socket.update(turn_detection={"silence_duration_ms": 551})
        detection = events[-1]["session"]["audio"]["input"]["turn_detection"]
        assert (detection["type"], detection["silence_duration_ms"]) == ("server_vad", 551)
        await socket.append(audio.part(2.2, audio.seconds))
        events += await socket.events_until(COMPLETED, 6 - len(texts(events)))
    assert texts(events) == [segment["text"] for segment in ours]
    starts = [
        event["audio_start_ms"] for event in named(events, "input_audio_buffer.speech_started")
    ]
    assert all(later > earlier + 500 for earlier, later in itertools.pairwise(starts))
    assert starts[-1] > 7_000


async def test_another_encoding_in_the_middle_and_time_goes_on(transcriber: Server) -> None:
    first, then = beckett(), telephone()
    async with realtime(transcriber) as socket:
        await socket.use(first)
        await socket.append(first.part(0, 2.9))  # in the pause after the second sentence
        await socket.use(then)
        await socket.append(ended_by_silence(then).part(2.9, 11))
        events = await socket.events_until("input_audio_buffer.speech_started", 4)
    starts = [
        event["audio_start_ms"] for event in named(events, "input_audio_buffer.speech_started")
    ]
    assert starts == sorted(starts)
    assert starts[0] > 2_900


async def test_the_client_may_begin_to_commit_and_leave_it_again(transcriber: Server) -> None:
    audio = ended_by_silence(beckett())
    async with realtime(transcriber) as socket:
        await socket.use(audio)
        await socket.append(audio.part(0, 3.1))
        events = await socket.events_until(COMPLETED)
        await socket.request(
            "session.update", session={"audio": {"input": {"turn_detection": None}}}
        )
        await socket.append(audio.part(3.1, 6.0))
        detection = {"turn_detection": {"type": "server_vad"}}
        await socket.request("session.update", session={"audio": {"input": detection}})
        await socket.append(audio.part(6.0, audio.seconds))
        events += await socket.events_until(COMPLETED, 4)
    assert word_error_rate(BECKETT, " ".join(texts(events))) < 0.35
    assert texts(events)[2] == "No matter. Try again."
