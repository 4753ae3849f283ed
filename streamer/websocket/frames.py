"""The core of the WebSocket protocol, without input or output: what a frame may be."""

from collections.abc import Generator

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader
from websockets.typing import LoggerLike

try:
    from websockets.speedups import apply_mask
except ImportError:  # websockets was built without its extension
    from websockets.utils import apply_mask

CONTROL = frozenset({Opcode.PING, Opcode.PONG, Opcode.CLOSE})

_FIN_BINARY, _MASKED = 0x82, 0x80
_TWO_BYTES = 126
_MASK_BYTES = 4


class TooManyFragments(PayloadTooBig):
    """A message in more frames than there may be."""


class Core(ServerProtocol):
    """The protocol's core, which does not give up a connection over a message's size."""

    max_fragments = 0
    fragments = 0
    """Of the message that is being received."""
    _between_frames = False

    def __init__(self, *, max_size: int | None, logger: LoggerLike) -> None:
        super().__init__(max_size=max_size, logger=logger)
        self.reader.at_eof = self._next_frame  # type: ignore[method-assign]

    @property
    def between_messages(self) -> bool:
        """Whether the next byte begins a message, and nothing has gone wrong or come to an end."""
        return (
            self._between_frames
            and self.current_size is None
            and self.state is State.OPEN
            and self.parser_exc is None
        )

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Fail the connection; after a message that is too large, only stop listening."""
        if code == CloseCode.MESSAGE_TOO_BIG and self.state is State.OPEN:
            self.parser = self._ignoring()
            next(self.parser)
        else:
            super().fail(code, reason)

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame; a client may also close in the middle of a fragmented message."""
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        elif frame.opcode not in CONTROL:
            self.fragments = 1 + (self.fragments if frame.opcode is Opcode.CONT else 0)
            if 0 < self.max_fragments < self.fragments:
                raise TooManyFragments(None, 0)
        super().recv_frame(frame)

    def _next_frame(self) -> Generator[None, None, bool]:
        """The parser waits here for a frame to begin, and for nothing else."""
        self._between_frames = True
        ended = yield from StreamReader.at_eof(self.reader)
        self._between_frames = False
        return ended

    def _ignoring(self) -> Generator[None]:
        while not (yield from self.reader.at_eof()):
            self.reader.discard()
        self.state = State.CLOSED
        yield


def whole_message(data: bytes) -> bytes | None:
    """The content of a client's binary message, if `data` is that, in one frame, and nothing else.

    Live audio comes like this, and the parser takes ten times as long. RFC 6455, section 5.2: FIN
    and the opcode, the mask bit and the length, of which 126 says that it is in two bytes more.
    Longer messages are left to the parser.
    """
    if len(data) < 2 or data[0] != _FIN_BINARY:
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
