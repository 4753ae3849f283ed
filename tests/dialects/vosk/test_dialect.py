"""One socket of a client of vosk-server: one reply to each request, in their order."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from streamer.audio.format import AudioFormat
from streamer.dialects.vosk.dialect import VoskDialect
from streamer.dialects.vosk.replies import MAX_OWED
from streamer.http.render import text_of
from streamer.http.spoken_words import plain
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.events import (
    Active,
    Configured,
    ErrorEvent,
    Event,
    Flushed,
    Inactive,
    Interim,
    Segment,
)
from streamer.protocol.inputs import (
    AudioReceived,
    ConfigureRequested,
    DisconnectRequested,
    FlushRequested,
    Input,
    ReplyRequested,
    StartRequested,
)
from streamer.protocol.requests import BadRequest, Start
from streamer.session.dialect import UpgradeRequest
from tests.dialects.played_events import STARTED, segment, stopped, streams

EOF, RESET = '{"eof" : 1}', '{"reset" : 1}'


def opened(**config: Any) -> VoskDialect:
    dialect = VoskDialect(["tiny", "other"])
    dialect.open(UpgradeRequest("/vosk", [("token", "secret")], {}, []))
    if config:
        assert configure(dialect, **config) == []
    return dialect


def configure(dialect: VoskDialect, **config: Any) -> list[Input]:
    """Send a `config`; returns the inputs that it means, but for those of the shape."""
    inputs = list(dialect.read(json.dumps({"config": config})))
    for each in inputs:
        if isinstance(each, ReplyRequested):
            assert written(dialect, Reply(each.content)) == []
    return [each for each in inputs if not isinstance(each, ReplyRequested)]


def started(dialect: VoskDialect) -> Start:
    begun, *_ = dialect.read(b"\0\0")
    assert isinstance(begun, StartRequested)
    return begun.start


def written(dialect: VoskDialect, *items: Outgoing) -> list[dict[str, Any]]:
    """The messages of events."""
    frames = [frame for item in items for frame in dialect.write(item)]
    return [json.loads(frame) for frame in frames if isinstance(frame, str)]


def asked(dialect: VoskDialect, frame: str | bytes) -> list[dict[str, Any]]:
    """What is written at once for a frame."""
    found = [each for each in dialect.read(frame) if isinstance(each, ReplyRequested)]
    return written(dialect, *(Reply(each.content) for each in found))


def interim(text: str) -> Interim:
    return Interim(start_time=0.0, end_time=1.0, channel=0, output={"text": text})


def test_the_stream_begins_with_the_audio_as_the_config_describes_it() -> None:
    start = started(opened())
    assert (start.format, start.model, start.words) == (AudioFormat(8_000), None, True)
    phrases = ["Oslo", "[unk]", "Oslo", 1]
    assert started(opened(sample_rate="16000")).format == AudioFormat(16_000)
    start = started(opened(sample_rate=16000.0, phrase_list=phrases, model="other"))
    assert (start.format, start.model) == (AudioFormat(16_000), "other")
    assert start.keyterms == ("Oslo",)
    assert started(opened(phrase_list='["Oslo", "[unk]"]', model=3)).keyterms == ("Oslo",)


@pytest.mark.parametrize("value", [5, True, "garbage", {}, None, [], "NaN", "-inf", {"a": 1}])
def test_a_setting_that_means_nothing_has_no_effect(value: Any) -> None:
    dialect = opened(phrase_list=["Oslo"], max_alternatives=1, words=False)
    nothing = {"model": value, "words": None}
    nothing |= {} if isinstance(value, int) else {"max_alternatives": value}
    nothing |= {} if isinstance(value, list) else {"phrase_list": value}
    assert configure(dialect, **nothing) == []
    assert started(dialect).keyterms == ("Oslo",)
    written(dialect, segment(0, 1, "Yes."))
    assert [*asked(dialect, b"")[0]] == ["alternatives"]


@pytest.mark.parametrize("rate", [0, -1, 1e300, "fast", None, 16_000.5, [], 10**30])
def test_a_sample_rate_that_cannot_be_right_closes_the_socket(rate: object) -> None:
    dialect = opened()
    with pytest.raises(BadRequest) as refused:
        list(dialect.read(json.dumps({"config": {"sample_rate": rate}})))
    failure = ErrorEvent(code="bad_format", message=str(refused.value), fatal=False)
    (closed,) = dialect.write(failure)
    assert isinstance(closed, Close)
    assert closed.code == 1008
    assert closed.reason.startswith("'sample_rate' is ")


def test_what_frames_mean() -> None:
    dialect = opened()
    begun, audio, reply = dialect.read(b"\1\2")
    assert isinstance(begun, StartRequested)
    assert audio == AudioReceived(b"\1\2")
    assert isinstance(reply, ReplyRequested)
    assert len([*dialect.read(b"")]) == 1  # a reply
    _, flush = dialect.read(RESET)
    assert flush == FlushRequested()
    assert [*dialect.read('{"eof":1}')] == [DisconnectRequested()]


def test_settings_change_within_a_stream_but_for_the_sample_rate() -> None:
    dialect = opened(sample_rate=16_000)
    started(dialect)
    (changed,) = configure(dialect, sample_rate=8_000, phrase_list=["Oslo"])
    assert isinstance(changed, ConfigureRequested)
    assert changed.configure.keyterms == ("Oslo",)
    assert configure(dialect, words=0) == []
    assert asked(dialect, b"\0\0") == [{"partial": ""}]
    written(dialect, segment(0, 1, "Yes."))
    assert asked(dialect, b"\0\0") == [{"text": "yes"}]
    done = Configured(time=0.0, model="tiny", interim_results=True, vad=STARTED.vad, keyterms=())
    assert written(dialect, done) == []


def test_audio_is_answered_with_the_oldest_final_or_else_the_last_interim() -> None:
    dialect = opened()
    assert asked(dialect, b"\0\0") == [{"partial": ""}]
    assert written(dialect, STARTED, interim("Ever tried")) == []
    assert asked(dialect, b"\0\0") == [{"partial": "ever tried"}]
    assert asked(dialect, b"\0\0") == [{"partial": "ever tried"}]
    assert written(dialect, segment(0, 1, "Ever tried."), segment(1, 2), interim("No")) == []
    words = [
        {"conf": 0.9, "end": 0.4, "start": 0.0, "word": "ever"},
        {"conf": 0.9, "end": 1.0, "start": 0.4, "word": "tried"},
    ]
    assert asked(dialect, b"\0\0") == [{"result": words, "text": "ever tried"}]
    assert [reply["text"] for reply in asked(dialect, b"\0\0")] == ["yes"]
    assert asked(dialect, b"\0\0") == [{"partial": "no"}]


def test_a_client_that_is_far_behind_gets_all_at_once() -> None:
    dialect = opened(words=False)
    written(dialect, *(segment(second, second + 1) for second in range(MAX_OWED + 1)))
    assert asked(dialect, b"\0\0") == [{"text": " ".join(["yes"] * (MAX_OWED + 1))}]
    assert asked(dialect, b"\0\0") == [{"partial": ""}]


def test_alternatives() -> None:
    dialect = opened(max_alternatives=3, words=False)
    written(dialect, segment(0, 1, "Yes."))
    assert asked(dialect, b"") == [{"alternatives": [{"confidence": 0.8, "text": "yes"}]}]
    dialect = opened(max_alternatives=3)
    assert asked(dialect, EOF) == []
    nothing = {"alternatives": [{"confidence": 0.0, "text": ""}]}
    assert written(dialect, stopped(0.0)) == [nothing]


def test_a_reset_is_answered_when_all_results_are_there_and_what_follows_waits_for_it() -> None:
    dialect = opened(words=False)
    assert asked(dialect, RESET) == []
    assert asked(dialect, b"\0\0") == []
    assert asked(dialect, RESET) == []
    assert written(dialect, segment(0, 1, "Ever tried.")) == []
    assert written(dialect, segment(1, 2, "Ever failed.")) == []
    first, audio = written(dialect, Flushed(time=2.0, channel=0))
    assert (first, audio) == ({"text": "ever tried ever failed"}, {"partial": ""})
    assert written(dialect, Flushed(time=2.0, channel=0)) == [{"text": ""}]
    assert asked(dialect, b"\0\0") == [{"partial": ""}]


def test_the_end_brings_all_that_is_due() -> None:
    dialect = opened(words=False)
    assert asked(dialect, EOF) == []
    assert written(dialect, segment(0, 1, "Ever tried."), segment(1, 2, "")) == []
    assert written(dialect, stopped(2.0)) == [{"text": "ever tried"}]
    assert [*dialect.write(Close(1000))] == [Close(1000)]


def test_a_server_that_ends_sends_results_that_the_client_has_not_got() -> None:
    dialect = opened(words=False)
    asked(dialect, b"\0\0")
    assert written(dialect, stopped(2.0)) == []
    dialect = opened(words=False)
    asked(dialect, b"\0\0")
    assert written(dialect, segment(0, 1, "Yes."), stopped(2.0)) == [{"text": "yes"}]


def test_a_segment_without_a_result_leaves_nothing_behind() -> None:
    """Not its interims, and the times of the next segment are its own."""
    dialect = opened()
    lost = ErrorEvent(
        code="worker_lost",
        message="it died",
        fatal=False,
        channel=0,
        start_time=0.25,
        end_time=1.75,
    )
    written(dialect, Active(time=0.5, channel=0), interim("Ever"), Inactive(time=1.5, channel=0))
    assert written(dialect, lost) == []
    assert asked(dialect, b"\0\0") == [{"partial": ""}]
    written(dialect, Active(time=3.0, channel=0), Inactive(time=4.0, channel=0))
    written(dialect, segment(2.75, 4.25, "Yes."))
    ((word,),) = (reply["result"] for reply in asked(dialect, b"\0\0"))
    assert (word["start"], word["end"]) == (3.0, 4.0)


class LockStep(RuleBasedStateMachine):
    """A client that may send ahead; each request has one reply, and each result is sent once."""

    def __init__(self) -> None:
        super().__init__()
        self.dialect = opened(words=False)
        self.requests = 0
        self.flushes = 0
        self.said: list[str] = []
        self.replies: list[dict[str, Any]] = []

    def ask(self, frame: str | bytes) -> None:
        self.replies += asked(self.dialect, frame)
        self.requests += 1

    @rule(data=st.binary(max_size=4))
    def audio(self, data: bytes) -> None:
        self.ask(data)

    @rule()
    def reset(self) -> None:
        self.ask(RESET)
        self.flushes += 1

    @rule(word=st.sampled_from(["", "Yes.", "No"]), final=st.booleans())
    def event(self, word: str, final: bool) -> None:
        self.replies += written(self.dialect, segment(0, 1, word) if final else interim(word))
        self.said += [word.lower().strip(".")] if final and word else []

    @precondition(lambda self: self.flushes > 0)
    @rule()
    def flushed(self) -> None:
        self.replies += written(self.dialect, Flushed(time=1.0, channel=0))
        self.flushes -= 1

    @rule(text=st.sampled_from(["{}", "[", "null", '"eof"', '{"config": 1}', "\ud7ff", ""]))
    def garbage(self, text: str) -> None:
        assert [*self.dialect.read(text)] == []

    def teardown(self) -> None:
        assert len(self.replies) <= self.requests
        self.ask(EOF)
        self.replies += written(self.dialect, stopped(2.0))
        assert len(self.replies) == self.requests
        texts = [reply["text"] for reply in self.replies if reply.get("text")]
        assert " ".join(texts).split() == self.said


TestLockStep = LockStep.TestCase
TestLockStep.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)


@settings(deadline=None)
@given(streams(), st.lists(st.integers(0, 40)))
def test_all_words_come_whenever_the_client_asks(events: list[Event], when: list[int]) -> None:
    """`when` has the number of the event after which each piece of audio is sent."""
    dialect = opened(words=True)
    *before, end = events
    replies = []
    for number, event in enumerate(before):
        replies += written(dialect, event)
        for _ in range(when.count(number)):
            replies += asked(dialect, b"\0\0")
    asked(dialect, EOF)
    replies += written(dialect, end)
    assert len(replies) == sum(number < len(before) for number in when) + 1
    outputs = [text_of(event.output) for event in events if isinstance(event, Segment)]
    texts = [reply["text"] for reply in replies if reply.get("text")]
    assert " ".join(texts) == plain(" ".join(outputs))
    for reply in replies:
        words = reply.get("result", [])
        assert " ".join(word["word"] for word in words) == (reply.get("text") or "")
        times = [time for word in words for time in (word["start"], word["end"])]
        assert times == sorted(times)
