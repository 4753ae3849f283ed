"""Items are committed once, completed once, and in order, whatever the order of the events."""

import itertools
from collections import deque
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.dialects.openai_realtime.items import Items
from streamer.dialects.openai_realtime.replies import ClearAsked, CommitAsked, ModeChanged
from streamer.protocol.actions import Cleared
from streamer.protocol.events import (
    Active,
    ErrorEvent,
    Flushed,
    Inactive,
    Interim,
    Segment,
    Stopped,
)

SPOKEN = ModeChanged(manual=False, prefix_ms=300)
MANUAL = ModeChanged(manual=True, prefix_ms=0)
TRANSCRIPTION = "conversation.item.input_audio_transcription"


class Channel:
    """What a channel of the pipeline does: `active` and `inactive` at once, but not past a flush;
    results in the order of the audio, whenever `settle` is called."""

    def __init__(self, mode: ModeChanged) -> None:
        numbers = itertools.count(1)
        self.items = Items(mode, lambda: f"item_{next(numbers)}")
        self.sent: list[dict[str, Any]] = []
        self.time = 0.0
        self.speaking = False
        self.spoken: list[str] = []
        self.lost: list[str] = []
        self.pending: deque[Interim | Segment | ErrorEvent | Flushed | Cleared] = deque()
        self.held: dict[int, list[Active | Inactive]] = {}

    def send(self, events: Iterable[dict[str, Any]] | None) -> None:
        self.sent += events or ()

    def post(self, event: Active | Inactive) -> None:
        flushes = [each for each in self.pending if isinstance(each, Flushed | Cleared)]
        if flushes:
            self.held[id(flushes[-1])].append(event)
        else:
            self.deliver(event)

    def deliver(self, event: Any) -> None:
        handlers: dict[Any, Any] = {
            Active: self.items.on_active,
            Inactive: self.items.on_inactive,
            Interim: self.items.on_interim,
            Segment: self.items.on_segment,
            ErrorEvent: self.items.on_failure,
            Flushed: self.items.on_flushed,
            Cleared: self.items.on_cleared,
        }
        self.send(handlers[type(event)](event))

    def begin(self) -> None:
        if not self.speaking:
            self.time += 1
            self.speaking = True
            self.post(Active(time=self.time, channel=0))

    def interim(self, text: str) -> None:
        if self.speaking:
            output = {"text": text}
            self.pending.append(Interim(start_time=0, end_time=1, channel=0, output=output))

    def end(self, text: str | None) -> None:
        """Speech ends; None = its inference is going to fail."""
        if not self.speaking:
            return
        self.speaking = False
        self.time += 1
        self.post(Inactive(time=self.time, channel=0))
        if text is None:
            self.lost.append("failed")
            self.pending.append(
                ErrorEvent(code="worker_lost", message="x", fatal=False, start_time=0.0)
            )
        else:
            self.spoken.append(text)
            start = self.time - 1
            self.pending.append(
                Segment(start_time=start, end_time=self.time, channel=0, output={"text": text})
            )

    def flush(self, text: str = "flushed") -> None:
        self.end(text)
        answer = Flushed(time=self.time, channel=0)
        self.pending.append(answer)
        self.held[id(answer)] = []

    def commit(self) -> None:
        self.send(self.items.on_commit(CommitAsked(1.0)))
        self.flush()

    def clear(self) -> None:
        self.send(self.items.on_clear(ClearAsked(answered=True)))
        self.speaking = False
        answer = Cleared(time=self.time, channel=0)
        self.pending.append(answer)
        self.held[id(answer)] = []

    def settle(self, count: int = 1_000) -> None:
        for _ in range(min(count, len(self.pending))):
            event = self.pending.popleft()
            self.deliver(event)
            for held in (
                self.held.pop(id(event), ()) if isinstance(event, Flushed | Cleared) else ()
            ):
                self.deliver(held)

    def named(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.sent if event["type"] == kind]

    def texts(self) -> list[str]:
        return [event["transcript"] for event in self.named(f"{TRANSCRIPTION}.completed")]


def kinds(channel: Channel) -> list[str]:
    return [event["type"].rpartition("conversation.item.")[2] for event in channel.sent]


def test_with_turn_detection_a_segment_is_an_item() -> None:
    channel = Channel(SPOKEN)
    channel.begin()
    channel.interim("Ever")
    channel.end("Ever tried.")
    channel.settle()
    assert kinds(channel) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "added",
        "done",
        "input_audio_transcription.delta",
        "input_audio_transcription.completed",
    ]
    assert channel.sent[0]["audio_start_ms"] == 700
    assert channel.sent[1]["audio_end_ms"] == 2_000
    assert {event.get("item_id", "item_1") for event in channel.sent} == {"item_1"}
    assert channel.sent[-1]["usage"] == {"type": "duration", "seconds": 1.0}


