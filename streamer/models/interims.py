"""Two models in one worker: one for finals, and one for interims, which may be approximate."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from streamer.model import Model, SegmentRequest, StatefulModel

if TYPE_CHECKING:
    from streamer.onnx.graph import Floats


class UnfitPair(ValueError):
    """The second model cannot make interims for the first; the message says why."""


class ModelWithInterims(Model):
    """Answers interims with the second model, all else with the first, whose properties it has.

    A segment that is whole unless speech resumes is a final. Of a batch, each model gets the
    segments that are its own; the worker divides it.

    Args:
        finals: For finals; its gate decides for both.
        interims: For interims.

    Raises:
        UnfitPair: The two do not fit together.
    """

    def __init__(self, finals: Model, interims: Model) -> None:
        if isinstance(finals, StatefulModel) or isinstance(interims, StatefulModel):
            raise UnfitPair("a model with a state has no interims by another")
        if finals.sample_rate != interims.sample_rate:
            raise UnfitPair(
                f"its sample_rate is {interims.sample_rate} Hz; allowed: {finals.sample_rate} Hz, "
                "that of the model for finals"
            )
        self._finals = finals
        self._interims = interims
        self.sample_rate = finals.sample_rate
        self.max_seconds = finals.max_seconds  # of recordings, which have no interims
        self.max_batch_size = min(finals.max_batch_size, interims.max_batch_size)
        self.max_batch_wait_ms = min(finals.max_batch_wait_ms, interims.max_batch_wait_ms)
        self.languages = finals.languages
        self.returns_words = finals.returns_words
        self.uses_key_terms = finals.uses_key_terms
        self.uses_drafts = finals.uses_drafts or interims.uses_drafts
        # The worker sets `unwanted` later, and each model asks whatever is set then.
        finals.unwanted = interims.unwanted = self._is_unwanted

    def infer(self, samples: "Floats") -> Mapping[str, object]:
        """Observe float32 [n] as a final."""
        return self._finals.infer(samples)

    def infer_request(self, samples: "Floats", request: SegmentRequest) -> Mapping[str, object]:
        """Observe float32 [n] with the model that the request is for."""
        return self.both[request.interim].infer_request(samples, request)

    @property
    def both(self) -> tuple[Model, Model]:
        """The model for finals, and the one for interims."""
        return self._finals, self._interims

    def gate(self, samples: "Floats") -> Mapping[str, object] | None:
        """As the gate of the model for finals."""
        return self._finals.gate(samples)

    def warm_up(self) -> None:
        """Warm both up."""
        self._finals.warm_up()
        self._interims.warm_up()

    def _is_unwanted(self) -> bool:
        return self.unwanted()
