"""The words of segments, with the times of their stream."""

from itertools import pairwise

import pytest

from streamer.weights.manifest import require
from tests.end_to_end.http.posting import analyze, analyzed, refused
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import BECKETT, Audio, beckett, silence, word_error_rate
from tools.harness.streams import client, events_of, stream_audio

FILE = (require("moonshine-tiny-en") / "beckett.wav").read_bytes()


def words_of(events: list[Event]) -> list[Event]:
    return [word for segment in events_of(events, "segment") for word in segment["words"]]


async def test_each_word_has_its_time_and_its_certainty(transcriber: Server) -> None:
    """That they are in order within their segment is checked for every stream of the tests."""
    events = await stream_audio(transcriber, beckett(), words=True, interim_results=True)
    started, *_ = events
    assert started["words"] is True
    words = words_of(events)
    assert word_error_rate(BECKETT, " ".join(word["text"] for word in words)) < 0.2
    assert all(word.keys() == {"text", "start_time", "end_time", "confidence"} for word in words)
    assert sum(word["confidence"] > 0.5 for word in words) > 0.8 * len(words)
    assert all(word["start_time"] < word["end_time"] < word["start_time"] + 1.2 for word in words)
    for segment in events_of(events, "segment"):
        mean = sum(word["confidence"] for word in segment["words"]) / len(segment["words"])
        assert segment["confidence"] == pytest.approx(mean, abs=1e-3)
    assert not any(set(event) & {"words", "confidence"} for event in events_of(events, "interim"))


async def test_the_first_word_begins_with_the_speech_or_after_it(transcriber: Server) -> None:
    events = await stream_audio(transcriber, beckett(), words=True)
    active = [event["time"] for event in events_of(events, "active")]
    segments = events_of(events, "segment")
    assert len(active) == len(segments) > 1
    for time, segment in zip(active, segments, strict=True):
        assert time - 1e-3 <= segment["words"][0]["start_time"] < time + 0.3
        assert segment["start_time"] < time


async def test_without_the_wish_nothing_is_different(transcriber: Server) -> None:
    plain = await stream_audio(transcriber, beckett())
    asked = await stream_audio(transcriber, beckett(), words=True)
    assert "words" not in plain[0]
    for one, other in zip(events_of(plain, "segment"), events_of(asked, "segment"), strict=True):
        del other["words"]
        assert one == other


async def test_words_do_not_depend_on_the_size_of_messages(transcriber: Server) -> None:
    found = [
        events_of(await stream_audio(transcriber, beckett(), sizes=sizes, words=True), "segment")
        for sizes in ((65_536,), (641, 3))
    ]
    assert found[0] == found[1]


async def test_words_in_chunks(transcriber: Server) -> None:
    """Times go on from chunk to chunk; a silent chunk has no words."""
    audio = beckett()
    silent = silence(2)
    events = await stream_audio(transcriber, Audio(silent.data + audio.data), "simple", words=True)
    segments = events_of(events, "segment")
    assert [segment["words"] for segment in segments[:2]] == [[], []]
    assert "confidence" not in segments[0]
    times = [word["start_time"] for word in words_of(events)]
    assert times == sorted(times)
    assert times[0] >= 2


async def test_words_after_a_flush_have_the_time_of_the_stream(transcriber: Server) -> None:
    audio = beckett()
    async with client(transcriber) as socket:
        await socket.start(audio, words=True)
        await socket.send(audio.data)
        await socket.send_request("flush")
        await socket.send(audio.data)
        await socket.send_request("stop", disconnect=True)
        words = words_of(await socket.events_until_close())
    half = len(words) // 2
    assert [word["text"] for word in words[half:]] == [word["text"] for word in words[:half]]
    for first, again in zip(words[:half], words[half:], strict=True):
        assert again["start_time"] - first["start_time"] == pytest.approx(audio.seconds, abs=0.05)
    assert all(one["end_time"] <= other["start_time"] for one, other in pairwise(words))


async def test_a_model_without_words_says_so_once(standin: Server) -> None:
    async with client(standin) as socket:
        for _ in range(2):
            await socket.start(words=True)
            started, warning = await socket.events_until("warning")
            assert started["words"] is False
            assert warning["code"] == "no_words"
            assert "standin gives no times of words" in warning["message"]
            await socket.send(beckett().data)
            await socket.send_request("stop")
            events = await socket.events_until("stopped")
            assert not events_of(events, "warning")
            assert not any("words" in event for event in events_of(events, "segment"))


def test_the_information_tells_which_models_have_words(
    transcriber: Server, standin: Server
) -> None:
    for server, has_words in ((transcriber, True), (standin, False)):
        models = server.get("/api/v1/info").json()["models"]
        assert [model["words"] for model in models] == [has_words]


async def test_a_wish_of_the_wrong_type_is_named(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.start(words="yes")
        error = await socket.next_event()
        assert error["message"] == "'words' is \"yes\"; allowed: true or false"


async def test_a_recording_has_the_words_of_its_stream(transcriber: Server) -> None:
    events = await stream_audio(transcriber, beckett(), words=True)
    answer = analyzed(transcriber, FILE, words="true")
    assert answer["segments"] == events_of(events, "segment")
    plain = analyzed(transcriber, FILE)
    assert not any("words" in segment for segment in plain["segments"])


async def test_a_recording_as_a_whole_has_words(transcriber: Server) -> None:
    answer = analyzed(transcriber, FILE, words="true", vad="false")
    (segment,) = answer["segments"]
    assert " ".join(word["text"] for word in segment["words"]) == segment["text"]


async def test_a_recording_for_a_model_without_words(standin: Server) -> None:
    body = FILE
    (warning,) = analyzed(standin, body, words="true")["warnings"]
    assert warning["code"] == "no_words"
    message = refused(analyze(standin, body, words="maybe"), 400, "bad_request")
    assert message == "'words' is \"maybe\"; allowed: true or false"
