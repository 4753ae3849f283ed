"""Events as bytes, cut anywhere, and bytes that are no events."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.dialects.wyoming.codec import Event, EventDecoder, MalformedEvent, encode_event

MAX, MAX_DATA, MAX_PAYLOAD = 2_000, 4_000, 3_000
LARGE = {"large"}

fields = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=5,
    ),
    max_size=4,
)
events = st.builds(Event, st.text(max_size=20), fields, st.binary(max_size=200))


def ours(event: Event) -> bytes:
    return encode_event(*event)


def theirs(event: Event) -> bytes:
    """As the wyoming package writes it, but for half of the data, which is in the line."""
    half = len(event.data) // 2
    line: dict[str, Any] = {"type": event.type, "version": "1.10.2", "data_length": None}
    line["data"] = dict([*event.data.items()][:half])
    rest = json.dumps(dict([*event.data.items()][half:]), ensure_ascii=False).encode()
    line["data_length"] = len(rest)
    if event.payload:
        line["payload_length"] = len(event.payload)
    return json.dumps(line, ensure_ascii=False).encode() + b"\n" + rest + event.payload


def decoded(data: bytes, cuts: list[int]) -> list[Event]:
    decoder = EventDecoder(MAX, LARGE, MAX_DATA, MAX_PAYLOAD)
    found: list[Event] = []
    for begin, end in pairwise([0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]):
        decoder.feed(data[begin:end])
        while (event := decoder.next_event()) is not None:
            found.append(event)
    assert decoder.buffered == 0
    return found


@pytest.mark.parametrize("encode", [ours, theirs])
@given(st.lists(events, max_size=5), st.lists(st.integers(0, 2_000), max_size=8))
def test_events_are_read_however_they_are_cut(
    encode: Any, sent: list[Event], cuts: list[int]
) -> None:
    assert decoded(b"".join(map(encode, sent)), cuts) == sent


def test_every_byte_alone() -> None:
    sent = [Event("audio-chunk", {"rate": 16_000, "timestamp": None}, b"\n{}\0"), Event("x")]
    data = b"".join(map(ours, sent))
    assert decoded(data, list(range(len(data)))) == sent


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"GET / HTTP/1.1\r\n", "bad_message", 'begins with "GET / HTTP/1.1'),
        (b"\n", "bad_message", "no line of JSON"),
        (b"\x16\x03\x01\xff\n", "bad_message", "no line of JSON"),
        (b"[]\n", "bad_message", "no line of JSON"),
        (b'{"data": {}}\n', "bad_message", "type"),
        (b'{"type": 1}\n', "bad_message", "type"),
        (b'{"type": "x", "data": []}\n', "bad_message", "data"),
        (b'{"type": "x", "data_length": "1"}\n', "bad_message", "data_length"),
        (b'{"type": "x", "data_length": true}\n', "bad_message", "data_length"),
        (b'{"type": "x", "data_length": -1}\n', "bad_message", "'data_length' is -1; allowed: 0"),
        (b'{"type": "x", "payload_length": -5}\n', "bad_message", "'payload_length' is -5"),
        (b'{"type": "x", "data_length": 2}\n[]', "bad_message", "allowed: a JSON object"),
        (b'{"type": "x", "data_length": 2}\n{]', "bad_message", "is not JSON"),
        (b'{"type": "x", "data_length": 2001}\n', "too_large", "2001; allowed: 0 to 2000"),
        (b'{"type": "x", "payload_length": 2001}\n', "too_large", "2001; allowed: 0 to 2000"),
        (b'{"type": "large", "data_length": 4001}\n', "too_large", "4001; allowed: 0 to 4000"),
        (b'{"type": "large", "payload_length": 3001}\n', "too_large", "3001; allowed: 0 to 3000"),
        (b'{"type": "x", "payload_length": 99999999999999999999}\n', "too_large", "allowed: 0 to"),
        (b"x" * 2_001, "too_large", "allowed: 2000 bytes"),
        (b'{"type": "' + b"x" * 2_000 + b'"}\n', "too_large", "allowed: 2000 bytes"),
        (b"[" * 1_999 + b"\n", "bad_message", "no line of JSON"),
    ],
)
def test_what_is_no_event(data: bytes, code: str, message: str) -> None:
    decoder = EventDecoder(MAX, LARGE, MAX_DATA, MAX_PAYLOAD)
    decoder.feed(data)
    with pytest.raises(MalformedEvent) as refused:
        decoder.next_event()
    assert (refused.value.code, message in str(refused.value)) == (code, True), refused.value


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4))
def test_any_bytes_are_events_or_no_events(data: bytes, cuts: list[int]) -> None:
    decoder = EventDecoder(MAX, LARGE, MAX_DATA, MAX_PAYLOAD)
    try:
        for begin, end in pairwise([0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]):
            decoder.feed(data[begin:end])
            while decoder.next_event() is not None:
                pass
    except MalformedEvent:
        pass


def test_an_event_takes_no_more_memory_than_is_allowed() -> None:
    """What is declared is not allocated."""
    decoder = EventDecoder(MAX, LARGE, MAX_DATA, MAX_PAYLOAD)
    decoder.feed(b'{"type": "large", "data_length": 4000, "payload_length": 3000}\n')
    assert decoder.next_event() is None
    assert decoder.next_type() == "large"
    assert decoder.buffered == 0
