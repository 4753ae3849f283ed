"""Frames, without input or output: the core of the protocol, and the short way for live audio."""

import logging
from collections.abc import Generator

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from streamer.websocket.signals import TooLargeNotice

try:
    from websockets.speedups import apply_mask
except ImportError:  # websockets was built without its extension
    from websockets.utils import apply_mask

CONTROL = frozenset({Opcode.PING, Opcode.PONG, Opcode.CLOSE})

FIN_TEXT, FIN_BINARY = 0x81, 0x82
"""The first bytes of messages of one frame."""

_MASKED = 0x80
_TWO_BYTES = 126
_MASK_BYTES = 4
_SMALL_HEADER_BYTES = 2 + _MASK_BYTES

_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)  # below, websockets logs what clients send: audio, and tokens


class TooManyFragments(PayloadTooBig):
    """A message in more frames than the limit."""


def too_large_notice(
    problem: PayloadTooBig, max_bytes: int, max_fragments: int, *, configured: bool
) -> TooLargeNotice:
    """The notice about a message that the core has refused.

    Args:
        problem: Why.
        max_bytes: Of a message.
        max_fragments: Of a message.
        configured: Whether `max_bytes` is that of the configuration.
    """
    if isinstance(problem, TooManyFragments):
        limit = f"limits.max_fragments ({max_fragments})"
        return TooLargeNotice(f"the message has more fragments than {limit}")
    size = (problem.size or 0) + (problem.current_size or 0)
    limit = f"limits.max_message_bytes, {max_bytes}" if configured else str(max_bytes)
    return TooLargeNotice(f"the message has {size} bytes; allowed: {limit}")


class Core(ServerProtocol):
    """The sans-I/O core of `websockets`, which here survives a message that is too large.

    Args:
        max_size: Bytes of a message; None = no limit.
        max_fragments: Frames of a message; 0 = no limit.
    """

    def __init__(self, *, max_size: int | None, max_fragments: int = 0) -> None:
        super().__init__(max_size=max_size, logger=_log)
        self._max_fragments = max_fragments
        self._fragments = 0
        """Frames so far of the message that is being received."""
        self.congested = False
        """Whether the client does not read what is written. Of the pings that it sends meanwhile,
        only the latest will be answered (RFC 6455, section 5.5.3), so that pongs do not pile up."""
        self._unanswered_ping: bytes | None = None
        self._between_frames = False
        self.reader.at_eof = self._next_frame  # type: ignore[method-assign]

    @property
    def between_messages(self) -> bool:
        """Whether the next byte begins a message, and the connection is open and without error."""
        return (
            self._between_frames
            and self.current_size is None
            and self.state is State.OPEN
            and self.parser_exc is None
        )

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Fail the connection; after a message that is too large, only discard what follows.

        RFC 6455, section 7.1.7, requires that nothing from the client is processed any more. It
        permits that the server goes on sending before it closes.
        """
        if code == CloseCode.MESSAGE_TOO_BIG and self.state is State.OPEN:
            self.parser = self._discard_all()
            next(self.parser)
        else:
            super().fail(code, reason)

    def recv_frame(self, frame: Frame) -> None:
        """Process a frame."""
        if frame.opcode is Opcode.CLOSE:
            # RFC 6455, section 5.4: control frames may be in the middle of a fragmented message,
            # and a close frame is one. websockets answers with a protocol error.
            self.current_size = None
        elif frame.opcode is Opcode.PING and self.congested:
            self._unanswered_ping = bytes(frame.data)
            self.events.append(frame)
            return
        elif frame.opcode not in CONTROL:
            self._fragments = 1 + (self._fragments if frame.opcode is Opcode.CONT else 0)
            if 0 < self._max_fragments < self._fragments:
                raise TooManyFragments(None, 0)
        super().recv_frame(frame)

    def answer_ping(self) -> None:
        """Make the pong for the latest ping, if it came during congestion."""
        if self._unanswered_ping is not None:
            self.send_frame(Frame(Opcode.PONG, self._unanswered_ping))
            self._unanswered_ping = None

    def _next_frame(self) -> Generator[None, None, bool]:
        """The parser waits here for a frame to begin, and for nothing else."""
        self._between_frames = True
        ended = yield from StreamReader.at_eof(self.reader)
        self._between_frames = False
        return ended

    def _discard_all(self) -> Generator[None]:
        while not (yield from self.reader.at_eof()):
            self.reader.discard()
        self.state = State.CLOSED
        yield


def unmask_single_binary_frame(data: bytes) -> bytes | None:
    """The content of a client's binary message, if `data` is one whole frame and nothing else.

    Live audio arrives like this, and the parser takes ten times as long. RFC 6455, section 5.2:
    FIN and the opcode; the mask bit and the length, of which 126 announces two more bytes of
    length; the mask; the content. Messages of 65 536 bytes and more are left to the parser.
    """
    if len(data) < 2 or data[0] != FIN_BINARY:
        return None
    begin, size = 2, data[1] - _MASKED
    if size == _TWO_BYTES:
        begin, size = 4, int.from_bytes(data[2:4])
    elif not 0 <= size < _TWO_BYTES:
        return None
    masked = begin + _MASK_BYTES
    if len(data) != masked + size:
        return None
    return apply_mask(data[masked:], data[begin:masked])


def small_frames(data: bytes, most: int) -> tuple[list[bytes], int]:
    """The contents of the small messages that `data` begins with, and where the last one ends.

    Only of messages of one frame of less than 126 bytes that are here as a whole, in the same way
    as `unmask_single_binary_frame`: of text, or of binary ones, as the first is. What follows them
    needs the parser.

    Args:
        data: What a client has sent, from the beginning of a frame.
        most: Messages, at most.
    """
    messages: list[bytes] = []
    end, begins = 0, data[0]
    if begins not in (FIN_TEXT, FIN_BINARY):
        return messages, 0
    while len(messages) < most and len(data) - end >= _SMALL_HEADER_BYTES and data[end] == begins:
        size, masked = data[end + 1] - _MASKED, end + _SMALL_HEADER_BYTES
        if not 0 <= size < _TWO_BYTES or masked + size > len(data):
            break
        messages.append(apply_mask(data[masked : masked + size], data[end + 2 : masked]))
        end = masked + size
    return messages, end


def small_frame_begins(data: bytearray) -> bool:
    """Whether this is the beginning of a message as `small_frames` takes it, and not all of it."""
    if data[:1] not in (bytes([FIN_TEXT]), bytes([FIN_BINARY])):
        return False
    if len(data) < 2:
        return True
    size = data[1] - _MASKED
    return 0 <= size < _TWO_BYTES and len(data) < _SMALL_HEADER_BYTES + size
