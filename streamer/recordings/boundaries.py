"""Where a recording ends and another one begins behind it, found from front to back.

Each function yields numbers of bytes that belong to the recording, and looks only at those bytes
that may begin the next one. So a live recording is passed on as it comes, and a file ends where the
same bytes end on a pipe.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from streamer.audio.containers import container_of
from streamer.audio.frames import (
    FLAC_HEADER_BYTES,
    Parse,
    ac3_frame,
    adts_frame,
    is_flac_frame,
    loas_frame,
    mpeg_frame,
)
from streamer.recordings.amr import amr_frame_bytes
from streamer.recordings.arrival import READ_BYTES, Arrival
from streamer.recordings.containers import DEMUXERS, HEAD_BYTES, kind_of
from streamer.recordings.lengths import MAX_BOXES, is_box_name
from streamer.recordings.recognition import Recognised, recognise

MAX_ELEMENTS = 4_096
"""Chunks, objects or blocks of a file that are looked at."""

_MARKS = (
    *((b"fLaC\0\0\0\x22", 0), (b"RIFF", 0), (b"OggS\0\2", 0), (b"ftyp", 4)),
    *((b"\x1a\x45\xdf\xa3", 0), (b"#!AMR", 0), (b"FORM", 0)),
    *((b"caff", 0), (b".snd", 0), (b"RIFX", 0), (b"RF64", 0), (b"BW64", 0)),
    *((b"riff\x2e\x91\xcf\x11", 0), (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0)),
)
"""Of containers that may begin behind others, and bytes that a container has before its mark. What
is behind a mark has to fit, too, so none is found in audio by chance."""

_ID3 = (b"ID3", 0)
_MARK_BYTES = 96  # in which a container has to fit
_SEGMENT = b"\x18\x53\x80\x67"  # what holds all of a Matroska file but its header (RFC 9559, 5.1)
_MOST_HEADER_BYTES = 4_096  # of a Matroska file


def boundary(kind: str) -> Callable[[Arrival], Iterator[int]] | None:
    """The function for a kind of container; None = its end is not found from front to back."""
    return _BOUNDARIES.get(kind)


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


def framed(arrival: Arrival, kinds: tuple[str, ...], parse: Parse) -> Iterator[int]:
    """Frames without a container, where the header of each says where the next one is."""

    def size(head: bytes) -> int:
        header = parse(head)
        return 0 if header is None else header.size

    yield from _frames(arrival, kinds, size)


def amr(arrival: Arrival) -> Iterator[int]:
    """Frames of AMR behind its name (RFC 4867, 5)."""
    is_wide = arrival.look(9) == b"#!AMR-WB\n"
    yield 9 if is_wide else 6

    def size(head: bytes) -> int:
        # An MP4 file begins with zeros, and a zero begins a frame, too.
        return 0 if head[4:8] == b"ftyp" else amr_frame_bytes(head, is_wide=is_wide)

    yield from _frames(arrival, (), size)


def _frames(
    arrival: Arrival, kinds: tuple[str, ...], size: Callable[[bytes], int]
) -> Iterator[int]:
    while head := arrival.look(8):
        if length := size(head):
            yield length
            continue
        found = next_recording(arrival)
        if found.kind in kinds and found.start:
            yield found.start  # tags
        elif found.kind is None or found.kind in kinds:
            break
        else:
            return
    yield from _to_mark(arrival)  # damage


def flac(arrival: Arrival) -> Iterator[int]:
    """Metadata (RFC 9639, 8.1), in which marks mean nothing, then frames of unknown length."""
    yield 4
    for _ in range(MAX_ELEMENTS):
        head = arrival.look(4)
        if len(head) < 4:
            break
        yield 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            break
    yield from _to_mark(arrival, or_frames=True)


def webm(arrival: Arrival) -> Iterator[int]:
    """A segment, unless another Matroska file follows: FFmpeg reads both."""
    header_end = _element_end(arrival.look(12))
    if header_end is not None and header_end < _MOST_HEADER_BYTES:
        head = arrival.look(header_end + 12)[header_end:]
        if head[:4] == _SEGMENT and (end := _element_end(head)) is None:
            yield header_end + 4
            yield from _to_mark(arrival, but="WebM")
            return
        if head[:4] == _SEGMENT and end is not None:
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


def _element_end(head: bytes) -> int | None:
    """Where an element ends that has an ID of 4 bytes (RFC 8794, 6); None = unknown."""
    size = head[4:]
    length = 9 - size[0].bit_length() if size else 9
    if length > len(size):
        return None
    bits = 7 * length
    value = int.from_bytes(size[:length], "big") & (1 << bits) - 1
    return None if value == (1 << bits) - 1 else 4 + length + value


def _to_mark(arrival: Arrival, but: str = "", *, or_frames: bool = False) -> Iterator[int]:
    """To the mark of a container of another kind than `but`, or to frames without a container."""
    yield 1
    while arrival.look(1):
        place = _first_place(arrival.ahead, or_frames=or_frames)
        if place:
            yield place
        elif _begins(arrival, but, or_frames=or_frames):
            return
        else:
            yield 1


def _first_place(data: bytes, *, or_frames: bool) -> int:
    """Bytes before the first place where another recording may begin, as far as is seen here."""
    marks = (*_MARKS, _ID3) if or_frames else _MARKS
    first = len(data)
    for mark, before in marks:
        place = data.find(mark, before, first + before + len(mark) - 1)
        if place >= 0:
            first = min(first, place - before)
    longest = max(before + len(mark) for mark, before in marks)
    for place in range(max(0, len(data) - longest + 1), first):
        if any(_may_begin(data[place:], mark, before) for mark, before in marks):
            first = place
            break
    if or_frames:
        place = data.find(0xFF, 0, first)
        while 0 <= place < first:
            head = data[place : place + FLAC_HEADER_BYTES]
            frames = mpeg_frame(head) is not None or adts_frame(head) is not None
            if len(head) < 8 or (frames and not is_flac_frame(head)):
                return place
            place = data.find(0xFF, place + 1, first)
    return first


def _may_begin(tail: bytes, mark: bytes, before: int) -> bool:
    # A size is before MP4's mark, and that is small.
    return mark.startswith(tail[before:]) and not tail[: min(before, 1)].strip(b"\0")


def _begins(arrival: Arrival, but: str, *, or_frames: bool) -> bool:
    """Whether another recording begins here; waits until that is clear."""
    while True:
        data = arrival.ahead
        if or_frames and (data[:1] == b"\xff" or data[:3] == b"ID3"):
            if is_flac_frame(arrival.look(FLAC_HEADER_BYTES)):
                return False
            return next_recording(arrival).kind is not None
        kind = container_of(data[:_MARK_BYTES])
        if kind in DEMUXERS:
            return kind != but and kind_of(arrival.look(HEAD_BYTES)) is not None
        if (
            len(data) >= _MARK_BYTES
            or _first_place(data, or_frames=or_frames)
            or not arrival.more()
        ):
            return False


_BOUNDARIES: Mapping[str, Callable[[Arrival], Iterator[int]]] = {
    "FLAC": flac,
    "WebM": webm,
    "AMR": amr,
    "MP3": partial(framed, kinds=("MP3",), parse=mpeg_frame),
    "AAC": partial(framed, kinds=("AAC",), parse=adts_frame),
    "LATM": partial(framed, kinds=("LATM",), parse=loas_frame),
    "AC-3": partial(framed, kinds=("AC-3", "E-AC-3"), parse=ac3_frame),
    "E-AC-3": partial(framed, kinds=("AC-3", "E-AC-3"), parse=ac3_frame),
}
