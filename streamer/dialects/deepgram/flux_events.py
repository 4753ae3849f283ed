"""From the events of a stream to the messages of Flux: one turn after another. Pure.

| event | `TurnInfo` |
|---|---|
| `active` | `StartOfTurn`; it waits until the turn before has ended |
| `interim` | `Update`, unless the turn is about to end |
| eager `interim` | `EagerEndOfTurn` |
| `resumed` | `TurnResumed` |
| `segment` | `EndOfTurn` |
| `error` of a segment | `EndOfTurn`, without words |
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from streamer.access.deepgram_errors import request_id_of
from streamer.dialects.deepgram.flux_messages import (
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxWord,
    Message,
    Thresholds,
    Trigger,
    TurnEvent,
    TurnInfo,
)
from streamer.http.render import text_of
from streamer.http.spoken_words import GivenWord, spoken_words
from streamer.protocol.events import (
    Active,
    Configured,
    ErrorEvent,
    Event,
    Inactive,
    Interim,
    Resumed,
    Segment,
    SegmentEnd,
    Started,
)
from streamer.session.dialect import NO_SESSION

UNLIKELY, CERTAIN = 0.05, 0.95
"""`end_of_turn_confidence` while the user speaks, and when the turn has ended. The detector gives
no probability that it has."""

DEFAULT_EOT_THRESHOLD = 0.7

TRIGGERS: dict[SegmentEnd, Trigger] = {
    "silence": "model",
    "flush": "manual",
    "stop": "manual",
    "cut": "timeout",
}


class NewThresholds(NamedTuple):
    """Thresholds for what follows; `Configured` answers the `Configure` that has them."""

    thresholds: Thresholds


class ConfigureDone(NamedTuple):
    """A `Configure` has changed nothing of a stream.

    Attributes:
        problem: Why it is refused; "" = it is not.
        thresholds: For what follows; None = as before.
        key_terms: New ones, for the stream that is going to begin; None = they are as before.
    """

    problem: str = ""
    thresholds: Thresholds | None = None
    key_terms: tuple[str, ...] | None = None


AnyEvent = Event | NewThresholds | ConfigureDone


class FluxEvents:
    """The messages to one client, in order.

    Args:
        thresholds: As the client gives them.
        key_terms: In force.
        session_id: Until `started` names it.
    """

    def __init__(
        self, thresholds: Thresholds, key_terms: tuple[str, ...], session_id: str = NO_SESSION
    ) -> None:
        self._thresholds = thresholds
        self._key_terms = key_terms
        self._request_id = request_id_of(session_id)
        self._sequence = 0
        self._turn = 0
        self._begun_s: float | None = None
        """Where the speech of the open turn began; None = no turn is open."""
        self._ended_s: float | None = None
        """Where it ended; None = it goes on."""
        self._waiting: list[Active | Inactive] = []
        """Of later turns."""
        self._eager: TurnInfo | None = None
        """The message that the open turn is about to end; None = it is not."""

    def messages(self, event: AnyEvent) -> Iterator[Message]:
        """What an event becomes."""
        match event:
            case Started(session_id=session_id):
                self._request_id = request_id_of(session_id)
                yield from self._connect()
            case Active() | Inactive():
                self._waiting.append(event)
                yield from self._follow()
            case Interim(start_time=start, end_time=end, output=output, eager=eager):
                text = text_of(output)
                threshold = self._thresholds.eager_eot_threshold
                if text and (eager or self._eager is None):
                    begun_s = self._begun(start)
                    words = spoken_words(output, text, begun_s, end)
                    if eager and threshold is not None:
                        info = self._info("EagerEndOfTurn", begun_s, end, text, words, threshold)
                        self._eager = info
                    else:
                        info = self._info("Update", begun_s, end, text, words, UNLIKELY)
                    yield info
            case Resumed():
                ended, self._eager = self._eager, None
                if ended is not None:
                    number = self._number()
                    resumed = replace(ended, sequence_id=number, event="TurnResumed")
                    yield replace(resumed, end_of_turn_confidence=UNLIKELY)
            case Segment(start_time=start, end_time=end, output=output, ended_by=ended_by):
                begun_s, text = self._begun(start), text_of(output)
                words = spoken_words(output, text, begun_s, self._ended_s or end)
                yield from self._end_turn(begun_s, end, text, words, TRIGGERS[ended_by])
            case ErrorEvent(start_time=float(start), end_time=float(end)):
                yield from self._end_turn(self._begun(start), end, "", [], "model")
            case Configured(keyterms=key_terms):
                self._key_terms = tuple(key_terms)
                yield self._configured()
            case NewThresholds(thresholds=thresholds):
                self._thresholds = thresholds
            case ConfigureDone(problem="", thresholds=thresholds, key_terms=key_terms):
                yield from self._connect()
                self._thresholds = thresholds or self._thresholds
                self._key_terms = self._key_terms if key_terms is None else key_terms
                yield self._configured()
            case ConfigureDone(problem=problem):
                yield from self._connect()
                yield ConfigureFailure(
                    request_id=self._request_id,
                    sequence_id=self._number(),
                    code="INVALID_CONFIGURE",
                    description=problem,
                )

    def _connect(self) -> Iterator[Message]:
        """Before all else: that the client is connected."""
        if self._sequence == 0:
            yield Connected(request_id=self._request_id, sequence_id=self._number())

    def _follow(self) -> Iterator[Message]:
        """Go on with what has waited for the turn before."""
        while self._waiting:
            if isinstance(self._waiting[0], Active):
                if self._begun_s is not None:
                    return
                self._begun_s = at = self._waiting.pop(0).time
                self._ended_s = None
                yield self._info("StartOfTurn", at, at, "", [], UNLIKELY)
            else:
                self._ended_s = self._waiting.pop(0).time

    def _end_turn(
        self, begun_s: float, end: float, text: str, words: Sequence[GivenWord], trigger: Trigger
    ) -> Iterator[Message]:
        if self._begun_s is None:  # clients drop the end of a turn that has not begun
            yield self._info("StartOfTurn", begun_s, begun_s, "", [], UNLIKELY)
        threshold = self._thresholds.eot_threshold or DEFAULT_EOT_THRESHOLD
        yield self._info(
            "EndOfTurn", begun_s, end, text, words, max(CERTAIN, threshold), trigger=trigger
        )
        self._turn += 1
        self._begun_s = self._ended_s = None
        self._eager = None
        yield from self._follow()

    def _begun(self, start: float) -> float:
        return start if self._begun_s is None else self._begun_s

    def _info(
        self,
        event: TurnEvent,
        begin: float,
        end: float,
        text: str,
        words: Sequence[GivenWord],
        confidence: float,
        *,
        trigger: Trigger | None = None,
    ) -> TurnInfo:
        found = [
            FluxWord(word.text, word.confidence, round(word.start, 3), round(word.end, 3))
            for word in words
        ]
        info = TurnInfo(
            request_id=self._request_id,
            sequence_id=self._number(),
            event=event,
            turn_index=self._turn,
            audio_window_start=round(begin, 3),
            audio_window_end=round(end, 3),
            transcript=text,
            words=found,
            end_of_turn_confidence=confidence,
        )
        return info if trigger is None else replace(info, trigger=trigger)

    def _configured(self) -> ConfigureSuccess:
        return ConfigureSuccess(
            request_id=self._request_id,
            sequence_id=self._number(),
            thresholds=self._thresholds,
            keyterms=self._key_terms,
        )

    def _number(self) -> int:
        number, self._sequence = self._sequence, self._sequence + 1
        return number
