"""Drafts: what a model found for a segment so far, which its next inference may verify.

A draft saves time and changes no result, so it does not matter which of them an inference gets, or
whether it gets one. The server keeps the newest with the open segment, and a worker keeps none.
"""

from collections.abc import Mapping

from streamer.inference import ipc
from streamer.model import Unwanted

FIELD = "draft"
"""Of the output of a model that uses drafts; it is not sent to clients."""

MAX_BYTES = 1 << 16
"""Moonshine's longest has 1 kB."""


class SegmentDraft:
    """The newest draft of one segment.

    Attributes:
        content: What the model returned; empty = nothing yet.
    """

    __slots__ = ("__weakref__", "_samples", "content")

    def __init__(self) -> None:
        self.content = b""
        self._samples = 0

    def offer(self, content: bytes, samples: int) -> None:
        """Keep a draft, unless there is one of more audio already.

        Args:
            content: The draft; empty = none.
            samples: Length of the audio that it is of.
        """
        if content and samples >= self._samples:
            self.content, self._samples = content, samples


def abandoned(stopped: Unwanted, segments: int) -> list[ipc.ItemOutcome]:
    """The outcomes of a batch that its model has stopped, with the draft of one that was alone."""
    alone = segments == 1 and isinstance(stopped.draft, bytes)
    draft = stopped.draft[:MAX_BYTES] if alone else b""
    return [ipc.Abandoned(draft) for _ in range(segments)]


def taken(output: object, method: str) -> tuple[object, bytes]:
    """A model's output without its draft, and the draft; empty = it has none.

    Args:
        output: What it returned.
        method: Which of its methods did, for the message.

    Raises:
        TypeError, ValueError: It is no draft.
    """
    if not isinstance(output, Mapping) or FIELD not in output:
        return output, b""
    draft: object = output[FIELD]
    if not isinstance(draft, bytes):
        raise TypeError(
            f"{method} returned {type(draft).__name__} in '{FIELD}'; allowed: bytes, because "
            "uses_drafts is True"
        )
    if len(draft) > MAX_BYTES:
        raise ValueError(
            f"{method} returned {len(draft)} bytes in '{FIELD}'; allowed: at most {MAX_BYTES}"
        )
    return {name: value for name, value in output.items() if name != FIELD}, draft
