"""Settings that change while a stream is open, at a real socket."""

from typing import Any

import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, silence
from tools.harness.streams import check_stream, client, events_of, stream_audio


async def configured(
    server: Server,
    audio: Audio,
    at_s: float,
    path: str = "segmented",
    *,
    until: str | None = None,
    **settings: object,
) -> list[Event]:
    """The events of a stream whose settings change after so many seconds.

    Its last second is sent after an event `until`.
    """
    events: list[Event] = []
    place = round(at_s * audio.format["sample_rate"]) * 2
    async with client(server, path) as socket:
        await socket.start(audio)
        await socket.send(audio.data[:place])
        await socket.send_request("configure", **settings)
        await socket.send(audio.data[place:-32_000])
        if until is not None:
            events += await socket.events_until(until)
        await socket.send(audio.data[-32_000:])
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    assert events[-1]["audio_seconds"] == audio.seconds
    return events


async def test_what_has_begun_keeps_its_settings_and_time_goes_on(transcriber: Server) -> None:
    """In the middle of the first sentence, a longer silence is asked for."""
    plain = await stream_audio(transcriber, beckett())
    before, *_ = events_of(plain, "segment")
    later_settings: dict[str, Any] = {
        "words": True,
        "keyterms": ["Oslo"],
        "vad": {"min_silence_ms": 3_000},
    }
    events = await configured(
        transcriber, beckett(), 0.8, until="interim", interim_results=True, **later_settings
    )
    [answer] = events_of(events, "configured")
    assert answer["time"] <= 0.8
    assert answer["vad"]["min_silence_ms"] == 3_000
    assert answer["vad"]["min_speech_ms"] == events[0]["vad"]["min_speech_ms"]
    assert (answer["interim_results"], answer["words"]) == (True, True)
    assert answer["keyterms"] == ["Oslo"]
    first, *later = events_of(events, "segment")
    assert first == before
    assert len(later) < len(events_of(plain, "segment")) - 1
    assert all(segment["words"] for segment in later)
    interims = events_of(events, "interim")
    assert interims
    assert all(interim["start_time"] >= first["end_time"] for interim in interims)


async def test_the_settings_stay_for_a_stream_without_a_start(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.start(vad={"min_speech_ms": 150})
        await socket.send_request("configure", vad={"min_silence_ms": 900})
        await socket.send_request("stop")
        await socket.events_until("stopped")
        await socket.send(silence(0.1).data)
        started = await socket.next_event()
    assert started["vad"]["min_silence_ms"] == 900
    assert started["vad"]["min_speech_ms"] == 150


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"vad": {"threshold": 7}}, "'vad.threshold' is 7; allowed: a number above 0"),
        (
            {"vad": {"max_segment_ms": 1_000, "prefix_padding_ms": 600}},
            "'vad': prefix_padding_ms + min_speech_ms is",
        ),
        ({"model": "other"}, "'model' is \"other\"; allowed: standin"),
        ({"format": {"sample_rate": 8_000}}, "unknown field 'format'; allowed:"),
        ({"keyterms": "Oslo"}, "'keyterms' is \"Oslo\"; allowed:"),
    ],
)
async def test_what_is_not_valid_changes_nothing(
    standin: Server, settings: dict[str, object], says: str
) -> None:
    async with client(standin) as socket:
        await socket.start()
        started = await socket.next_event()
        await socket.send_request("configure", **settings)
        error = await socket.next_event()
        assert (error["code"], error["fatal"]) == ("bad_message", False)
        assert error["message"].startswith(says)
        await socket.send_request("configure")
        answer = await socket.next_event()
        assert (answer["vad"], answer["model"]) == (started["vad"], started["model"])


async def test_without_a_stream_there_is_nothing_to_configure(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.send_request("configure", words=True)
        assert (await socket.next_event())["code"] == "unexpected_message"
        await socket.start()
        assert (await socket.next_event())["type"] == "started"


async def test_another_model_takes_the_later_segments(launch: Launch) -> None:
    server = launch(
        {
            "simple": {"chunk_seconds": 0.5},
            "models": [
                {"type": "standin", "name": "one", "workers": 1},
                {"type": "frames", "name": "two", "workers": 1},
                {
                    "type": "standin",
                    "name": "slow",
                    "workers": 1,
                    "options": {"sample_rate": 8_000},
                },
            ],
        }
    )
    events = await configured(server, silence(2), 0.75, "simple", model="two", words=True)
    [answer] = events_of(events, "configured")
    assert (answer["model"], answer["time"], answer["words"]) == ("two", 0.75, False)
    assert [w["code"] for w in events_of(events, "warning")] == ["no_words"]
    counted = ["count" in segment for segment in events_of(events, "segment")]
    assert counted == [True, True, False, False]
    refused = await configured(server, silence(2), 0.75, "simple", model="slow")
    assert events_of(refused, "configured") == []
    [error] = events_of(refused, "error")
    assert error["message"].startswith("'model' is \"slow\", which takes audio at 8000 Hz; allowed")
    assert [segment["count"] for segment in events_of(refused, "segment")] == [8_000] * 4
