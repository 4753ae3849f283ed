"""What the words of a model are worth: their times, and how well confidence finds wrong ones.

For times, the words are compared that the model has right. For certainty, a word counts as wrong if
it is substituted or inserted. The area under the curve (AUC) is the probability that a wrong word
has less confidence than a right one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jiwer
import numpy as np

from tools.bench.reference import words

WITHIN_MS = (50, 100, 200)
MARKED_BELOW = (0.3, 0.5, 0.7, 0.9)


class Aligned(NamedTuple):
    """A word of the transcript, and where the aligner has it, in seconds."""

    word: str
    start_s: float
    end_s: float


@dataclass
class Found:
    """The words of some transcripts.

    Attributes:
        starts_ms: Of each word that both have: how much later than the aligner's it starts.
        ends_ms: How much later it ends.
        confidences: Of every word.
        wrong: Whether it is.
    """

    starts_ms: list[float] = field(default_factory=list)
    ends_ms: list[float] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)

    def add(
        self, output: Sequence[Mapping[str, Any]], truth: Sequence[Aligned], transcript: str
    ) -> None:
        """Enter the words of an output; without truth, they count for certainty only."""
        pieces, owners = list[str](), list[int]()
        for number, word in enumerate(output):
            for piece in words(word["text"]).split():  # "well-known" is two
                pieces.append(piece)
                owners.append(number)
        (alignment,) = jiwer.process_words(words(transcript), " ".join(pieces)).alignments
        wrong: set[int] = set()
        for chunk in alignment:
            places = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
            if chunk.type != "equal":
                wrong.update(owners[at] for at in places)
                continue
            spoken = range(chunk.ref_start_idx, chunk.ref_end_idx)
            for reference, at in zip(spoken, places, strict=True):
                if truth and owners.count(owners[at]) == 1:
                    word, expected = output[owners[at]], truth[reference]
                    self.starts_ms.append(1000 * (word["start_time"] - expected.start_s))
                    self.ends_ms.append(1000 * (word["end_time"] - expected.end_s))
        for number in sorted(set(owners)):
            self.confidences.append(output[number]["confidence"])
            self.wrong.append(number in wrong)


def area_under_curve(confidences: Sequence[float], wrong: Sequence[bool]) -> float | None:
    """How often a wrong word has less confidence than a right one; ties count half."""
    values, is_wrong = np.array(confidences), np.array(wrong, dtype=bool)
    if is_wrong.all() or not is_wrong.any():
        return None
    pairs = values[~is_wrong][:, None] - values[is_wrong][None]
    return round(float((pairs > 0).mean() + (pairs == 0).mean() / 2), 4)


def times_of(errors_ms: Sequence[float]) -> dict[str, float]:
    """How far one edge of the words is from the aligner's."""
    far = np.abs(errors_ms)
    return {
        **{f"within {limit} ms, %": 100 * float((far <= limit).mean()) for limit in WITHIN_MS},
        "mean error, ms": float(far.mean()),
    }


def marked(found: Found, limit: float) -> dict[str, float | None]:
    """What is found by marking the words below a confidence."""
    confidences, wrong = np.array(found.confidences), np.array(found.wrong)
    below = confidences < limit
    return {
        "words marked, %": _percent(below),
        "of these wrong, %": _percent(wrong[below]),
        "of the wrong ones marked, %": _percent(below[wrong]),
    }


def marking_curve(found: Found, steps: int = 100) -> list[tuple[float, float]]:
    """Shares in percent of the words marked and of the errors found, for rising limits."""
    order = np.argsort(found.confidences, kind="stable")
    errors = np.cumsum(np.array(found.wrong, dtype=float)[order])
    at = np.unique(np.linspace(0, len(order), steps + 1).round().astype(int))
    shares = np.concatenate(([0.0], errors / max(errors[-1], 1)))[at]
    return [
        (round(100 * float(n) / len(order), 2), round(100 * float(share), 2))
        for n, share in zip(at, shares, strict=True)
    ]


def _percent(flags: "np.ndarray[Any, np.dtype[np.bool_]]") -> float | None:
    return round(100 * float(flags.mean()), 1) if len(flags) else None
