"""What the decoder returned for a token, and for all tokens of a pass: what the searches share."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.onnx.graph import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """A run of the network.

    Attributes:
        tokens: What it was given.
        position: Of the first of them.
        logits: Float32 [tokens, vocabulary]: for each of them, the scores of the one that follows.
        caches: Keys and values of all tokens up to the last one, [1, heads, tokens, size] each.
        queries: Of the layers whose queries are requested, float32 [1, tokens, width] each.
    """

    tokens: Sequence[int]
    position: int
    logits: Floats
    caches: Sequence[Floats]
    queries: Sequence[Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A token of a pass. Steps of several searches may share what is before them."""

    outputs: Pass
    row: int

    @property
    def logits(self) -> Floats:
        """Float32 [vocabulary]: the scores of the token that follows."""
        logits: Floats = self.outputs.logits[self.row]
        return logits

    @property
    def queries(self) -> Sequence[Floats]:
        """Of the layers whose queries are requested, float32 [1, 1, width] each."""
        return [each[:, self.row : self.row + 1] for each in self.outputs.queries]

    @property
    def position(self) -> int:
        """Of the token, from 0; -1 before the first."""
        return self.outputs.position + self.row

    @property
    def caches(self) -> Sequence[Floats]:
        """Keys and values of all tokens so far; the network gets them for the next one."""
        return [each[:, :, : self.position + 1] for each in self.outputs.caches]

    def known(self, token: int) -> "Step | None":
        """The step of the token that follows, if the same pass had it; None = it had not."""
        tokens, after = self.outputs.tokens, self.row + 1
        return Step(self.outputs, after) if tokens[after : after + 1] == [token] else None
