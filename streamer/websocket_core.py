"""The core of the WebSocket protocol, without input or output: what a frame may be."""

from collections.abc import Generator

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

CONTROL = frozenset({Opcode.PING, Opcode.PONG, Opcode.CLOSE})


class TooManyFragments(PayloadTooBig):
    """A message in more frames than there may be."""


class Core(ServerProtocol):
    """The protocol's core, which does not give up a connection over a message's size."""

    max_fragments = 0
    fragments = 0
    """Of the message that is being received."""

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

    def _ignoring(self) -> Generator[None]:
        while not (yield from self.reader.at_eof()):
            self.reader.discard()
        self.state = State.CLOSED
        yield
