"""Wyoming's events as bytes. Pure.

An event is a line of JSON, then `data_length` bytes of JSON, then `payload_length` bytes, without
anything between them and the next event:

    {"type": "audio-chunk", "data_length": 65, "payload_length": 2048}
    {"rate": 16000, "width": 2, "channels": 1, "timestamp": null}…2048 bytes…

https://github.com/OHF-Voice/wyoming#format
"""

from collections.abc import Container, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from streamer.config.explain import show


class Event(NamedTuple):
    """One event.

    Attributes:
        type: Such as `audio-chunk`.
        data: Its fields.
        payload: Its binary part; empty = it has none.
    """

    type: str
    data: Mapping[str, Any] = {}
    payload: bytes = b""


class MalformedEvent(ValueError):
    """What a client sends is no event, or too large; nothing after it can be read.

    Attributes:
        code: `too_large` when a limit is exceeded.
    """

    def __init__(self, code: Literal["bad_message", "too_large"], message: str) -> None:
        super().__init__(message)
        self.code = code


class _Header(msgspec.Struct, frozen=True):
    """The line. Other fields, such as `version`, do not matter."""

    type: str
    data: dict[str, Any] | None = None
    data_length: int | None = None
    payload_length: int | None = None


_header_decoder = msgspec.json.Decoder(_Header)
_encoder = msgspec.json.Encoder()


class EventDecoder:
    """Events from bytes that may be cut anywhere.

    Args:
        max_bytes: Of a line, of the data behind it, and of a payload.
        large: Types of events of which the last two may be larger.
        max_large_data_bytes: Of the data of such an event.
        max_large_payload_bytes: Of its payload.
    """

    def __init__(
        self,
        max_bytes: int,
        large: Container[str] = (),
        max_large_data_bytes: int = 0,
        max_large_payload_bytes: int = 0,
    ) -> None:
        self._max_bytes = max_bytes
        self._large = large
        self._max_large_data_bytes = max_large_data_bytes
        self._max_large_payload_bytes = max_large_payload_bytes
        self._buffer = bytearray()
        self._searched = 0
        """Bytes at the beginning of the buffer that hold no end of a line."""
        self._header: _Header | None = None
        """Of the event whose rest has not come yet."""
        self.decoded_bytes = 0
        """Of all events, and of the line of one whose rest has not come yet."""

    @property
    def buffered(self) -> int:
        """Bytes that wait to be decoded."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes; at least one more event may be decoded than before."""
        self._buffer += data

    def next_type(self) -> str | None:
        """The type of the next event; None = its line is not complete yet.

        Raises:
            MalformedEvent: There is none, and there will be no other.
        """
        if self._header is None:
            self._header = self._next_header()
        return None if self._header is None else self._header.type

    def next_event(self) -> Event | None:
        """Decode the next event; None = it is not complete yet.

        Raises:
            MalformedEvent: There is none, and there will be no other.
        """
        self.next_type()
        if self._header is None:
            return None
        data_bytes = self._header.data_length or 0
        payload_bytes = self._header.payload_length or 0
        if len(self._buffer) < data_bytes + payload_bytes:
            return None
        header, self._header = self._header, None
        data = header.data or {}
        if data_bytes:
            data = {**data, **self._more_data(self._take(data_bytes))}
        return Event(header.type, data, self._take(payload_bytes))

    def _next_header(self) -> _Header | None:
        end = self._buffer.find(b"\n", self._searched)
        line_bytes = len(self._buffer) if end < 0 else end
        if line_bytes > self._max_bytes:
            raise MalformedEvent(
                "too_large", f"the line of an event; allowed: {self._max_bytes} bytes"
            )
        if end < 0:
            self._searched = len(self._buffer)
            return None
        self._searched = 0
        line = self._take(end + 1)
        try:
            header = _header_decoder.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            shown = show(line[:100].decode(errors="replace"))
            raise MalformedEvent(
                "bad_message", f"an event begins with {shown}, which is no line of JSON: {error}"
            ) from None
        data_bytes = payload_bytes = self._max_bytes
        if header.type in self._large:
            data_bytes, payload_bytes = self._max_large_data_bytes, self._max_large_payload_bytes
        self._check("data_length", header.data_length, data_bytes)
        self._check("payload_length", header.payload_length, payload_bytes)
        return header

    def _check(self, name: str, length: int | None, allowed: int) -> None:
        if length is None or 0 <= length <= allowed:
            return
        code: Literal["bad_message", "too_large"] = "bad_message" if length < 0 else "too_large"
        raise MalformedEvent(code, f"'{name}' is {length}; allowed: 0 to {allowed}")

    def _more_data(self, text: bytes) -> dict[str, Any]:
        try:
            tree = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            message = f"the data of an event is not JSON: {error}"
            raise MalformedEvent("bad_message", message) from None
        if not isinstance(tree, dict):
            message = f"the data of an event is {show(tree)}; allowed: a JSON object"
            raise MalformedEvent("bad_message", message)
        return tree

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        self.decoded_bytes += size
        return taken


def encode_event(kind: str, data: Mapping[str, Any] | None = None, payload: bytes = b"") -> bytes:
    """The bytes of an event.

    Args:
        kind: Its type.
        data: Its fields; None = none.
        payload: Its binary part.
    """
    header: dict[str, object] = {"type": kind}
    data_text = _encoder.encode(data) if data else b""
    if data_text:
        header["data_length"] = len(data_text)
    if payload:
        header["payload_length"] = len(payload)
    return b"".join((_encoder.encode(header), b"\n", data_text, payload))
