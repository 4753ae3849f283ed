"""Words that the gate drops, counted without a transcriber."""

from collections.abc import Mapping

import numpy as np
import pytest

from streamer.model import Dropped, Model
from streamer.onnx.graph import Floats
from tools.bench.short_words import Comparison, Counted, SpokenPiece, in_silence

PIECE = np.full(8_000, 0.5, np.float32)


class Answering(Model):
    """Answers the same to all audio."""

    def __init__(self, text: str, *, gated: bool = False, dropped: bool = False) -> None:
        self.answer: dict[str, object] = Dropped(text="") if dropped else {"text": text}
        self.gated = gated

    def gate(self, samples: Floats) -> Mapping[str, object] | None:
        return {"text": ""} if self.gated else None

    def infer(self, samples: Floats) -> Mapping[str, object]:
        return self.answer


@pytest.mark.parametrize(
    ("gated", "ungated", "right", "lost"),
    [
        (Answering("Oh, yes."), "unused", 2, 0),
        (Answering("Oh."), "unused", 1, 0),
        (Answering("", gated=True), "Oh, yes!", 2, 2),
        (Answering("", dropped=True), "Oh, guess.", 1, 1),
        (Answering("", dropped=True), "Thank you.", 0, 0),
    ],
)
def test_a_word_is_lost_that_is_right_only_without_the_gate(
    gated: Answering, ungated: str, right: int, lost: int
) -> None:
    counted = Counted()
    Comparison(gated, Answering(ungated)).enter(SpokenPiece("oh yes", PIECE), PIECE, counted)
    assert (counted.pieces, counted.right, counted.lost) == (1, right, lost)


def test_pieces_that_no_segment_holds_are_counted_apart() -> None:
    def kinds(text: str, length_s: float) -> list[str]:
        return SpokenPiece(text, np.zeros(round((length_s + 0.06) * 16_000), np.float32)).kinds

    assert kinds("of", 0.1) == ["shorter"]
    assert kinds("of course", 0.5) == ["at least 0.2 s"]
    assert kinds("yes", 0.3) == ["at least 0.2 s", "short answers"]
    assert kinds("it was the best of times", 1.4) == ["six words"]


def test_a_piece_is_quiet_and_between_silence() -> None:
    samples = in_silence(PIECE, -50, 0)
    (loud,) = samples.nonzero()
    assert (loud[0], len(loud), len(samples)) == (7_200, 8_000, 7_200 + 8_000 + 4_000)
    assert samples.max() * 32_768 == round(0.5 * 32_768 * 10**-2.5)
    assert in_silence(PIECE, -50, 7).nonzero()[0][0] == 7_200 + 112