def test_without_it_a_commit_is() -> None:
    channel = Channel(MANUAL)
    for text in ("Ever tried.", "", "Ever failed."):
        channel.begin()
        channel.end(text)
    channel.settle()
    assert kinds(channel) == ["input_audio_transcription.delta"] * 2
    channel.commit()
    channel.settle()
    assert channel.texts() == ["Ever tried. Ever failed."]
    deltas = channel.named(f"{TRANSCRIPTION}.delta")
    assert [event["delta"] for event in deltas] == ["Ever tried.", " Ever failed."]


@pytest.mark.parametrize("mode", [SPOKEN, MANUAL])
def test_a_commit_is_answered_also_when_nobody_has_spoken(mode: ModeChanged) -> None:
    channel = Channel(mode)
    channel.commit()
    channel.settle()
    assert channel.texts() == [""]
    assert len(channel.named("input_audio_buffer.committed")) == 1


def test_a_failed_part_of_a_commit_is_an_item_and_the_rest_is_not_lost() -> None:
    channel = Channel(MANUAL)
    for text in ("Ever tried.", None, "Ever failed."):
        channel.begin()
        channel.end(text)
    channel.commit()
    channel.settle()
    assert channel.texts() == ["Ever tried. Ever failed."]
    (failed,) = channel.named(f"{TRANSCRIPTION}.failed")
    assert failed["error"]["code"] == "worker_lost"
    assert failed["error"]["type"] == "server_error"
    committed = [event["item_id"] for event in channel.named("input_audio_buffer.committed")]
    assert committed == ["item_1", failed["item_id"]]


def test_what_was_cleared_has_no_transcript() -> None:
    channel = Channel(MANUAL)
    channel.begin()
    channel.end("discarded")
    channel.begin()
    channel.clear()
    channel.begin()
    channel.end("kept")
    channel.commit()
    channel.settle()
    assert channel.texts() == ["kept"]
    assert len(channel.named("input_audio_buffer.cleared")) == 1


def test_speech_that_is_found_while_a_clear_is_carried_out_is_not_shown() -> None:
    channel = Channel(SPOKEN)
    channel.send(channel.items.on_clear(ClearAsked(answered=True)))
    channel.deliver(Active(time=1.0, channel=0))
    channel.items.on_cleared(Cleared(time=1.1, channel=0))
    channel.begin()
    channel.end("kept")
    channel.settle()
    assert channel.texts() == ["kept"]
    assert len(channel.named("input_audio_buffer.speech_started")) == 1


def test_a_commit_between_turns_has_the_seconds_since_the_last_one() -> None:
    channel = Channel(SPOKEN)
    for _ in range(2):
        channel.begin()
        channel.end("turn")
    channel.settle()
    channel.items.on_stopped(Stopped(audio_seconds=10.0, segments=2, session_id="x", seconds=[]))
    for seconds, time in ((3_600.0, 1.5), (3.0, 3.5), (0.25, 9.0)):
        channel.send(channel.items.on_commit(CommitAsked(seconds)))
        channel.send(channel.items.on_flushed(Flushed(time=time, channel=0)))
    empty = [event["usage"]["seconds"] for event in channel.named(f"{TRANSCRIPTION}.completed")[2:]]
    assert empty == [7.5, 2.0, 0.25]


def test_what_the_client_has_not_committed_is_an_item_at_the_end() -> None:
    channel = Channel(MANUAL)
    for text in ("said", None, "more"):
        channel.begin()
        channel.end(text)
    channel.settle()
    channel.items.on_stopped(Stopped(audio_seconds=9.0, segments=2, session_id="x", seconds=[]))
    channel.send(channel.items.on_end())
    assert channel.texts() == ["said more"]
    (completed,) = channel.named(f"{TRANSCRIPTION}.completed")
    assert completed["usage"]["seconds"] == 9.0
    (failed,) = channel.named(f"{TRANSCRIPTION}.failed")
    committed = [event["item_id"] for event in channel.named("input_audio_buffer.committed")]
    assert committed == [completed["item_id"], failed["item_id"]]


@pytest.mark.parametrize("mode", [MANUAL, SPOKEN])
def test_nothing_is_sent_at_the_end_that_was_committed_or_discarded(mode: ModeChanged) -> None:
    channel = Channel(mode)
    channel.begin()
    channel.end("said")
    channel.commit()
    channel.settle()
    channel.begin()
    channel.end("discarded")
    channel.clear()
    channel.settle()
    sent = len(channel.sent)
    channel.send(channel.items.on_end())
    assert channel.sent[sent:] == []


def test_time_goes_on_in_the_next_stream() -> None:
    channel = Channel(SPOKEN)
    channel.items.on_stopped(Stopped(audio_seconds=10.0, segments=0, session_id="x", seconds=[]))
    channel.begin()
    assert channel.sent[0]["audio_start_ms"] == 10_700


