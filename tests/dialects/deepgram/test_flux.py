"""Turns, as the clients of Flux demand them: one after another, numbered, each with an end."""

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings

from streamer.dialects.deepgram.flux_events import AnyEvent, FluxEvents
from streamer.dialects.deepgram.flux_messages import Thresholds, encode
from streamer.protocol.events import Active, ErrorEvent, Event, Inactive, Interim, Resumed, Segment
from tests.dialects.played_events import STARTED, segment, streams


def messages(events: Iterable[AnyEvent], **thresholds: float) -> list[dict[str, Any]]:
    made = FluxEvents(Thresholds(**thresholds), ())  # type: ignore[arg-type]
    return [json.loads(encode(message)) for event in events for message in made.messages(event)]


def turns(found: list[dict[str, Any]]) -> list[str]:
    return [message.get("event", message["type"]) for message in found]


def interim(start: float, end: float, text: str, *, eager: bool = False) -> Interim:
    return Interim(start_time=start, end_time=end, channel=0, output={"text": text}, eager=eager)


SPOKEN: list[AnyEvent] = [
    STARTED,
    Active(time=0.5, channel=0),
    interim(0.25, 1.5, "Ever"),
    interim(0.25, 2.25, "Ever tried.", eager=True),
]
ENDED: list[AnyEvent] = [Inactive(time=2.0, channel=0), segment(0.25, 2.25, "Ever tried.")]


def test_a_turn() -> None:
    found = messages([*SPOKEN, *ENDED], eager_eot_threshold=0.4)
    assert turns(found) == ["Connected", "StartOfTurn", "Update", "EagerEndOfTurn", "EndOfTurn"]
    assert [message["sequence_id"] for message in found] == [*range(5)]
    end = found[-1]
    words = end.pop("words")
    assert end == {
        "type": "TurnInfo",
        "request_id": "00000000-0000-4000-0123-456789abcdef",
        "sequence_id": 4,
        "event": "EndOfTurn",
        "turn_index": 0,
        "audio_window_start": 0.5,
        "audio_window_end": 2.25,
        "transcript": "Ever tried.",
        "end_of_turn_confidence": 0.95,
        "trigger": "model",
    }
    assert [word["word"] for word in words] == ["Ever", "tried."]
    assert (words[0]["start"], words[-1]["end"]) == (0.5, 2.0)
    assert found[3]["end_of_turn_confidence"] == 0.4


def test_a_turn_that_goes_on() -> None:
    resumed: list[AnyEvent] = [
        interim(0.25, 2.2, "that comes too late"),
        Resumed(time=2.4, channel=0),
        interim(0.25, 3.0, "Ever tried. Ever"),
    ]
    found = messages([*SPOKEN, *resumed, *ENDED], eager_eot_threshold=0.4)
    kinds = ["EagerEndOfTurn", "TurnResumed", "Update", "EndOfTurn"]
    assert turns(found)[3:] == kinds
    assert found[4]["transcript"] == "Ever tried."


def test_the_text_of_a_pause_is_an_update_if_nothing_eager_is_asked_for() -> None:
    found = messages([*SPOKEN[:-1], interim(0.25, 2.25, "Ever tried."), *ENDED])
    assert turns(found) == ["Connected", "StartOfTurn", "Update", "Update", "EndOfTurn"]


def test_a_turn_begins_when_the_one_before_has_ended() -> None:
    later: list[AnyEvent] = [Active(time=3.0, channel=0), Inactive(time=3.5, channel=0)]
    pending: list[AnyEvent] = [*SPOKEN[:2], ENDED[0], *later, ENDED[1], segment(2.75, 3.75)]
    found = messages(pending)
    assert turns(found)[1:] == ["StartOfTurn", "EndOfTurn"] * 2
    assert [message["turn_index"] for message in found[1:]] == [0, 0, 1, 1]
    assert [message["audio_window_start"] for message in found[1:]] == [0.5, 0.5, 3.0, 3.0]


@settings(max_examples=60)
@given(streams())
def test_whatever_happens_in_a_stream(events: list[Event]) -> None:
    found = messages(events)
    assert [message["sequence_id"] for message in found] == [*range(len(found))]
    ends = [event for event in events if isinstance(event, Segment | ErrorEvent)]
    open_turn: int | None = None
    ended = 0
    for message in found[1:]:
        if message["event"] == "StartOfTurn":
            assert open_turn is None
            open_turn = message["turn_index"]
            assert open_turn == ended
        assert message["turn_index"] == open_turn
        assert bool(message["words"]) == bool(message["transcript"])
        assert message["audio_window_start"] <= message["audio_window_end"]
        if message["event"] == "EndOfTurn":
            open_turn = None
            ended += 1
    assert open_turn is None
    assert ended == len(ends)
