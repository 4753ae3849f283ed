"""What a model is, and how one is found by its configured type.

Writing your own takes a class with one method; see `docs/your-own-model.md`.
"""

import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BUILT_IN: Mapping[str, str] = {
    "moonshine": "streamer.models.moonshine.model:Moonshine",
    "standin": "streamer.models.standin:StandIn",
    "frames": "streamer.models.frames:SpeechFrames",
    "classifier": "streamer.models.classifier.model:Classifier",
}


class Unwanted(BaseException):
    """Nobody waits for the result any more: what a model may raise when it has been told.

    No `Exception`, so that what catches those does not take it for a failure.
    """


def _never() -> bool:
    return False


class Model(ABC):
    """A CPU-bound model. Each worker process makes one and calls it for one segment at a time.

    The constructor loads the weights; it gets the configured `options` as keyword arguments, and
    `folder` too when a `path` is configured.
    """

    sample_rate: int = 16_000
    """Rate in Hz of the audio that `infer` wants; streams are resampled to it."""

    max_seconds: float | None = None
    """The longest audio that `infer` takes, where that is bounded; a request for more is refused.
    A stream's segments are at most 60 s long."""

    unwanted: Callable[[], bool] = staticmethod(_never)
    """Says whether nobody waits any more for what is being inferred: speech went on after a pause,
    or the client has gone. A model that works in steps can ask between them, which takes a few
    microseconds, and raise `Unwanted`. The worker process sets it."""

    @abstractmethod
    def infer(self, samples: "npt.NDArray[np.float32]") -> Mapping[str, object]:
        """Observe one segment.

        Args:
            samples: float32 [n], mono, nominally -1 to 1, at `sample_rate`. Valid only during the
                call: copy what you keep.

        Returns:
            JSON-able fields, merged into the `segment` event. numpy numbers and arrays will do.
        """

    max_batch_size: int = 1
    """Segments that `infer_batch` may be given at once. More than one pays where an inference of
    many costs less than as many inferences, as with small models of fixed input size."""

    max_batch_wait_ms: float = 0.0
    """How long a segment may wait for company, in milliseconds."""

    def infer_batch(
        self, batch: "Sequence[npt.NDArray[np.float32]]"
    ) -> Sequence[Mapping[str, object]]:
        """Observe several segments, of any sessions; one result for each, in order.

        When it raises, each segment is tried alone, so that only a bad one fails.
        """
        return [self.infer(samples) for samples in batch]

    def warm_up(self) -> None:
        """Run once before the worker takes jobs, so that the first of them is not slow."""
        import numpy as np

        self.infer(np.zeros(self.sample_rate, dtype=np.float32))


class StatefulModel(Model):
    """A model whose results depend on what it heard before on the same channel.

    A channel's segments run strictly in order, each with the state that the last one returned,
    in whichever worker is free. The state is pickled on its way, so keep it small.
    """

    @abstractmethod
    def infer_next(
        self,
        samples: "npt.NDArray[np.float32]",
        state: Any,  # noqa: ANN401 – the model's own affair
    ) -> tuple[Mapping[str, object], Any]:
        """Observe the next segment of a channel.

        Args:
            samples: As for `infer`.
            state: What the last call for this channel returned; None at the start of a stream.

        Returns:
            The fields of the event, and the state for the next call.
        """

    def infer(self, samples: "npt.NDArray[np.float32]") -> Mapping[str, object]:
        """Observe a segment as if it were the first."""
        output, _ = self.infer_next(samples, None)
        return output


class ModelSpec(msgspec.Struct, frozen=True):
    """Everything a worker process needs to make the model.

    Attributes:
        type: A built-in name or `package.module:Class`.
        name: What clients call it.
        folder: Where its files are, if it has any.
        options: Keyword arguments of its constructor.
        search_path: Folders to import it from, besides the installed packages.
    """

    type: str
    name: str
    folder: str | None = None
    options: dict[str, object] = {}
    search_path: tuple[str, ...] = ()


class ModelTypeError(ValueError):
    """The configured type does not lead to a model class; the message says why in one line."""


def make_model(spec: ModelSpec) -> Model:
    """Import the class and load the model.

    Raises:
        ModelTypeError: The type is not a built-in and not the path of a `Model` class, or its
            model wants what no model can have.
        Exception: Whatever the model's own constructor raises.
    """
    path = BUILT_IN.get(spec.type, spec.type)
    module_name, colon, class_name = path.partition(":")
    if not colon:
        raise ModelTypeError(
            f"model.type is {spec.type!r}; allowed: one of {', '.join(BUILT_IN)}, or the path of "
            "your own class, package.module:Class"
        )
    sys.path[:0] = [folder for folder in spec.search_path if folder not in sys.path]
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelTypeError(f"cannot import model.type {spec.type!r}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise ModelTypeError(f"model.type {spec.type!r} is not a subclass of streamer.Model")
    files = {"folder": Path(spec.folder)} if spec.folder else {}
    model = found(**files, **spec.options)
    for name, allowed, fits in _WANTS:
        value = getattr(model, name)
        if not fits(value):
            raise ModelTypeError(
                f"{name} of model.type {spec.type!r} is {value!r}; allowed: {allowed}"
            )
    return model


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < float("inf")


_WANTS: tuple[tuple[str, str, Callable[[object], bool]], ...] = (
    ("sample_rate", "a whole number of Hz", _is_count),
    ("max_batch_size", "a whole number from 1", _is_count),
    ("max_batch_wait_ms", "a number from 0", _is_number),
    ("max_seconds", "a number above 0, or None", lambda v: v is None or (_is_number(v) and v != 0)),
)
"""What a model says of itself: the attribute, what it may be in words, and whether it is."""