TEXTS = st.sampled_from(["one", "one two", "one two three", "four", ""])
STEPS = st.lists(
    st.one_of(
        st.just(("begin",)),
        st.tuples(st.just("interim"), TEXTS),
        st.tuples(st.just("end"), TEXTS | st.none()),
        st.just(("commit",)),
        st.just(("clear",)),
        st.tuples(st.just("settle"), st.integers(1, 3)),
    ),
    max_size=30,
)


def run(mode: ModeChanged, steps: list[tuple[Any, ...]]) -> Channel:
    channel = Channel(mode)
    for name, *arguments in steps:
        getattr(channel, name)(*arguments)
    channel.end("last")
    if mode.manual:
        channel.commit()
    channel.settle()
    return channel


@given(st.sampled_from([SPOKEN, MANUAL]), STEPS)
def test_each_committed_item_is_completed_once_and_in_order(
    mode: ModeChanged, steps: list[tuple[Any, ...]]
) -> None:
    channel = run(mode, steps)
    committed = channel.named("input_audio_buffer.committed")
    ids = [event["item_id"] for event in committed]
    assert [event["previous_item_id"] for event in committed] == [None, *ids][: len(ids)]
    for kind in ("added", "done"):
        shown = channel.named(f"conversation.item.{kind}")
        assert [event["item"]["id"] for event in shown] == ids
    ends = [
        event["item_id"]
        for event in channel.sent
        if event["type"] in (f"{TRANSCRIPTION}.completed", f"{TRANSCRIPTION}.failed")
    ]
    assert len(set(ids)) == len(ids)
    assert sorted(ends) == sorted(ids)
    for event in channel.named(f"{TRANSCRIPTION}.delta"):
        over = [e for e in channel.sent if e.get("item_id") == event["item_id"]]
        assert over.index(event) < len(over) - 1 or event["item_id"] not in ids


@given(st.sampled_from([SPOKEN, MANUAL]), STEPS)
def test_every_text_is_in_one_transcript_unless_it_was_cleared(
    mode: ModeChanged, steps: list[tuple[Any, ...]]
) -> None:
    steps = [step for step in steps if step[0] != "clear"]
    channel = run(mode, steps)
    assert " ".join(filter(None, channel.texts())) == " ".join(filter(None, channel.spoken))
    failed = channel.named(f"{TRANSCRIPTION}.failed")
    assert len(failed) == len(channel.lost)


@given(st.sampled_from([SPOKEN, MANUAL]), STEPS)
def test_nothing_that_was_cleared_while_it_was_spoken_is_in_a_transcript(
    mode: ModeChanged, steps: list[tuple[Any, ...]]
) -> None:
    channel = run(mode, steps)
    assert "discarded" not in " ".join(channel.texts())


@given(STEPS)
def test_turn_detection_shows_each_turn_from_start_to_stop(steps: list[tuple[Any, ...]]) -> None:
    channel = run(SPOKEN, [step for step in steps if step[0] != "clear"])
    started = channel.named("input_audio_buffer.speech_started")
    stopped = channel.named("input_audio_buffer.speech_stopped")
    assert [e["item_id"] for e in started] == [e["item_id"] for e in stopped]
    assert len(started) == len(channel.spoken) + len(channel.lost)


@given(STEPS)
def test_without_turn_detection_none_is_shown(steps: list[tuple[Any, ...]]) -> None:
    channel = run(MANUAL, steps)
    assert channel.named("input_audio_buffer.speech_started") == []
    commits = sum(step[0] == "commit" for step in steps) + 1
    failed = len(channel.named(f"{TRANSCRIPTION}.failed"))
    assert len(channel.named("input_audio_buffer.committed")) == commits + failed


@given(STEPS, STEPS, st.booleans())
def test_the_mode_may_change_at_any_time(
    before: list[tuple[Any, ...]], behind: list[tuple[Any, ...]], first: bool
) -> None:
    """As the dialect does it: what is open of a manual item is committed first."""
    channel = Channel(MANUAL if first else SPOKEN)
    for steps, mode in ((before, SPOKEN if first else MANUAL), (behind, MANUAL)):
        for name, *arguments in steps:
            getattr(channel, name)(*arguments)
        if mode is SPOKEN:
            channel.commit()
        channel.items.on_mode(mode)
    channel.end("last")
    channel.commit()
    channel.settle()
    ids = [event["item_id"] for event in channel.named("input_audio_buffer.committed")]
    ends = [
        event["item_id"]
        for event in channel.sent
        if event["type"] in (f"{TRANSCRIPTION}.completed", f"{TRANSCRIPTION}.failed")
    ]
    assert sorted(ends) == sorted(ids)
    assert "discarded" not in " ".join(channel.texts())
