"""A word of a transcript with its times, as models return it."""

from typing import Annotated

import msgspec
from msgspec import Meta


class TimedWord(msgspec.Struct, frozen=True):
    """An entry of `words` in a model's output; see `Model.infer_request`.

    Attributes:
        text: With the punctuation that follows it, as in the text.
        start_time: In seconds from the first sample that the model was given.
        end_time: In the same way; at least `start_time`.
        confidence: 0 to 1.
    """

    text: str
    start_time: float
    end_time: float
    confidence: Annotated[float, Meta(ge=0, le=1)]
