"""Which container bytes begin like, that should be raw PCM. Pure.

Raw PCM can have any bytes, so more is demanded here than the few by which a file is recognized
that is known to be one: what follows a container's mark has to fit, too. Of random bytes, less than
one stream in 2**30 begins like a container.
"""

from collections.abc import Callable

from streamer.audio.frames import FrameHeader, Parse, adts_frame, mpeg_frame

HEAD_BYTES = 8_192
"""Bytes at the beginning of a stream that are looked at; three frames of an MP3 are in 4 323."""

FRAMES = 3
"""Consecutive frames by which a stream of frames without a container is recognized."""

RIFF_NAMES = (b"RIFF", b"RIFX", b"RF64", b"BW64")
"""Of WAV: little-endian, big-endian, and with lengths of 64 bits."""

AMR_NAMES = (b"#!AMR\n", b"#!AMR-WB\n")
ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
W64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
EBML = b"\x1a\x45\xdf\xa3"
_MARKS = (b"fLaC", b"OggS", EBML, b"ID3")
_MP4_BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat")
_MAX_MP4_BOX = 1 << 16
"""Bytes of the first box of an MP4, at most, unless it is `mdat` or `moov`."""


def container_of(head: bytes) -> str | None:
    """The name of the container that begins with these bytes; None = none that is known.

    More bytes of the same stream never change a name.
    """
    for name, begins in _CONTAINERS:
        if begins(head):
            return name
    return None


def may_begin_container(head: bytes) -> bool:
    """Whether more bytes could show that a container begins so, which has a mark of its own."""
    return container_of(head) is None and any(
        mark.startswith(head[: len(mark)]) for mark in (*RIFF_NAMES, *_MARKS)
    )


class HeadCheck:
    """Looks at the beginning of one stream, cut anywhere."""

    def __init__(self) -> None:
        self._head: bytes | None = b""
        """What has come so far; None once nothing more is looked at."""

    def container(self, data: bytes) -> str | None:
        """The name of the container that the stream begins like, once; None = none, or not yet.

        Args:
            data: The next bytes of the stream.
        """
        if self._head is None:
            return None
        self._head += data[: HEAD_BYTES - len(self._head)]
        name = container_of(self._head)
        if name is not None or len(self._head) >= HEAD_BYTES:
            self._head = None
        return name


def _riff(head: bytes) -> bool:
    return head[:4] in RIFF_NAMES and head[8:12] == b"WAVE"


def _flac(head: bytes) -> bool:
    """RFC 9639, section 8.1: the first block is STREAMINFO, 34 bytes."""
    return head[:4] == b"fLaC" and head[4:5] in (b"\x00", b"\x80") and head[5:8] == b"\0\0\x22"


def _ogg(head: bytes) -> bool:
    """RFC 3533, section 6: version 0, the first page of a stream, position 0."""
    return head[:6] == b"OggS\0\x02" and head[6:14] == bytes(8)


def _webm(head: bytes) -> bool:
    """RFC 8794: an EBML header, which names its type of document."""
    begin, _, kind = head[:96].partition(b"\x42\x82")
    return begin[:4] == EBML and any(name in kind for name in (b"webm", b"matroska"))


def _mp4(head: bytes) -> bool:
    """ISO/IEC 14496-12, section 4.2: a size, and the type of a box; `ftyp` has a brand of text."""
    kind, size = head[4:8], int.from_bytes(head[:4])
    if kind not in _MP4_BOXES or (kind not in (b"mdat", b"moov") and size > _MAX_MP4_BOX):
        return False
    if kind in (b"ftyp", b"styp"):
        return size % 4 == 0 and size >= 16 and len(head) >= 12 and head[8:12].isascii()
    return len(head) >= 8 and (size in (0, 1) or size >= 8)


def _id3(head: bytes) -> bool:
    """ID3v2.4.0, section 3.1: version 2 to 4, and a size with seven bits a byte."""
    return (
        head[:3] == b"ID3"
        and len(head) >= 10
        and 2 <= head[3] <= 4
        and head[4] != 0xFF
        and not head[5] & 0x0F
        and max(head[6:10]) < 0x80
    )


def _layer_2_or_3(head: bytes) -> FrameHeader | None:
    """A frame of MPEG audio, but not of layer I, which begins like small negative samples."""
    return mpeg_frame(head) if head[1:2] and head[1] & 6 != 6 else None


def _frames(parse: Parse) -> Callable[[bytes], bool]:
    """Whether it begins with frames, each right behind the other, of the same kind."""

    def begins(head: bytes) -> bool:
        at, first = 0, parse(head[:8])
        for _ in range(FRAMES):
            header = parse(head[at : at + 8])
            if header is None or first is None or header.same != first.same:
                return False
            if head[at + 1] != head[1]:
                return False
            at += header.size
        # A periodic signal has the same bytes between the frames, too.
        return first is not None and head[:4] not in head[4 : first.size]

    return begins


_CONTAINERS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("WAV", lambda head: _riff(head) or head.startswith(W64)),
    ("FLAC", _flac),
    ("OGG", _ogg),
    ("WebM", _webm),
    ("MP4", _mp4),
    ("MP3", lambda head: _id3(head) or _frames(_layer_2_or_3)(head)),
    ("AAC", _frames(adts_frame)),
    ("AMR", lambda head: head.startswith(AMR_NAMES)),
    ("AIFF", lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")),
    ("CAF", lambda head: head[:8] == b"caff\0\x01\0\0"),
    ("AU", lambda head: head[:6] == b".snd\0\0" and len(head) >= 8),
    ("SPHERE", lambda head: head.startswith(b"NIST_1A\n")),
    ("WMA", lambda head: head.startswith(ASF)),
)
