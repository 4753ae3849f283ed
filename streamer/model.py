"""What a model is: the classes that you subclass to serve your own.

Writing one takes a class with one method; see `docs/your-own-model.md`. `streamer.models.registry`
finds a model's class by its configured type.

May import: nothing of streamer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Unwanted(BaseException):
    """The result is not needed any more. A model may raise this when `Model.unwanted` is true.

    Not an `Exception`: code that catches those must not take it for a failure.

    Args:
        draft: Of what was found so far, for the next inference of the segment, as
            `SegmentRequest.draft`. Empty = none.
    """

    def __init__(self, draft: bytes = b"") -> None:
        super().__init__()
        self.draft = draft


class Dropped(dict[str, object]):
    """The fields of a segment in which the model found only what is not there.

    `infer` and `infer_request` may return it instead of a dictionary, when the model can decide
    only after inference what `Model.gate` decides before it. The segment is reported as dropped.
    """


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SegmentRequest:
    """What is requested of one segment, beside what `infer` returns.

    Attributes:
        words: Whether the words are requested, each with its times and its confidence.
        key_terms: Phrases that are likelier than usual; an interim has none.
        interim: Whether the segment still grows, so that an approximate result will do.
        speech_start_s: Seconds into the samples at which the detector found speech; 0 without one.
        draft: What the model returned as `draft` for the same segment, when it was shorter. Empty =
            there is none. The result must be the same with and without it, and with any bytes.
    """

    words: bool = False
    key_terms: tuple[str, ...] = ()
    interim: bool = False
    speech_start_s: float = 0.0
    draft: bytes = b""


class Model(ABC):
    """A CPU-bound model. Each worker process makes one and calls it for one segment at a time.

    The constructor loads the weights. It gets the configured `options` as keyword arguments, and
    `folder` too when a `path` is configured.
    """

    sample_rate: int = 16_000
    """Hz. The rate of the audio that `infer` gets; streams are resampled to it."""

    max_seconds: float | None = None
    """Seconds. The longest audio that `infer` takes; a request for longer audio is refused.
    None = no limit. A stream's segments are at most 60 s long."""

    unwanted: Callable[[], bool] = staticmethod(_never)
    """Returns whether the result of the running inference is not needed any more: speech resumed
    after a pause, the segment of an interim ended, a newer interim is there, or the client has
    disconnected. A model that works in steps can call it between them, which takes a few
    microseconds, and raise `Unwanted`. The worker process sets it."""

    @abstractmethod
    def infer(self, samples: "npt.NDArray[np.float32]") -> Mapping[str, object]:
        """Observe one segment.

        Args:
            samples: float32 [n], mono, nominally -1 to 1, at `sample_rate`. Valid only during the
                call: copy what you keep.

        Returns:
            Fields, merged into the `segment` event: text, numbers, True, False, None, and lists,
            tuples and mappings of them. numpy numbers and arrays are allowed, too. NaN becomes
            None. Anything else, such as a set or bytes, fails the segment.
        """

    languages: tuple[str, ...] = ()
    """Codes of ISO 639-1: the languages that a transcriber writes. Empty = not known."""

    returns_words: bool = False
    """Whether `infer_request` returns words when they are requested. Without it, a client that asks
    for words gets a warning."""

    uses_key_terms: bool = False
    """Whether `infer_request` makes use of key terms. Without it, a client that gives some gets a
    warning."""

    uses_drafts: bool = False
    """Whether `infer_request` returns a `draft` among its fields, which the server keeps and sends
    to no client, and whether it saves time with that of an earlier result of the segment."""

    def infer_request(
        self, samples: "npt.NDArray[np.float32]", request: SegmentRequest
    ) -> Mapping[str, object]:
        """Observe one segment in the way that a client asked for.

        A model that overrides this gets its segments one after another, and `infer_batch` is not
        called.

        Args:
            samples: As for `infer`.
            request: What is requested.

        Returns:
            The fields of the event, as those of `infer`. If words are requested and
            `returns_words` is true, `words` is among them: a list of `{"text", "start_time",
            "end_time", "confidence"}` in order, with times in seconds from the first sample, and
            confidence from 0 to 1. If `uses_drafts` is true, `draft` may be among them: up to 65536
            bytes for the next inference of this segment, by this model or by the other of a pair.
        """
        return self.infer(samples)

    def gate(self, samples: "npt.NDArray[np.float32]") -> Mapping[str, object] | None:
        """Answer a segment that holds nothing for this model, without inference.

        The worker calls it before `infer`, `infer_batch` or `infer_next`. A transcriber answers
        `{"text": ""}` for audio without speech, because networks that were trained on speech invent
        words for silence. Such a segment is reported as dropped, and leaves a channel's state as it
        was. It must be much cheaper than inference.

        Args:
            samples: As for `infer`.

        Returns:
            The fields of the event, as those of `infer`. None = infer; the default for all audio.
        """
        return None

    max_batch_size: int = 1
    """Segments. The most that `infer_batch` is given at once. Set it above 1 where one call with
    many segments costs less than many calls, as with small models of fixed input size."""

    max_batch_wait_ms: float = 0.0
    """Milliseconds. A segment waits at most this long for others to join its batch."""

    def infer_batch(
        self, batch: "Sequence[npt.NDArray[np.float32]]"
    ) -> Sequence[Mapping[str, object]]:
        """Observe several segments, of any sessions; one result for each, in order.

        When it raises, each segment is tried alone, so that only a bad one fails.
        """
        return [self.infer(samples) for samples in batch]

    def warm_up(self) -> None:
        """Run once before the worker takes jobs, so that the first of them is not slow.

        The worker runs a model that does not override this as it does for a segment, and checks
        what it returns.
        """
        import numpy as np

        silence = np.zeros(self.sample_rate, dtype=np.float32)
        silence.flags.writeable = False  # as the samples of a segment are
        self.infer(silence)


class StatefulModel(Model):
    """A model whose results depend on the earlier segments of the same channel.

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
