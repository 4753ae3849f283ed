"""Frames between the server and its workers, cut anywhere."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.ipc import (
    Batch,
    BatchItem,
    BatchOutcome,
    Done,
    LoadFailed,
    Raised,
    Ready,
    WorkerMessage,
    WorkerMessageReader,
    encode_message,
)

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
values = st.recursive(leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v))
blobs = st.none() | st.binary(max_size=300)
items = st.builds(BatchItem, st.integers(0, 2**31), blobs)
done = st.builds(Done, st.dictionaries(st.text(), values, max_size=3), st.floats(0, 10), blobs)
messages = st.one_of(
    st.builds(Batch, st.lists(items, max_size=3), blobs),
    st.builds(Ready, st.integers(1, 192_000), st.integers(1, 64), st.floats(0, 9), st.booleans()),
    st.builds(LoadFailed, st.text(max_size=5)),
    st.builds(
        BatchOutcome,
        st.lists(done | st.builds(Raised, st.text(max_size=5), st.floats(0, 10)), max_size=3),
        *[st.floats(0, 1e9)] * 3,
        st.integers(0, 2**40),
        st.none() | st.text(max_size=5),
    ),
)

TOOK = (1.0, 1.5, 0.4, 1 << 28)
"""Begun, ended, CPU time, memory."""


@given(st.lists(messages, max_size=5), st.data())
def test_the_cut_of_the_bytes_does_not_matter(
    sent: list[WorkerMessage], data: st.DataObject
) -> None:
    stream = b"".join(map(encode_message, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader, received = WorkerMessageReader(), list[WorkerMessage]()
    for first, last in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += reader.feed(stream[first:last])
    assert received == sent


def test_byte_by_byte_each_message_comes_with_its_last_byte() -> None:
    sent: list[WorkerMessage] = [
        Batch([BatchItem(3)]),
        BatchOutcome([Raised("no", 0.1)], *TOOK),
        Ready(16_000, 1, 0.0, False),
    ]
    reader = WorkerMessageReader()
    for message in sent:
        *most, last = encode_message(message)
        assert [reader.feed(bytes([byte])) for byte in most] == [[]] * len(most)
        assert reader.feed(bytes([last])) == [message]
