"""What is behind the samples of a WAV file that is still arriving."""

from streamer.recordings.arrival import Arrival
from streamer.recordings.boundaries import next_recording
from streamer.recordings.containers import MAX_ZEROS
from streamer.recordings.riff import is_name

MAX_CHUNK_BYTES = 1 << 24
"""Bytes of a chunk behind the samples, at most: pictures in a tag have a few million. Four samples
that look like a chunk's name have a length of any size behind them."""

_ID3V1_BYTES = 128  # it ends a file


def more_samples(arrival: Arrival, *, odd: bool) -> bool:
    """Whether what follows the declared samples is samples too, because the length was wrong.

    Otherwise it goes on to what is behind chunks, tags and zeros: the first byte of another
    recording, or the end.

    Args:
        arrival: Behind the samples.
        odd: The number of declared bytes is odd: a byte of padding may follow.
    """
    zeros = 0
    if odd and arrival.look(1) == b"\0":
        arrival.skip(1)
    while head := arrival.look(8):
        found = next_recording(arrival)
        if found.kind is not None:
            arrival.skip(found.start)
            return False
        if size := found.start or _id3v1_bytes(arrival) or _chunk_bytes(arrival, head):
            arrival.skip(size)
        elif not head.strip(b"\0") and zeros < MAX_ZEROS:
            zeros += arrival.skip(len(head))
        else:
            arrival.put_back(bytes(zeros))
            return True
    return False


def _id3v1_bytes(arrival: Arrival) -> int:
    """Bytes of the tag that begins here and ends the file; 0 = none does."""
    is_tag = arrival.look(3) == b"TAG" and len(arrival.look(_ID3V1_BYTES + 1)) == _ID3V1_BYTES
    return _ID3V1_BYTES if is_tag else 0


def _chunk_bytes(arrival: Arrival, head: bytes) -> int:
    """Bytes of the chunk that begins with `head`; 0 = these are samples.

    As in a file: what would reach beyond the end is no chunk.
    """
    size = int.from_bytes(head[4:], "little")
    if len(head) < 8 or not is_name(head[:4]) or size > MAX_CHUNK_BYTES:
        return 0
    there = len(arrival.look(8 + size + size % 2))
    return there if there >= 8 + size else 0
