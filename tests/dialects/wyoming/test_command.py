"""One voice command: exactly one transcript, whatever is said."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.dialects.wyoming.codec import EventDecoder
from streamer.dialects.wyoming.command import LONGEST_S, NO_SPEECH_S, Command
from streamer.protocol.events import Active, Inactive, Segment, SegmentEnd


def events(data: Iterable[bytes]) -> list[tuple[str, dict[str, Any]]]:
    decoder = EventDecoder(100_000)
    decoder.feed(b"".join(data))
    found = []
    while (event := decoder.next_event()) is not None:
        found.append((event.type, json.loads(json.dumps(event.data))))
    return found


def segment(text: str, ended_by: SegmentEnd = "silence") -> Segment:
    return Segment(
        start_time=0.0, end_time=1.0, channel=0, output={"text": text}, ended_by=ended_by
    )


def test_a_transcript_comes_in_chunks_and_as_a_whole() -> None:
    command = Command("en", ends_itself=False)
    said = [*command.messages(segment("Hello.")), *command.messages(segment("World."))]
    assert events([*said, *command.answer()]) == [
        ("transcript-start", {"language": "en"}),
        ("transcript-chunk", {"text": "Hello."}),
        ("transcript-chunk", {"text": " World."}),
        ("transcript", {"text": "Hello. World.", "language": "en"}),
        ("transcript-stop", {}),
    ]
    assert [*command.answer()] == []


def test_speech_is_told_until_the_end_of_the_command() -> None:
    command = Command("en", ends_itself=True)
    spoken: list[Active | Inactive] = [
        Active(time=0.35, channel=0),
        Inactive(time=1.2164, channel=0),
    ]
    assert [said for event in spoken for said in events(command.messages(event))] == [
        ("voice-started", {"timestamp": 350}),
        ("voice-stopped", {"timestamp": 1_216}),
    ]
    [*command.messages(segment("Turn on the light."))]
    assert [*command.messages(Active(time=2.0, channel=0))] == []


def test_nothing_said_is_a_transcript_too() -> None:
    assert events(Command(None, ends_itself=True).answer()) == [
        ("transcript-start", {}),
        ("transcript", {"text": ""}),
        ("transcript-stop", {}),
    ]


def test_the_end_is_silence_behind_words() -> None:
    command = Command("en", ends_itself=True)
    assert [*command.messages(segment(""))] == []
    said = events(command.messages(segment("Turn on the light in", "cut")))
    assert [kind for kind, _ in said] == ["transcript-start", "transcript-chunk"]
    assert not is_over(command)
    said = events(command.messages(segment("the kitchen.")))
    assert [kind for kind, _ in said] == ["transcript-chunk"]
    assert is_over(command)
    assert [*command.messages(segment("And more."))] == []
    text = "Turn on the light in the kitchen."
    assert events(command.answer())[0] == ("transcript", {"text": text, "language": "en"})


def test_the_silence_may_be_behind_a_rest_without_words() -> None:
    """Of a segment that was cut, because it was long."""
    command = Command("en", ends_itself=True)
    [*command.messages(segment("Turn on the light.", "cut"))]
    assert [*command.messages(segment("", "silence"))] == []
    assert is_over(command)


def is_over(command: Command) -> bool:
    return command.over


def test_an_abandoned_command_has_no_transcript() -> None:
    command = Command("en", ends_itself=True)
    command.abandoned = True
    assert [*command.messages(segment("Hello.")), *command.answer()] == []


@pytest.mark.parametrize("ends_itself", [True, False])
def test_a_command_in_which_nobody_speaks_is_over_at_last(ends_itself: bool) -> None:
    command = Command("en", ends_itself=ends_itself)
    command.reached(NO_SPEECH_S - 0.1)
    assert not is_over(command)
    [*command.messages(Active(time=14.0, channel=0))]
    command.reached(NO_SPEECH_S + 1)
    [*command.messages(Inactive(time=16.5, channel=0))]
    command.reached(16.4 + NO_SPEECH_S)
    assert not is_over(command)
    command.reached(16.5 + NO_SPEECH_S)
    assert is_over(command) is ends_itself


def test_so_is_one_in_which_nobody_stops() -> None:
    command = Command("en", ends_itself=True)
    [*command.messages(Active(time=5.0, channel=0))]
    command.reached(4.9 + LONGEST_S)
    assert not is_over(command)
    command.reached(5.0 + LONGEST_S)
    assert is_over(command)


happenings = st.one_of(
    st.builds(Active, time=st.floats(0, 60), channel=st.just(0)),
    st.builds(Inactive, time=st.floats(0, 60), channel=st.just(0)),
    st.builds(
        segment,
        st.sampled_from(["", "Yes.", "No, no."]),
        st.sampled_from(["silence", "cut", "stop", "flush"]),
    ),
)


@given(st.lists(happenings), st.booleans())
def test_whatever_happens_the_chunks_are_the_transcript(
    happened: list[Active | Inactive | Segment], ends_itself: bool
) -> None:
    command = Command("en", ends_itself=ends_itself)
    written = [data for event in happened for data in command.messages(event)]
    found = events([*written, *command.answer()])
    texts = [event for event in found if not event[0].startswith("voice-")]
    kinds = [kind for kind, _ in texts]
    assert kinds[0] == "transcript-start"
    assert kinds[-2:] == ["transcript", "transcript-stop"]
    assert found[-2:] == texts[-2:]
    assert set(kinds[1:-2]) <= {"transcript-chunk"}
    assert "".join(data["text"] for _, data in texts[1:-2]) == texts[-2][1]["text"]
