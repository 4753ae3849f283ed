"""Interims in pauses, through the socket: shown before the segment ends, and taken back."""

import asyncio
import os

import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, silence
from tools.harness.streams import check_stream, client, events_of, findings, stream_audio

PATIENT = {"min_silence_ms": 2_000}
"""Longer than any pause of the recording, whose pauses are up to 1.5 s long."""

PIECE_BYTES = 3_200
"""A tenth of a second."""


async def play_into(server: Server, audio: Audio, **start: object) -> list[Event]:
    """Play audio faster than in real time, but wait in each pause for what may come."""
    async with client(server) as socket, asyncio.TaskGroup() as tasks:
        await socket.start(audio, **start)

        async def play() -> None:
            for first in range(0, len(audio.data), PIECE_BYTES):
                await socket.send(audio.data[first : first + PIECE_BYTES])
                await asyncio.sleep(0.05)
            await socket.send_request("stop", disconnect=True)

        tasks.create_task(play())
        events = await socket.events_until_close()
    check_stream(events)
    return events


async def test_an_eager_interim_comes_before_the_silence_has_lasted(transcriber: Server) -> None:
    """The client sends no more audio: what it gets needs no more than the pause so far."""
    sentence = Audio(beckett().part(0, 1.6))
    async with client(transcriber) as socket:
        await socket.start(sentence, eager=True, words=True, vad=PATIENT)
        await socket.send(sentence.data, sizes=(640,))
        started, *_, eager = await socket.events_until("interim")
        assert started["eager"] is True
        assert eager["eager"] is True
        assert eager["text"] == "Ever tried."
        assert [word["text"] for word in eager["words"]] == ["Ever", "tried."]
        await socket.send(silence(2.5).data)
        *_, inactive, segment = await socket.events_until("segment")
    assert inactive["type"] == "inactive"
    assert segment == {
        **{name: value for name, value in eager.items() if name != "eager"},
        "type": "segment",
        "is_final": True,
    }


async def test_it_is_taken_back_when_speech_goes_on(transcriber: Server) -> None:
    events = await play_into(transcriber, beckett(), eager=True, vad=PATIENT)
    eager = [interim for interim in events_of(events, "interim") if "eager" in interim]
    taken_back = events_of(events, "resumed")
    assert 0 < len(taken_back) <= len(eager) <= len(taken_back) + 1
    for interim, resumed in zip(eager, taken_back, strict=False):
        assert interim["end_time"] - 0.25 < resumed["time"]
    (segment,) = events_of(events, "segment")
    plain = await stream_audio(transcriber, beckett(), vad=PATIENT)
    assert findings(events) == findings(plain)
    assert segment["text"]


async def test_interims_in_pauses_are_for_all_who_want_interims(transcriber: Server) -> None:
    events = await play_into(transcriber, beckett(), interim_results=True)
    assert "eager" not in events[0]
    assert not events_of(events, "resumed")
    interims = events_of(events, "interim")
    assert not any("eager" in interim or "words" in interim for interim in interims)
    shown = {(each["start_time"], each["end_time"]): each["text"] for each in interims}
    segments = events_of(events, "segment")
    before = [s for s in segments if (s["start_time"], s["end_time"]) in shown]
    assert before, "no segment was shown in the pause that ended it"
    assert all(shown[s["start_time"], s["end_time"]] == s["text"] for s in before)


async def test_a_flush_or_a_stop_in_a_pause_takes_nothing_back(transcriber: Server) -> None:
    sentence = Audio(beckett().part(0, 1.6))
    for request in ("flush", "stop"):
        async with client(transcriber) as socket:
            await socket.start(sentence, eager=True)
            await socket.send(sentence.data, sizes=(640,))
            *_, eager = await socket.events_until("interim")
            await socket.send_request(request)
            *between, segment = await socket.events_until("segment")
        assert [event["type"] for event in between] == ["inactive"]
        assert segment["text"] == eager["text"]


async def test_each_channel_has_its_own_pauses(transcriber: Server) -> None:
    spoken, quiet = beckett().data, silence(beckett().seconds).data
    frames = zip(
        (spoken[i : i + 2] for i in range(0, len(spoken), 2)),
        (quiet[i : i + 2] for i in range(0, len(spoken), 2)),
        strict=True,
    )
    both = Audio(b"".join(left + right for left, right in frames), channels=2)
    events = await play_into(transcriber, both, eager=True)
    assert {event["channel"] for event in events_of(events, "interim", "resumed")} == {0}


STATEFUL = """
from streamer.model import StatefulModel

class Counter(StatefulModel):
    sample_rate = 16_000

    def infer_next(self, samples, state):
        count = (state or 0) + 1
        return {"count": count}, count
"""


@pytest.mark.parametrize("path", ["segmented", "simple"])
async def test_a_model_with_a_state_has_none(
    path: str, launch: Launch, standin: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nor has what is not cut by speech, whatever the model."""
    server = standin
    if path == "segmented":
        folder = tmp_path_factory.mktemp("models")
        (folder / "counter_model.py").write_text(STATEFUL)
        paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        model = {"type": "counter_model:Counter"}
        server = launch({"model": model}, env={"PYTHONPATH": os.pathsep.join(paths)})
    events = await stream_audio(server, beckett(), path, eager=True)
    assert events[0]["eager"] is False
    (warning,) = events_of(events, "warning")
    assert warning["code"] == "no_eager"
    assert "'eager' has no effect" in warning["message"]
    assert not events_of(events, "interim", "resumed")


async def test_it_may_be_asked_for_later(transcriber: Server) -> None:
    async with client(transcriber) as socket:
        await socket.start()
        await socket.send_request("configure", eager=True)
        *_, configured = await socket.events_until("configured")
        assert configured["eager"] is True
        await socket.send(beckett().part(0, 1.6), sizes=(640,))
        *_, eager = await socket.events_until("interim")
        assert eager["eager"] is True
