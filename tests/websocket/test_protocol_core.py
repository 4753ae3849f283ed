"""The short way of a whole message, beside the parser's; and when it may be taken."""

from hypothesis import example, given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from streamer.websocket.protocol_core import Core, unmask_single_binary_frame

LARGEST = 65_535
"""Of a message whose length is in two bytes."""


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    size = draw(st.one_of(st.integers(0, 200), st.integers(65_000, 70_000)))
    opcode = draw(st.sampled_from([Opcode.BINARY, Opcode.BINARY, Opcode.TEXT, Opcode.CONT]))
    return Frame(opcode, draw(st.binary(min_size=1, max_size=8)) * size, draw(st.booleans()))


@given(frame=frames(), more=st.sampled_from([0, 0, 0, -1, -7, 1, 5]), mask=st.booleans())
@example(frame=Frame(Opcode.BINARY, b"audio"), more=1, mask=True)
@example(frame=Frame(Opcode.BINARY, b"audio"), more=-1, mask=True)
def test_a_message_that_is_whole_and_nothing_else(frame: Frame, more: int, mask: bool) -> None:
    data = bytes(frame.serialize(mask=mask))
    given = data + bytes(more) if more >= 0 else data[:more]
    whole = not more and mask and frame.fin and frame.opcode is Opcode.BINARY
    expected = frame.data if whole and len(frame.data) <= LARGEST else None
    assert unmask_single_binary_frame(given) == expected


@given(data=st.binary(max_size=20))
@example(b"")
@example(b"\x82")
@example(b"\x82\xfe\x00")
def test_any_bytes_are_a_message_or_not(data: bytes) -> None:
    found = unmask_single_binary_frame(data)
    assert found is None or (data[:1] == b"\x82" and len(data) in (len(found) + 6, len(found) + 8))


def opened() -> Core:
    """A connection after its handshake."""
    client = ClientProtocol(parse_uri("ws://localhost/"))
    client.send_request(client.connect())
    core = Core(max_size=1000)
    core.receive_data(b"".join(client.data_to_send()))
    (request,) = core.events_received()
    assert not between(core)
    core.send_response(core.accept(request))  # type: ignore[arg-type]
    return core


def between(core: Core) -> bool:
    return core.between_messages


def sent(opcode: Opcode, size: int, *, fin: bool = True) -> bytes:
    return bytes(Frame(opcode, bytes(size), fin).serialize(mask=True))


@given(cut=st.integers(1, 30))
def test_in_the_middle_of_a_frame_is_not_between_messages(cut: int) -> None:
    core, data = opened(), sent(Opcode.BINARY, 25)
    assert between(core)
    core.receive_data(data[:cut])
    assert not between(core)
    core.receive_data(data[cut:])
    assert between(core)


def test_in_the_middle_of_a_fragmented_message_is_not_between_messages() -> None:
    core = opened()
    core.receive_data(sent(Opcode.BINARY, 10, fin=False))
    assert not between(core)
    core.receive_data(sent(Opcode.PING, 0))
    assert not between(core)
    core.receive_data(sent(Opcode.CONT, 10))
    assert between(core)
    core.receive_data(sent(Opcode.PING, 3))
    assert between(core)


def test_nothing_is_taken_after_a_close_or_a_mistake() -> None:
    endings = {
        "close": sent(Opcode.CLOSE, 0),
        "mistake": sent(Opcode.CONT, 1),
        "too large": sent(Opcode.BINARY, 2000),
    }
    for how, data in endings.items():
        core = opened()
        core.receive_data(data)
        assert not between(core), how
        core.receive_data(sent(Opcode.BINARY, 10))
        assert not between(core), how
    core = opened()
    core.receive_eof()
    assert not between(core)
