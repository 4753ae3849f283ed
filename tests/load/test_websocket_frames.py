"""The load generator's frames, read back by the websockets library, in any cut."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from streamer.load.websocket_frames import BINARY, TEXT, FrameReader, client_frame, frames_of

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536])


def _read(data: bytes, *, mask: bool) -> list[tuple[int, bytes]]:
    reader = StreamReader()
    reader.feed_data(data)
    found = []
    while reader.buffer:
        parsing = Frame.parse(reader.read_exact, mask=mask)
        try:
            next(parsing)
        except StopIteration as done:
            found.append((int(done.value.opcode), bytes(done.value.data)))
    return found


@given(SIZES, st.sampled_from([TEXT, BINARY]))
def test_a_frame_is_one_of_the_standard(size: int, opcode: int) -> None:
    payload = bytes(range(256)) * (size // 256 + 1)
    assert _read(client_frame(opcode, payload[:size]), mask=True) == [(opcode, payload[:size])]


def test_audio_becomes_whole_messages() -> None:
    messages = _read(frames_of(bytes(range(10)), 4), mask=True)
    assert messages == [(BINARY, bytes(range(4))), (BINARY, bytes(range(4, 8)))]


@given(st.lists(SIZES, min_size=1, max_size=4), st.lists(st.integers(1, 70_000), max_size=20))
def test_what_a_server_sends_is_read_in_any_cut(sizes: list[int], cuts: list[int]) -> None:
    sent = [(int(Opcode.TEXT), bytes([number]) * size) for number, size in enumerate(sizes)]
    data = b"".join(Frame(Opcode.TEXT, p).serialize(mask=False) for _, p in sent)
    reader, found, at = FrameReader(), [], 0
    for cut in [*cuts, len(data)]:
        found += list(reader.feed(data[at : at + cut]))
        at += cut
    assert found == sent
