"""Frames become messages, which wait in order until the application takes them."""

from collections import deque
from collections.abc import Callable

from websockets.frames import Frame, Opcode

from streamer.memory import LightEvent
from streamer.websocket.asgi import Message
from streamer.websocket.signals import NOTICE, DirectReceiver, Notice


class MessageQueue:
    """The messages of one connection.

    `end` adds the last one. What arrives later is discarded, and `receive` returns the last
    message again each time it is called.
    """

    def __init__(self) -> None:
        self.on_taken: Callable[[], None] = lambda: None
        """Called when `taken` becomes true."""
        self.receiver: DirectReceiver | None = None
        """Set by the application; takes binary messages as they arrive."""
        self.joined = False
        """Set by the application: `receiver` takes several messages as one."""
        self._items: deque[Message] = deque()
        self._filled = LightEvent()
        self._fragments: list[bytes] = []
        self._is_text = False
        self._receiver_idle = False
        """Whether the application waits in `receive`, so that it has processed all messages."""
        self._disconnect: Message | None = None

    @property
    def taken(self) -> bool:
        """Whether the application has taken all messages, or none are added any more."""
        return self._disconnect is not None or not self._items

    @property
    def ended(self) -> bool:
        """Whether the last message was added."""
        return self._disconnect is not None

    def connect(self) -> None:
        """Add the first message."""
        self._put({"type": "websocket.connect"})

    def add_frame(self, frame: Frame, *, direct: bool) -> None:
        """Add a data frame.

        Args:
            frame: Text, binary or continuation, in the order that the core has checked.
            direct: Whether a binary message may be passed to `receiver`.

        Raises:
            UnicodeDecodeError: The message is text, and not UTF-8.
        """
        if self._disconnect is not None:
            return
        if frame.opcode is not Opcode.CONT:  # RFC 6455, section 5.4: only the first has a type
            self._is_text = frame.opcode is Opcode.TEXT
        data = bytes(frame.data)
        if not frame.fin:
            self._fragments.append(data)
            return
        if self._fragments:
            self._fragments.append(data)
            data = b"".join(self._fragments)
            self._fragments.clear()
        if self._is_text:
            self._put({"type": "websocket.receive", "text": data.decode()})
        elif not (direct and self.deliver(data)):
            self._put({"type": "websocket.receive", "bytes": data})

    def add_texts(self, messages: list[bytes]) -> bool:
        """Add text messages of one frame each; False = one is not UTF-8, and none is added."""
        try:
            texts = [message.decode() for message in messages]
        except UnicodeDecodeError:
            return False
        if self._disconnect is None:
            for text in texts:
                self._put({"type": "websocket.receive", "text": text})
        return True

    def add_binary(self, data: bytes) -> None:
        """Pass a binary message to `receiver`, or add it if that is not possible now."""
        if self._disconnect is None and not self.deliver(data):
            self._put({"type": "websocket.receive", "bytes": data})

    def deliver(self, data: bytes) -> bool:
        """Pass a binary message to `receiver`; returns False if that is not possible now."""
        if self.receiver is None or not self._receiver_idle or self._items:
            return False
        try:
            return self.receiver(data)
        except Exception:  # it fails again in the application's own task, which reports it
            return False

    def notify(self, notice: Notice) -> None:
        """Add a message without content, about the client."""
        if self._disconnect is None:
            self._put({"type": "websocket.receive", "bytes": None, "text": None, NOTICE: notice})

    def end(self, code: int, reason: str) -> None:
        """Add the last message, unless it was added before."""
        if self._disconnect is None:
            self._disconnect = {"type": "websocket.disconnect", "code": code, "reason": reason}
            self._put(self._disconnect)
            self._fragments.clear()
            self.receiver = None
            self.on_taken()

    async def receive(self) -> Message:
        """The next message; waits until there is one."""
        if self._disconnect is not None and not self._items:
            return self._disconnect
        self._receiver_idle = True
        try:
            while not self._items:
                self._filled.clear()
                await self._filled.wait()
            message = self._items.popleft()
        finally:
            self._receiver_idle = False
        if not self._items:
            self.on_taken()
        return message

    def _put(self, message: Message) -> None:
        self._items.append(message)
        self._filled.set()
