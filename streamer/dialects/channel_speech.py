"""What a channel has said, and when its utterances end. Pure; no clock but the audio's.

Segments get their results later than their ends, and several may wait. `active` and `inactive`
come in the order of the audio, and so do results, one for each pair.
"""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Speech:
    """A piece of speech, and with it a segment. Times in seconds.

    Attributes:
        begin: Of the speech.
        end: Of the speech; None = it goes on.
        settled: Whether its result is out.
        ends_utterance: Whether an utterance ends with its result.
    """

    begin: float
    end: float | None = None
    settled: bool = False
    ends_utterance: bool = False


class ChannelSpeech:
    """The speech of one channel.

    Args:
        utterance_end_s: Seconds without speech that end an utterance; None = the client does not
            want to be told.

    Attributes:
        due_s: Where the audio must get to for an utterance to end; None = none can end now.
    """

    def __init__(self, utterance_end_s: float | None) -> None:
        self._utterance_end_s = utterance_end_s
        self._pending: deque[Speech] = deque()
        """Without a result, the oldest first."""
        self._last: Speech | None = None
        """The last that has ended."""
        self._last_word_end_s: float | None = None
        """Of what was said since the last utterance ended; None = nothing was."""
        self.due_s: float | None = None

    def began(self, time_s: float) -> float | None:
        """Speech begins; returns as `reached` does."""
        ended = None
        if self.due_s is not None:
            if time_s >= self.due_s:
                ended = self._end_utterance()
            self.due_s = None
        self._pending.append(Speech(time_s))
        return ended

    def ended(self, time_s: float) -> None:
        """Speech ends."""
        if self._pending:
            self._last = self._pending[-1]
            self._last.end = time_s
            if self._utterance_end_s is not None:
                self.due_s = time_s + self._utterance_end_s

    def open_since(self, start_s: float) -> float:
        """Where the speech began that still goes on; `start_s` if there is none."""
        last = self._pending[-1] if self._pending else None
        return last.begin if last is not None and last.end is None else start_s

    def settle(self, start_s: float, end_s: float) -> Speech:
        """The speech of the next result.

        Args:
            start_s: Of the segment, in case nothing is known of the speech in it.
            end_s: In the same way.
        """
        speech = self._pending.popleft() if self._pending else Speech(start_s, end_s)
        speech.settled = True
        if speech.end is None:
            speech.end = end_s
        return speech

    def words_until(self, time_s: float) -> None:
        """A final result has words, the last of which ends at this time."""
        self._last_word_end_s = time_s

    def utterance_end(self, speech: Speech) -> float | None:
        """Whether an utterance ends with this result; returns as `reached` does."""
        return self._take_last_word() if speech.ends_utterance else None

    def reached(self, time_s: float) -> float | None:
        """The audio has got to this time, and nothing began before it.

        Returns:
            The end of the last word of an utterance that has ended now. None = none has, or it
            will with the result that is not out yet, or it had no words.
        """
        if self.due_s is None or time_s < self.due_s:
            return None
        return self._end_utterance()

    def finish(self) -> float | None:
        """The audio is over, and all results are out; returns as `reached` does."""
        return self._end_utterance() if self.due_s is not None else None

    def _end_utterance(self) -> float | None:
        self.due_s = None
        if self._last is not None and not self._last.settled:
            self._last.ends_utterance = True
            return None
        return self._take_last_word()

    def _take_last_word(self) -> float | None:
        word_end_s, self._last_word_end_s = self._last_word_end_s, None
        return word_end_s
