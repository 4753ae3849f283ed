"""Text that only grows, made of interims that replace each other. Pure.

A word is sent once two successive interims agree on it and on all words before it, as in
https://aclanthology.org/2023.ijcnlp-demo.3 (LocalAgreement-2). The last word of the newer interim
is not sent yet: the audio may end in the middle of it, and the model ends each text like a
sentence. The final result adds the rest.

Joined, the deltas are the final text, unless two interims agreed on words that the final has not:
those were sent and stay. What follows them in the final is then still added.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

_WORD = re.compile(r"\s*\S+")


class GrowingText:
    """The text of one segment that a client has so far.

    Attributes:
        sent: Words that were sent, each with the space before it.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._last: list[str] = []
        """Of the last interim."""

    def interim(self, text: str) -> str:
        """What an interim adds; "" for nothing."""
        words = _words(text)
        agreed = common_prefix(self._last, words)
        self._last = words
        return self._add(agreed[: len(words) - 1], whole=False)

    def final(self, text: str) -> str:
        """What the final text adds."""
        return self._add(_words(text), whole=True)

    def _add(self, words: Sequence[str], *, whole: bool) -> str:
        done = len(self.sent)
        if words[:done] != self.sent:
            if not whole:
                return ""
            done = best_prefix(self.sent, words)
        added = words[done:]
        self.sent += added
        return "".join(added)


def common_prefix(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """The words with which both begin."""
    common: list[str] = []
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        common.append(mine)
    return common


def best_prefix(sent: Sequence[str], words: Sequence[str]) -> int:
    """The number of first words of a text of which what was sent is most likely a version.

    The prefix with the smallest edit distance to it; of several, the one closest in length.
    """
    row = [*range(len(words) + 1)]
    for before, word in enumerate(sent):
        costs = [before + 1]
        for (kept, skipped), other in zip(pairwise(row), words, strict=True):
            costs.append(min(kept + (word != other), skipped + 1, costs[-1] + 1))
        row = costs
    return min(range(len(row)), key=lambda size: (row[size], abs(size - len(sent))))


def _words(text: str) -> list[str]:
    """The words of a text, each with the space before it; joined, they are the text, stripped."""
    return _WORD.findall(text.strip())
