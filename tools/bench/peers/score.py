"""How soon and how well utterances were answered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tools.bench.peers.load import Arrival, PlayedStream
from tools.bench.reference import error_rate

OVERLAP_S = 0.3
"""Seconds that a final has in common with an utterance that it answers; or half of either, if that
is shorter."""

REACH_S = 1.0
"""Seconds before the end of the last word at which the last final of an utterance may end: the
times of some peers are rough."""


def latencies_ms(stream: PlayedStream) -> list[float]:
    """From the end of each utterance's last word to the final with it; infinite if none came."""
    spans = zip(stream.playlist.begins_s, stream.playlist.utterances, strict=True)
    return [
        1000 * (_answered_s(stream.arrivals, index, begin_s, begin_s + spoken.speech_end_s))
        - 1000 * (begin_s + spoken.speech_end_s)
        for index, (begin_s, spoken) in enumerate(spans)
    ]


def _answered_s(arrivals: Sequence[Arrival], index: int, begin_s: float, end_s: float) -> float:
    """When an utterance, the one with this index, had all its text; infinite if it never had."""
    own = [each for each in arrivals if _answers(each, index, begin_s, end_s)]
    if not own:
        return math.inf
    if own[0].final.utterance is None and max(x.final.end_s for x in own) < end_s - REACH_S:
        return math.inf
    return max(each.at_s for each in own)


def _answers(arrival: Arrival, index: int, begin_s: float, end_s: float) -> bool:
    final = arrival.final
    if final.utterance is not None:
        return final.utterance == index
    common_s = min(final.end_s, end_s) - max(final.start_s, begin_s)
    enough_s = min(OVERLAP_S, (final.end_s - final.start_s) / 2, (end_s - begin_s) / 2)
    return common_s > 0 and common_s >= enough_s


def text(stream: PlayedStream) -> str:
    """All finals of a stream in the order of its audio."""
    finals = [each.final for each in stream.arrivals]
    finals.sort(key=lambda final: (final.utterance or 0, final.start_s))
    return " ".join(final.text for final in finals)


@dataclass(frozen=True)
class Score:
    """Of all streams of one run.

    Attributes:
        latencies_ms: One for each utterance, infinite where no final came.
        word_errors: In percent, of all words together; None where no transcript is known.
    """

    latencies_ms: Sequence[float]
    word_errors: float | None

    @property
    def lost(self) -> int:
        """Number of utterances without a final of their last words."""
        return sum(map(math.isinf, self.latencies_ms))

    def percentile_ms(self, percent: float) -> float:
        """Nearest rank; lost utterances count as infinitely late."""
        ordered = sorted(self.latencies_ms)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def score(streams: Sequence[PlayedStream]) -> Score:
    """The score of one run."""
    pairs = [(stream.playlist.transcript, text(stream)) for stream in streams]
    known = [pair for pair in pairs if pair[0]]
    return Score(
        [each for stream in streams for each in latencies_ms(stream)],
        error_rate(known) if known else None,
    )
