"""However the bytes are cut on their way, the application receives the same messages."""

import asyncio
from collections.abc import Iterator
from itertools import groupby, pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send
from websockets.frames import Frame, Opcode

from streamer.websocket.signals import deliver_directly
from tests.websocket.in_memory import Wire, connected, until
from tools.harness.raw import CLOSE, PONG, parse_frames

Content = str | bytes


class Collecting:
    """Takes messages, directly or not, and keeps their order."""

    def __init__(self, *, direct: bool, joined: bool, slow: bool) -> None:
        self.messages: list[Content] = []
        self.end: Message | None = None
        self._direct, self._joined, self._slow = direct, joined, slow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if self._direct:
            deliver_directly(scope, self._take, joined=self._joined)
        while (message := await receive())["type"] == "websocket.receive":
            if self._slow:
                await asyncio.sleep(0)
            text = message.get("text")
            self.messages.append(message["bytes"] if text is None else text)
        self.end = message

    def _take(self, audio: bytes) -> bool:
        self.messages.append(audio)
        return True


contents: st.SearchStrategy[Content] = st.one_of(
    st.binary(max_size=300), st.text(max_size=100), st.sampled_from([bytes(5_000), "ü" * 3_000])
)


@st.composite
def messages(draw: st.DrawFn) -> tuple[Content, bytes, int]:
    """A message, its frames with pings between them, and the number of pings."""
    content = draw(contents)
    data = content.encode() if isinstance(content, str) else content
    at = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
    parts = [data[a:b] for a, b in pairwise([0, *at, len(data)])]
    opcode = Opcode.TEXT if isinstance(content, str) else Opcode.BINARY
    sent, pings = b"", 0
    for index, part in enumerate(parts):
        if draw(st.integers(0, 4)) == 0:
            sent += Frame(Opcode.PING, b"ping").serialize(mask=True)
            pings += 1
        fin = index == len(parts) - 1
        kind = Opcode.CONT if index else opcode
        sent += Frame(kind, part, fin).serialize(mask=True)
    return content, sent, pings


CLOSING = Frame(Opcode.CLOSE, (4_321).to_bytes(2) + "tschüß".encode()).serialize(mask=True)


SMALL: tuple[tuple[Content, bytes, int], ...] = (
    (b"7 bytes", Frame(Opcode.BINARY, b"7 bytes").serialize(mask=True), 0),
    ("fünf", Frame(Opcode.TEXT, "fünf".encode()).serialize(mask=True), 0),
)


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[Content, bytes, int]]:
    """Messages, between which there may be many small ones."""
    found = []
    for message in draw(st.lists(messages(), max_size=12)):
        small = draw(st.sampled_from(SMALL))
        found += [message, *[small] * draw(st.sampled_from([0, 0, 1, 50]))]
    return found


def runs_of(contents: list[Content]) -> Iterator[Content]:
    """Texts, and what is in the binary messages between them."""
    for is_text, run in groupby(contents, lambda content: isinstance(content, str)):
        if is_text:
            yield from run
        elif audio := b"".join(content for content in run if isinstance(content, bytes)):
            yield audio


@given(
    sent=runs(),
    cuts=st.lists(st.integers(0, 20_000), max_size=30),
    direct=st.booleans(),
    joined=st.booleans(),
    slow=st.booleans(),
    waits=st.booleans(),
)
@example(sent=[], cuts=[], direct=True, joined=False, slow=False, waits=False)
def test_any_cut_gives_the_same_messages(
    sent: list[tuple[Content, bytes, int]],
    cuts: list[int],
    direct: bool,
    joined: bool,
    slow: bool,
    waits: bool,
) -> None:
    stream = b"".join(data for _, data, _ in sent) + CLOSING
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    app = Collecting(direct=direct, joined=joined, slow=slow)

    async def run() -> Wire:
        _, wire = connected(app)
        await until(lambda: b"\r\n\r\n" in wire.written)
        for begin, end in pairwise(bounds):
            if begin < end:
                wire.arrive(stream[begin:end])
            if waits:
                await asyncio.sleep(0)
        await until(lambda: app.end and wire.closed)
        return wire

    wire = asyncio.run(run())
    expected = [content for content, _, _ in sent]
    if joined:
        assert list(runs_of(app.messages)) == list(runs_of(expected))
    else:
        assert app.messages == expected
    assert app.end == {"type": "websocket.disconnect", "code": 4_321, "reason": "tschüß"}
    answers = parse_frames(wire.written.partition(b"\r\n\r\n")[2])
    pongs = sum(pings for _, _, pings in sent)
    assert answers[:-1] == [(PONG, b"ping")] * pongs
    assert answers[-1] == (CLOSE, (4_321).to_bytes(2) + "tschüß".encode())
