"""Timed text as cues: pieces of it that can be read while they are on the screen.

The limits are those of Netflix' Timed Text Style Guide (General Requirements, "Duration" and "Line
Treatment"; https://partnerhelp.netflixstudios.com/hc/articles/215758617). That a cue is a single
sentence where it can be, and where else to break, is from the BBC's Subtitle Guidelines, "Line
breaks" (https://www.bbc.co.uk/accessibility/forproducts/guides/subtitles/).
"""

from collections.abc import Iterable, Iterator
from math import ceil
from typing import NamedTuple

from streamer.subtitles.times import PartTimes, WordSpan, part_times
from streamer.subtitles.words import LINE_CHARACTERS, Break, Words, words_of

LONGEST_S = 7.0
"""Seconds that a cue is shown at most."""

SHORTEST_S = 5 / 6
"""Seconds that a part of a text is shown at least, if the lines have room for that."""

FEW_CHARACTERS = 10
"""Characters. A shorter part is not made just because the text takes long to say."""

LINGER_S = 0.5
"""Seconds that a cue stays after its last word, if the next one does not come before."""

_CUE_CHARACTERS = 2 * LINE_CHARACTERS


class TimedText(NamedTuple):
    """What was said from one time to another, on a channel.

    Attributes:
        start_s: In seconds.
        end_s: In seconds.
        text: In any number of lines.
        channel: From 0.
        words: When each of its words was said, in order; empty = not known.
    """

    start_s: float
    end_s: float
    text: str
    channel: int = 0
    words: tuple[WordSpan, ...] = ()


class Cue(NamedTuple):
    """One or two lines, and when they are shown, in milliseconds.

    Sorting puts cues into the order of a file: by time, then by channel.
    """

    start_ms: int
    channel: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None


class CueMaker:
    """Makes the cues of texts, which come in order of time on each channel.

    Args:
        channels: With more than one, a cue has its channel as the speaker.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._ended_ms: dict[int, int] = {}

    def cues(self, said: TimedText) -> list[Cue]:
        """Return the cues of a text, none if it has nothing to read.

        A cue begins with its first word. Without times of words, the time of the text is shared out
        by characters. Cues of one channel neither overlap nor are empty: a
        text that begins before the one before it ended is shown after that.
        """
        speaker = f"channel {said.channel + 1}" if self._channels > 1 else None
        words = words_of(said.text, label_characters(speaker))
        start_ms = max(_milliseconds(said.start_s), self._ended_ms.get(said.channel, 0))
        least_s = min(SHORTEST_S, max(0.0, said.end_s - said.start_s))
        end_ms = max(_milliseconds(said.end_s), start_ms + _milliseconds(least_s))
        times = part_times(words, start_ms / 1000, end_ms / 1000, said.words)
        cues: list[Cue] = []
        for first, last in _spans(words, times):
            lines = words.lines(first, last)
            assert lines is not None  # a single word fits on a line
            begins_s, ends_s = times.begins_s[first], times.ends_s[last - 1]
            stays_until_s = max(ends_s + LINGER_S, begins_s + SHORTEST_S)
            shown_ms = max(_milliseconds(begins_s), cues[-1].end_ms if cues else start_ms)
            hidden_ms = _milliseconds(min(times.begins_s[last], stays_until_s))
            hidden_ms = max(min(hidden_ms, shown_ms + _milliseconds(LONGEST_S)), shown_ms + 1)
            cues.append(Cue(shown_ms, said.channel, hidden_ms, lines, speaker))
        if cues:
            self._ended_ms[said.channel] = cues[-1].end_ms
        return cues


def cues_of(texts: Iterable[TimedText], channels: int) -> list[Cue]:
    """Return all cues of some texts in order of time, those of several channels mixed."""
    maker = CueMaker(channels)
    in_time = sorted(texts, key=lambda said: (said.start_s, said.channel))
    return sorted(cue for said in in_time for cue in maker.cues(said))


def label_characters(speaker: str | None) -> int:
    """Characters that name the speaker on the first line of a cue, in the longer of the formats."""
    return len(f"<v {speaker}>") if speaker else 0


def _spans(words: Words, times: PartTimes) -> Iterator[tuple[int, int]]:
    """Yield the first word of each cue and the one behind its last.

    A text is broken in two at the best place near its middle, or near a third of it if three cues
    are needed, and so on; then so are its parts.
    """
    waiting = [(0, len(words.starts))] if words.starts else []
    while waiting:
        first, last = waiting.pop()
        place = _place(words, first, last, times)
        if place is None:
            yield first, last
        else:
            waiting += [(place, last), (first, place)]


def _place(words: Words, first: int, last: int, times: PartTimes) -> int | None:
    """The word before which to break. None = this is one cue."""
    too_much = words.lines(first, last) is None
    begin, end = words.starts[first], words.ends[last - 1]
    lasts_s = times.begins_s[last] - times.begins_s[first]
    too_long = lasts_s > LONGEST_S
    cues = max(2, ceil((end - begin) / _CUE_CHARACTERS), ceil(lasts_s / LONGEST_S))
    target = begin + (end - begin) * (cues // 2) / cues

    def distance(place: int) -> float:
        return abs((words.ends[place - 1] + words.starts[place]) / 2 - target)

    def lasts(place: int) -> bool:
        part_s = times.begins_s[place] - times.begins_s[first]
        return SHORTEST_S <= part_s <= lasts_s - SHORTEST_S

    def reads(place: int) -> bool:
        parts = (words.ends[place - 1] - begin, end - words.starts[place])
        return too_much or min(parts) >= FEW_CHARACTERS

    strengths = tuple(reversed(Break)) if too_much or too_long else (Break.SENTENCE,)
    for strength in strengths:
        places = [k for k in range(first + 1, last) if words.breaks[k] == strength and lasts(k)]
        if strength < Break.CLAUSE:
            places = [place for place in places if reads(place)]
        if places:
            return min(places, key=distance)
    if not too_much:
        return None
    # More is said than can be read in the time: the lines count.
    places = [k for k in range(first + 1, last) if words.breaks[k] > Break.NOTHING]
    return min(places or range(first + 1, last), key=distance)


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
