"""Wyoming's events as inputs of a session, and the other way round."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.config.segmentation import VadConfig
from streamer.dialects.wyoming.answers import answer_of
from streamer.dialects.wyoming.codec import Event, EventDecoder, MalformedEvent
from streamer.dialects.wyoming.dialect import WyomingDialect
from streamer.dialects.wyoming.frames import NO_MORE, Frames
from streamer.dialects.wyoming.info import info
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.events import Active, ErrorEvent, WarningEvent
from streamer.protocol.inputs import (
    AudioReceived,
    Input,
    ReplyRequested,
    StartRequested,
    StopRequested,
)
from streamer.protocol.requests import BadRequest, VadOptions
from streamer.session.dialect import UpgradeRefused
from tests.dialects.played_events import STARTED, segment, stopped

MODELS = [ServedModel("tiny", "moonshine", ("en",)), ServedModel("own", "my.module:Class")]
AUDIO = {"rate": 16_000, "width": 2, "channels": 1}
SECOND = b"\0" * 32_000
INFO = info(MODELS, "1.0", ends_commands=True)


class Played:
    """A dialect between a client and a session."""

    def __init__(self, *, ends_commands: bool = False) -> None:
        self.dialect = WyomingDialect(MODELS, 2, VadConfig(), INFO, ends_commands=ends_commands)
        self._frames = Frames()

    def read(
        self, kind: str, data: dict[str, Any] | None = None, audio: bytes = b""
    ) -> list[Input]:
        frames = self._frames.of(Event(kind, data or {}, audio))
        return [given for frame in frames for given in self.dialect.read(frame)]

    def audio(self, data: bytes = SECOND) -> list[Input]:
        return self.read("audio-chunk", {**AUDIO, "timestamp": 0}, data)

    def write(self, *items: Outgoing) -> list[str]:
        """The events that are written, by their types and texts; the end, and what is stopped."""
        return [shown(data) for item in items for data in self.dialect.write(item)]


def shown(written: bytes | Input | Close) -> str:
    match written:
        case bytes():
            return describe(written)
        case Close(code=code):
            return f"close {code}"
        case _:
            return type(written).__name__


def describe(data: bytes) -> str:
    decoder = EventDecoder(100_000)
    decoder.feed(data)
    found = []
    while (event := decoder.next_event()) is not None:
        text = event.data.get("text")
        found.append(event.type if text is None else f"{event.type} {text}")
    return ", ".join(found)


def begun(played: Played) -> StartRequested:
    (start,) = played.read("audio-start", AUDIO)
    assert isinstance(start, StartRequested)
    return start


def data_of(data: bytes) -> dict[str, Any]:
    decoder = EventDecoder(100_000)
    decoder.feed(data)
    event = decoder.next_event()
    assert event is not None
    return dict(event.data)


def transcripts(written: Iterable[str]) -> list[str]:
    return [line for line in written if line.startswith("transcript ")]


def test_a_command_of_home_assistant() -> None:
    played = Played()
    assert played.read("transcribe", {"language": "en"}) == []
    start = begun(played).start
    assert (start.format, start.model) == (AudioFormat(16_000, 1, 16), "tiny")
    assert played.audio() == [AudioReceived(SECOND)]
    assert played.read("audio-stop", {"timestamp": 5}) == [StopRequested()]
    assert played.write(STARTED, segment(0, 1, "Hello."), stopped(1)) == [
        "transcript-start",
        "transcript-chunk Hello.",
        "transcript Hello.",
        "transcript-stop",
    ]


def test_several_commands_one_after_the_other() -> None:
    played = Played()
    for text in ("One.", "Two."):
        assert len([given for given in played.audio() if isinstance(given, StartRequested)]) == 1
        played.read("audio-stop")
        written = played.write(STARTED, segment(0, 1, text), stopped(1))
        assert transcripts(written) == [f"transcript {text}"]


def test_the_next_command_may_be_read_before_the_first_is_answered() -> None:
    played = Played()
    for _ in range(2):
        begun(played)
        played.read("audio-stop")
    written = played.write(STARTED, segment(0, 1, "One."), stopped(1), STARTED, stopped(1))
    assert transcripts(written) == ["transcript One.", "transcript "]


def test_a_command_that_is_begun_again_has_one_transcript() -> None:
    played = Played()
    begun(played)
    begun(played)
    played.read("audio-stop")
    written = played.write(STARTED, segment(0, 1, "One."), stopped(1), STARTED, stopped(1))
    assert transcripts(written) == ["transcript "]


def test_what_is_asked_for_may_come_behind_the_start() -> None:
    """It counts for a command that has no audio yet, and for all that follow."""
    played = Played()
    begun(played)
    (again,) = played.read("transcribe", {"name": "own", "language": "de"})
    assert isinstance(again, StartRequested)
    assert again.start.model == "own"
    played.audio()
    assert played.read("transcribe", {"name": "tiny"}) == []
    played.read("audio-stop")
    written = played.write(STARTED, stopped(0), STARTED, segment(0, 1, "Ja."), stopped(1))
    assert transcripts(written) == ["transcript Ja."]
    assert begun(played).start.model == "tiny"


def test_an_abandoned_command_cannot_fail() -> None:
    played = Played()
    begun(played)
    played.audio()
    begun(played)
    played.read("audio-stop")
    failure = ErrorEvent(code="inference_failed", message="It failed.", fatal=False, channel=0)
    written = played.write(STARTED, failure, stopped(1), STARTED, stopped(1))
    assert [*transcripts(written), written[-1]] == ["transcript ", "transcript-stop"]


def test_a_client_that_sends_nothing_more_gets_its_transcript_first() -> None:
    played = Played()
    begun(played)
    played.read("audio-stop")
    (reply,) = played.dialect.read(NO_MORE)
    assert isinstance(reply, ReplyRequested)
    written = played.write(STARTED, stopped(1), Reply(reply.content))
    assert [*transcripts(written), written[-1]] == ["transcript ", "close 1000"]


def test_an_end_without_a_beginning_is_answered() -> None:
    (reply,) = Played().read("audio-stop")
    assert isinstance(reply, ReplyRequested)
    assert "transcript " in Played().write(Reply(reply.content))[0]


def test_the_server_ends_the_command() -> None:
    played = Played(ends_commands=True)
    begun(played)
    played.audio()
    assert played.write(STARTED, segment(0, 1, "On."))[1:] == [
        "transcript-chunk On.",
        "ClearRequested",
        "StopRequested",
    ]
    assert played.audio() == []
    failure = ErrorEvent(code="worker_lost", message="It failed.", fatal=False, channel=0)
    late = played.write(Active(time=1.5, channel=0), segment(1, 2, "And"), failure)
    assert late == []
    assert played.write(stopped(1)) == ["transcript On.", "transcript-stop"]
    assert played.read("audio-stop") == []
    begun(played)


def test_the_client_may_end_it_before_the_server_does() -> None:
    """Older versions of Home Assistant always end it; their next command is not stopped."""
    played = Played(ends_commands=True)
    begun(played)
    assert played.read("audio-stop") == [StopRequested()]
    begun(played)
    assert "StopRequested" not in played.write(STARTED, segment(0, 1, "On."), stopped(1))
    assert played.write(STARTED, segment(0, 1, "Off."))[-1] == "StopRequested"


def test_the_server_ends_a_command_in_which_nobody_speaks() -> None:
    played = Played(ends_commands=True)
    begun(played)
    assert played.write(STARTED) == []
    seconds, written = 0, list[str]()
    while not written:
        seconds += 1
        for reply in played.audio():
            if isinstance(reply, ReplyRequested):
                written += played.write(Reply(reply.content))
    assert 15 <= seconds <= 18
    assert written == ["StopRequested"]
    assert played.audio() == []
    assert transcripts(played.write(stopped(16))) == ["transcript "]
    assert played.read("audio-stop") == []


@pytest.mark.parametrize(
    ("data", "min_silence_ms", "terms"),
    [
        ({}, None, ()),
        ({"vad_sensitivity": "default"}, None, ()),
        ({"vad_sensitivity": "relaxed"}, 1_250, ()),
        ({"vad_sensitivity": "aggressive"}, 300, ()),
        ({"vad_sensitivity": 5, "context": {"a": 1}, "later": True}, None, ()),
        (
            {"transcript_names": [" Oslo ", 5, "…"], "transcript_terms": ["Acme", "Oslo"]},
            None,
            ("Oslo", "Acme"),
        ),
        ({"transcript_names": "Oslo"}, None, ()),
        (
            {"transcript_names": [f"Lamp {i}" for i in range(500)]},
            None,
            tuple(f"Lamp {i}" for i in range(100)),
        ),
    ],
)
def test_what_a_transcribe_asks_for(
    data: dict[str, Any], min_silence_ms: int | None, terms: tuple[str, ...]
) -> None:
    played = Played(ends_commands=True)
    played.read("transcribe", data)
    start = begun(played).start
    assert start.vad == VadOptions(min_silence_ms=min_silence_ms)
    assert start.keyterms == terms


@pytest.mark.parametrize(
    ("name", "language", "model", "answered"),
    [
        (None, None, "tiny", "en"),
        ("tiny", "en-US", "tiny", "en-US"),
        ("no such", "English", "tiny", "English"),
        ("own", "de", "own", "de"),
        ("own", None, "own", None),
        ("tiny", "auto", "tiny", "en"),
        (7, 7, "tiny", "en"),
    ],
)
def test_models_and_languages(name: Any, language: Any, model: str, answered: str | None) -> None:
    played = Played()
    played.read("transcribe", {"name": name, "language": language})
    assert begun(played).start.model == model
    (data,) = [
        b"".join(d for d in played.dialect.write(i) if isinstance(d, bytes))
        for i in (STARTED, stopped(1))
    ][1:]
    line, _, rest = data.partition(b"\n")
    assert json.loads(line)["type"] == "transcript-start"
    assert (json.dumps(answered).encode() in rest) is (answered is not None)


@pytest.mark.parametrize(
    ("kind", "data", "code", "message"),
    [
        ("transcribe", {"language": "de"}, "bad_message", "'language' is \"de\"; allowed with"),
        ("audio-start", {}, "bad_format", "rate"),
        ("audio-start", {**AUDIO, "rate": "fast"}, "bad_format", "rate"),
        ("audio-start", {**AUDIO, "rate": 1}, "bad_format", "'rate' is 1; allowed: 8000 to"),
        ("audio-start", {**AUDIO, "width": 5}, "bad_format", "'width' is 5; allowed: 1, 2, 3, 4"),
        ("audio-start", {**AUDIO, "channels": 3}, "bad_format", "'channels' is 3; allowed: 1 to 2"),
        ("audio-chunk", {"rate": 16_000}, "bad_format", "width"),
    ],
)
def test_what_is_refused(kind: str, data: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Played().read(kind, data)
    assert (refused.value.code, message in str(refused.value)) == (code, True)


def test_a_number_may_have_a_fraction_of_zero() -> None:
    """As all numbers of some JSON libraries."""
    (start,) = Played().read("audio-start", {"rate": 16_000.0, "width": 2.0, "channels": 1.0})
    assert isinstance(start, StartRequested)
    assert start.start.format == AudioFormat(16_000, 1, 16)


def test_audio_does_not_change_within_a_command() -> None:
    played = Played()
    begun(played)
    played.audio()
    with pytest.raises(BadRequest, match=r"48000 Hz, 16 bits, 1 channels; allowed .* 16000 Hz"):
        played.read("audio-chunk", {**AUDIO, "rate": 48_000}, b"12")


def test_what_follows_a_refusal_is_ignored() -> None:
    """Also the audio of the event that was refused."""
    played = Played()
    with pytest.raises(BadRequest):
        played.read("audio-chunk", {"rate": 16_000}, b"12")
    assert [*played.dialect.read(b"12")] == []
    assert played.read("audio-start", AUDIO) == []


def test_a_part_of_a_command_is_no_transcript() -> None:
    """It could mean something else than the whole."""
    played = Played()
    begun(played)
    played.audio()
    with pytest.raises(BadRequest):
        played.read("audio-chunk", {**AUDIO, "channels": 2}, b"1234")
    failure = ErrorEvent(code="bad_format", message="It changes.", fatal=False)
    written = played.write(STARTED, segment(0, 1, "Do not"), stopped(1), failure)
    assert written == ["error It changes.", "close 1000"]


@pytest.mark.parametrize("calls", [0, 20])
def test_data_is_read_or_refused_however_deep_it_is_nested(calls: int) -> None:
    """The calls that are going on when it is decoded, kept and read count too."""
    outcomes = set()
    deepest = deepest_list()
    for depth in range(deepest - 150, deepest + 50):
        played, frames, decoder = Played(), Frames(), EventDecoder(1_000_000)
        data = b'{"context": ' + b"[" * depth + b"]" * depth + b"}"
        decoder.feed(b'{"type": "transcribe", "data": ' + data + b"}\n")
        try:
            event = decoder.next_event()
            assert event is not None
            (frame,) = deeper(calls, partial(all_of, frames.of(event)))
            deeper(2 * calls, partial(all_of, played.dialect.read(frame)))
            outcomes.add("read")
        except (MalformedEvent, BadRequest) as refused:
            outcomes.add(refused.code)
    assert outcomes == {"read", "bad_message"}


def deepest_list() -> int:
    """How deep a list may be nested for this Python: 1000 to some ten thousand, by its version."""
    readable, refused = 1, 200_000
    while refused - readable > 1:
        depth = (readable + refused) // 2
        try:
            msgspec.json.decode(b"[" * depth + b"]" * depth)
            readable = depth
        except RecursionError:
            refused = depth
    return readable


def all_of(items: Iterable[Any]) -> list[Any]:
    return [*items]


def deeper(calls: int, work: Callable[[], list[Any]]) -> list[Any]:
    return deeper(calls - 1, work) if calls else work()


@given(st.lists(st.integers(0, 40), max_size=6))
def test_channels_are_mixed_however_they_are_cut(cuts: list[int]) -> None:
    frames = bytes(range(40))
    played = Played()
    start, *_ = played.read("audio-start", {**AUDIO, "channels": 2})
    assert isinstance(start, StartRequested)
    assert start.start.format == AudioFormat(16_000, 1, 32, is_float=True)
    places = [0, *sorted(cuts), 40]
    pieces = [frames[a:b] for a, b in pairwise(places)]
    data = {**AUDIO, "channels": 2}
    mixed = [g for piece in pieces for g in played.read("audio-chunk", data, piece)]
    sizes = [len(g.audio) for g in mixed if isinstance(g, AudioReceived)]
    assert (sum(sizes), 0 in sizes) == (10 * 4, False)


@pytest.mark.parametrize("code", ["worker_lost", "bad_message", "overloaded", "idle_timeout"])
def test_an_error_is_the_last_event(code: Any) -> None:
    played = Played()
    begun(played)
    failure = ErrorEvent(code=code, message="It failed.", fatal=False)
    assert played.write(STARTED, failure) == ["error It failed.", "close 1000"]


def test_a_client_that_stays_without_a_command_is_left_without_a_word() -> None:
    failure = ErrorEvent(code="idle_timeout", message="Nothing came.", fatal=True)
    assert Played().write(failure) == ["close 1000"]


def test_what_has_no_place_is_not_written() -> None:
    played = Played()
    warning = WarningEvent(code="lagging", message="The server is behind.")
    assert played.write(warning, Active(time=1.0, channel=0), Close(1012)) == ["close 1012"]
    assert played.read("voice-stopped", {"timestamp": 1}) == []


def test_a_refusal_is_an_error() -> None:
    refused = UpgradeRefused(503, "overloaded", "all places are taken")
    body = Played().dialect.refuse(refused).body
    assert describe(bytes(body)) == "error all places are taken"


def test_describe_and_ping_are_answered_anywhere() -> None:
    for kind, answer in (("describe", "info"), ("ping", "pong hi")):
        event = Event(kind, {"text": "hi"})
        (reply,) = Played().read(kind, {"text": "hi"})
        assert isinstance(reply, ReplyRequested)
        assert reply.content == answer_of(event, INFO)
        assert describe(answer_of(event, INFO) or b"") == answer
    assert answer_of(Event("detect"), INFO) is None


def test_a_ping_has_room_for_a_sentence() -> None:
    """Answers wait until the client reads them: their number is limited, and so are they."""
    (reply,) = Played().read("ping", {"text": "x" * 1_000})
    assert isinstance(reply, ReplyRequested)
    with pytest.raises(BadRequest, match="'text' has 1001 characters; allowed: 1000"):
        Played().read("ping", {"text": "x" * 1_001})


def test_the_answers_to_describe_are_one_object() -> None:
    """Thousands of them may wait for the client to read them."""
    played = Played()
    (first,), (second,) = played.read("describe"), played.read("describe")
    assert isinstance(first, ReplyRequested)
    assert isinstance(second, ReplyRequested)
    assert first.content is second.content


def test_info_has_what_home_assistant_needs() -> None:
    (program,) = data_of(INFO)["asr"]
    assert program["installed"]
    assert program["supports_transcript_streaming"]
    assert not program["requires_external_vad"]
    other = info(MODELS, "1.0", ends_commands=False)
    assert data_of(other)["asr"][0]["requires_external_vad"]
    tiny, own = program["models"]
    assert (tiny["name"], tiny["installed"], tiny["languages"]) == ("tiny", True, ["en"])
    assert {"de", "en"} < {*own["languages"]}
    for part in (program, tiny, own):
        assert {"name", "attribution", "installed"} <= {*part}
