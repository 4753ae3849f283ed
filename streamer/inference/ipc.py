"""Messages between the server and its worker processes, and their framing.

Each message is msgpack after its length (4 bytes, little-endian) on a private socket pair. Audio
is not in the messages: it lies in the worker's shared-memory slot.
"""

import struct
from typing import Any, Literal

import msgspec

from streamer.model import SegmentRequest

LENGTH = struct.Struct("<I")


DEFAULT_REQUEST = SegmentRequest()
"""For a whole segment of which nothing but the usual output is requested."""


class BatchItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One segment of a batch.

    Attributes:
        samples: Its length.
        state: Of its channel, pickled.
        request: What is requested of it.
    """

    samples: int
    state: bytes | None = None
    request: SegmentRequest = DEFAULT_REQUEST


class Batch(msgspec.Struct, frozen=True, tag="batch"):
    """Infer these segments.

    Attributes:
        items: One for each segment.
        inline: The samples of all segments, float32, when the slot is too small; None when they
            lie in the slot, one segment after another.
    """

    items: list[BatchItem]
    inline: bytes | None = None


class Abandon(msgspec.Struct, frozen=True, tag="abandon"):
    """The results of the last batch are not needed any more."""


RemoteState = Literal["connecting", "loading", "waiting", "unavailable"]
"""Of a worker that runs the model on another machine and has none yet. `waiting`: for a machine
with room. `unavailable`: it cannot be had, and is looked for again."""


class NotYet(msgspec.Struct, frozen=True, tag="not_yet"):
    """A remote worker has no model yet, which is not the model's fault.

    Attributes:
        state: What it does.
        reason: Why it has none.
        in_vain: Whether it waits for what cannot come unless it is added to the cluster.
    """

    state: RemoteState
    reason: str
    in_vain: bool = False


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded and warm; these are its properties.

    `source` is the file of its class. None = it is built in. `drafts_off` means that models of its
    class use drafts, and this one does not. `node` is the machine that runs the model, and `pid`
    the process there. Empty and 0 = this machine, the worker process itself.
    """

    sample_rate: int
    max_batch_size: int
    max_batch_wait_ms: float
    stateful: bool
    max_seconds: float | None = None
    words: bool = False
    key_terms: bool = False
    drafts: bool = False
    drafts_off: bool = False
    source: str | None = None
    languages: tuple[str, ...] = ()
    node: str = ""
    pid: int = 0


class LoadFailed(msgspec.Struct, frozen=True, tag="load_failed"):
    """The model cannot be loaded."""

    reason: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The model's output for a segment.

    Attributes:
        output: The model's fields.
        seconds: Inference time.
        state: The channel's next state, pickled.
        dropped: Whether the model found nothing in the segment: `Model.gate` gave the output,
            before inference, or the model returned `Dropped` after it.
        draft: For the next inference of the segment; empty = none.
    """

    output: dict[str, Any]
    seconds: float
    state: bytes | None = None
    dropped: bool = False
    draft: bytes = b""


class Raised(msgspec.Struct, frozen=True, tag="raised"):
    """The model raised on a segment: why, after how many seconds, where in its code."""

    reason: str
    seconds: float
    where: str = ""


class Abandoned(msgspec.Struct, frozen=True, tag="abandoned"):
    """The model has stopped half-way, because the result was not needed any more.

    Attributes:
        draft: For the next inference of the segment; empty = none.
    """

    draft: bytes = b""


ItemOutcome = Done | Raised | Abandoned


class BatchOutcome(msgspec.Struct, frozen=True, tag="batch_outcome"):
    """What became of each segment of a batch, and what the batch cost.

    Attributes:
        outcomes: One for each segment.
        begun_s: When the batch began, on the machine's monotonic clock, which all processes share.
        ended_s: When it ended, on the same clock.
        cpu_s: CPU time of the process, of all its threads.
        peak_memory_bytes: The most that the process has held since it started.
        split: When the batch failed and each segment was run alone: why it failed.
    """

    outcomes: list[ItemOutcome]
    begun_s: float
    ended_s: float
    cpu_s: float
    peak_memory_bytes: int
    split: str | None = None


class Lost(msgspec.Struct, frozen=True, tag="lost"):
    """The remote process that ran the last batch is lost; no message follows this one.

    Attributes:
        reason: How it was lost.
        by_model: Whether the model may have ended it; if not, its machine or the network has.
    """

    reason: str
    by_model: bool


WorkerMessage = Batch | Abandon | NotYet | Ready | LoadFailed | BatchOutcome | Lost


_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[WorkerMessage] = msgspec.msgpack.Decoder(WorkerMessage)


def problem_of(request: SegmentRequest) -> str | None:
    """Why no message can hold a request; None when one can."""
    try:
        _encoder.encode(request)
    except (TypeError, ValueError, OverflowError) as error:
        return f"the request cannot be sent to a worker: {error}"
    return None


def encode_message(message: WorkerMessage) -> bytes:
    """The message as one frame."""
    body = _encoder.encode(message)
    return LENGTH.pack(len(body)) + body


class WorkerMessageReader:
    """Cuts a byte stream into messages, in whatever pieces it arrives."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[WorkerMessage]:
        """Take bytes; returns the messages that they complete."""
        self._buffer += data
        messages = []
        while len(self._buffer) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                break
            messages.append(_decoder.decode(bytes(self._buffer[LENGTH.size : end])))
            del self._buffer[:end]
        return messages
