"""Where a recording ends that is still arriving, and another one begins behind it.

The same ends as in a file (`ends.py`), found without reading ahead: each function yields numbers of
bytes that belong to the recording, and looks only at those bytes that may begin the next one. A
live recording is passed on as it comes.
"""

from collections.abc import Callable, Iterator

from streamer.audio.containers import container_of
from streamer.recordings.arrival import READ_BYTES, Arrival
from streamer.recordings.containers import DEMUXERS, HEAD_BYTES, kind_of
from streamer.recordings.ends import (
    MARK_BYTES,
    MARKS,
    MAX_ELEMENTS,
    SEGMENT,
    element_end,
)
from streamer.recordings.lengths import MAX_BOXES, is_box_name
from streamer.recordings.recognition import Recognised, recognise

_MOST_HEADER_BYTES = 4_096
"""Bytes of the header of a Matroska file."""


def next_recording(arrival: Arrival) -> Recognised:
    """The recording that begins here, behind tags and a byte of padding.

    Its `kind` is None if none does; its `start` is then behind the tags.
    """
    while (found := recognise(arrival.ahead, ended=arrival.ended)) is None:
        arrival.more()
    if found.kind is not None:
        return found
    behind = found.start + 1
    if not arrival.look(behind)[found.start :].strip(b"\0"):
        kind = kind_of(arrival.look(behind + HEAD_BYTES)[behind:])
        found = found if kind is None else Recognised(kind, behind)
    return found


def endless(arrival: Arrival, but: str = "") -> Iterator[int]:
    """Frames, which end where the mark of a container is, of another kind than `but`."""
    yield 1
    while arrival.look(1):
        place = _first_place(arrival.ahead)
        if place:
            yield place
        elif _container_begins(arrival, but):
            return
        else:
            yield 1


def flac(arrival: Arrival) -> Iterator[int]:
    """Metadata (RFC 9639, 8.1), in which marks mean nothing, then frames."""
    yield 4
    for _ in range(MAX_ELEMENTS):
        head = arrival.look(4)
        if len(head) < 4:
            break
        yield 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            break
    yield from endless(arrival)


def webm(arrival: Arrival) -> Iterator[int]:
    """A segment with a declared size, unless another Matroska file follows: FFmpeg reads both."""
    header_end = element_end(arrival.look(12))
    if header_end is not None and header_end < _MOST_HEADER_BYTES:
        head = arrival.look(header_end + 12)[header_end:]
        if head[:4] == SEGMENT and (end := element_end(head)) is None:
            yield header_end + 3
            yield from endless(arrival, but="WebM")
            return
        if head[:4] == SEGMENT and end is not None:
            yield header_end + end
            if not arrival.look(1) or next_recording(arrival).kind not in (None, "WebM"):
                return
    while True:
        yield READ_BYTES


def mp4(arrival: Arrival, note: Callable[[str], None]) -> Iterator[int]:
    """Boxes (ISO 14496-12, 4.2), and what is none, unless it is another recording.

    Args:
        arrival: At the first box.
        note: Gets a sentence about what is none.
    """
    has_index = False
    for _ in range(MAX_BOXES):
        head = arrival.look(16)
        name, size = head[4:8], int.from_bytes(head[:4], "big")
        if not head or (name == b"ftyp" and has_index):
            return
        has_index = has_index or name == b"moov"
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:16], "big")
        if size < 8 or not is_box_name(name):
            if (size or not is_box_name(name)) and len(head) >= 8:
                yield from _strange(arrival, note)
                return
            break
        yield size
    while True:  # to the end
        yield READ_BYTES


def _strange(arrival: Arrival, note: Callable[[str], None]) -> Iterator[int]:
    if next_recording(arrival).kind is not None:
        return
    count = 0
    while data := arrival.look(1) and arrival.ahead:
        count += len(data)
        yield len(data)
    note(f"the MP4 file is damaged: its last {count} bytes are no part of it")


def _first_place(data: bytes) -> int:
    """Bytes before the first place where a container may begin: a mark, or the beginning of one."""
    first = len(data)
    for mark, before in MARKS:
        place = data.find(mark, before, first + before + len(mark) - 1)
        if place >= 0:
            first = min(first, place - before)
    longest = max(before + len(mark) for mark, before in MARKS)
    for place in range(max(0, len(data) - longest + 1), first):
        if any(_may_begin(data[place:], mark, before) for mark, before in MARKS):
            return place
    return first


def _may_begin(tail: bytes, mark: bytes, before: int) -> bool:
    # A size is before MP4's mark, and that is small.
    return mark.startswith(tail[before:]) and not tail[: min(before, 1)].strip(b"\0")


def _container_begins(arrival: Arrival, but: str) -> bool:
    """Whether a container begins here, where a mark is; waits until that is clear."""
    while True:
        data = arrival.ahead
        kind = container_of(data[:MARK_BYTES])
        if kind in DEMUXERS:
            return kind != but and kind_of(arrival.look(HEAD_BYTES)) is not None
        if len(data) >= MARK_BYTES or _first_place(data) or not arrival.more():
            return False
