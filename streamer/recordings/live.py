"""A live stream in a container, as a decoder process decodes it: bytes from a socket, samples out.

All samples of the bytes that have come are written before more bytes are waited for. So the server
knows which audio came before a request, and a stream is decoded as it is, however it is cut.
"""

import socket
from io import BytesIO

import msgspec
import numpy as np
import numpy.typing as npt

from streamer.recordings import link
from streamer.recordings.arrival import Arrival
from streamer.recordings.arriving import LIVE
from streamer.recordings.containers import APE_HEADER, skip_tags
from streamer.recordings.decoding import Decoding, Header
from streamer.recordings.errors import AudioFileError
from streamer.recordings.foreign import describe
from streamer.recordings.live_recording import LiveRecording
from streamer.recordings.recognition import (
    INSIDE_BYTES,
    Recognised,
    recognise,
    recognise_inside,
)
from streamer.recordings.view import Readable

Rows = npt.NDArray[np.float32]

_TAGS = (b"ID3", b"APE")
_BEGINNING_BYTES = 4_096


def open_live(reader: Readable) -> Decoding:
    """Recognize the container, and decode the first samples.

    Args:
        reader: At the first byte.

    Raises:
        AudioFileError: It is none that can be decoded as it comes.
    """
    arrival = Arrival(reader)
    found = _recognised(arrival)
    if found.kind is None:
        raise _no_container(arrival.ahead)
    arrival.skip(found.start)
    head = arrival.look(1) and arrival.ahead[:_BEGINNING_BYTES]
    return LiveRecording(arrival, found.kind, head)


def _recognised(arrival: Arrival) -> Recognised:
    _skip_tags(arrival)
    while (found := recognise(arrival.ahead, ended=arrival.ended)) is None:
        arrival.more()
    if found.kind is None and describe(arrival.ahead) is None:
        arrival.look(INSIDE_BYTES)  # a stream of frames may begin within one
        return recognise_inside(arrival.ahead)
    return found


def _skip_tags(arrival: Arrival) -> None:
    """Tags may hold a picture, and hold no audio."""
    while arrival.look(3) in _TAGS:
        size = skip_tags(BytesIO(arrival.look(APE_HEADER)), 0)
        if not size:
            return
        arrival.skip(size)


def _no_container(head: bytes) -> AudioFileError:
    what = describe(head)
    named = f", but {what}" if what is not None else ""
    return AudioFileError(
        f"the audio is in no container that is known{named}; allowed: {', '.join(LIVE)}",
        "unsupported_media_type",
    )


class _Incoming:
    """The bytes of the stream, as they come."""

    def __init__(self, incoming: socket.socket, writer: "_Writer") -> None:
        self._incoming = incoming
        self._writer = writer
        self._taken = 0

    def read(self, count: int, /) -> bytes:
        """See `Readable`."""
        try:
            data = self._incoming.recv(count, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._writer.needs_more(self._taken)
            data = self._incoming.recv(count)
        self._taken += len(data)
        return data


class _Writer:
    """Writes samples in blocks: a second of them, or fewer when more bytes are needed."""

    def __init__(self, answers: socket.socket) -> None:
        self._answers = answers
        self._block = 1
        self._rows: list[Rows] = []
        self._frames = 0

    def begin(self, header: Header) -> None:
        """What the stream is; samples may follow."""
        self._block = max(1, round(link.BLOCK_S * header.sample_rate))
        self._send(link.HEADER, msgspec.json.encode(header))

    def add(self, rows: Rows) -> None:
        """The next samples, float32 [channels, n]."""
        self._rows.append(rows)
        self._frames += rows.shape[1]
        if self._frames >= self._block:
            self.flush()

    def flush(self) -> None:
        """Write all samples so far."""
        self._answers.sendall(self._blocks())

    def damaged(self) -> None:
        """A part of the stream is damaged; all samples that were decoded by now have come."""
        self.flush()
        self._send(link.DAMAGED, b"")

    def needs_more(self, taken: int) -> None:
        """All samples of `taken` bytes have come."""
        body = link.TAKEN.pack(taken)
        self._answers.sendall(self._blocks() + link.PREFIX.pack(link.NEEDED, len(body)) + body)

    def end(self, kind: bytes, body: bytes) -> None:
        """Write the last message, behind all samples."""
        self.flush()
        self._send(kind, body)

    def _blocks(self) -> bytes:
        if not self._frames:
            return b""
        rows = self._rows[0] if len(self._rows) == 1 else np.concatenate(self._rows, axis=1)
        self._rows, self._frames = [], 0
        messages = b""
        for start in range(0, rows.shape[1], self._block):
            body = rows[:, start : start + self._block].tobytes()
            messages += link.PREFIX.pack(link.BLOCK, len(body)) + body
        return messages

    def _send(self, kind: bytes, body: bytes) -> None:
        self._answers.sendall(link.PREFIX.pack(kind, len(body)) + body)


def decode_live(incoming: socket.socket, answers: socket.socket) -> None:
    """Decode a stream to its end.

    Args:
        incoming: The bytes come from it.
        answers: Takes the messages of `link.py`.
    """
    writer = _Writer(answers)
    try:
        decoding = open_live(_Incoming(incoming, writer))
        writer.begin(decoding.header)
        told = False
        for rows in decoding.pieces():
            if rows.shape[1]:
                writer.add(rows)
            if decoding.is_damaged and not told:
                told = True
                writer.damaged()
        writer.end(link.REPORT, msgspec.json.encode(decoding.report()))
    except AudioFileError as error:
        writer.end(link.REFUSAL, msgspec.json.encode(link.Refusal(str(error), error.code)))
    except MemoryError:
        text = "decoding it takes more memory than a stream may use; it is damaged or malicious"
        writer.end(link.REFUSAL, msgspec.json.encode(link.Refusal(text)))
