"""Which container bytes begin like, that should be raw PCM. Pure.

Raw PCM can have any bytes, so more is demanded here than the few by which a file is recognized
that is known to be one: what follows a container's mark has to fit, too. Of random bytes, less than
one stream in 2**30 begins like a container.
"""

from collections.abc import Callable

HEAD_BYTES = 8_192
"""Bytes at the beginning of a stream that are looked at; three frames of an MP3 are in 4 323."""

FRAMES = 3
"""Consecutive frames by which a stream of frames without a container is recognized."""

_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
_W64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
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
    return head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def _flac(head: bytes) -> bool:
    """RFC 9639, section 8.1: the first block is STREAMINFO, 34 bytes."""
    return head[:4] == b"fLaC" and head[4:5] in (b"\x00", b"\x80") and head[5:8] == b"\0\0\x22"


def _ogg(head: bytes) -> bool:
    """RFC 3533, section 6: version 0, the first page of a stream, position 0."""
    return head[:6] == b"OggS\0\x02" and head[6:14] == bytes(8)


def _webm(head: bytes) -> bool:
    """RFC 8794: an EBML header, which names its type of document."""
    begin, _, kind = head[:96].partition(b"\x42\x82")
    return begin[:4] == b"\x1a\x45\xdf\xa3" and any(name in kind for name in (b"webm", b"matroska"))


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


def _mpeg_frame(head: bytes, at: int) -> int | None:
    """Bytes of the frame at `at` (ISO/IEC 11172-3, section 2.4.1.3); None = there is none.

    Layers II and III of MPEG 1, 2 and 2.5.
    """
    if len(head) < at + 4 or head[at] != 0xFF or head[at + 1] & 0xE0 != 0xE0:
        return None
    version, layer = head[at + 1] >> 3 & 3, head[at + 1] >> 1 & 3
    bitrate, rate, padding = head[at + 2] >> 4, head[at + 2] >> 2 & 3, head[at + 2] >> 1 & 1
    if version == 1 or layer not in (1, 2) or bitrate in (0, 15) or rate == 3:
        return None
    bits = _BITRATES[version == 3, layer][bitrate - 1] * 1_000
    hertz = (44_100, 48_000, 32_000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 576 if layer == 1 and version != 3 else 1_152
    return samples // 8 * bits // hertz + padding


_BITRATES = {
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Thousands of bits a second, by whether it is MPEG 1, and by the two bits of the layer."""


def _adts_frame(head: bytes, at: int) -> int | None:
    """Bytes of the frame at `at` (ISO/IEC 14496-3, section 1.A.2.2.1); None = there is none."""
    if len(head) < at + 7 or head[at] != 0xFF or head[at + 1] & 0xF6 != 0xF0:
        return None
    size = (head[at + 3] & 3) << 11 | head[at + 4] << 3 | head[at + 5] >> 5
    return size if head[at + 2] >> 2 & 15 <= 12 and size > 7 else None


def _frames(frame: Callable[[bytes, int], int | None]) -> Callable[[bytes], bool]:
    """Whether it begins with frames, each right behind the other, of the same kind."""

    def begins(head: bytes) -> bool:
        at = 0
        for _ in range(FRAMES):
            size = frame(head, at)
            if size is None or head[at + 1] != head[1] or (head[at + 2] ^ head[2]) & 0x0C:
                return False
            at += size
        # A periodic signal has the same bytes between the frames, too.
        return head[:4] not in head[4 : frame(head, 0)]

    return begins


_CONTAINERS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("WAV", lambda head: _riff(head) or head.startswith(_W64)),
    ("FLAC", _flac),
    ("OGG", _ogg),
    ("WebM", _webm),
    ("MP4", _mp4),
    ("MP3", lambda head: _id3(head) or _frames(_mpeg_frame)(head)),
    ("AAC", _frames(_adts_frame)),
    ("AMR", lambda head: head.startswith((b"#!AMR\n", b"#!AMR-WB\n"))),
    ("AIFF", lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")),
    ("CAF", lambda head: head[:8] == b"caff\0\x01\0\0"),
    ("AU", lambda head: head[:6] == b".snd\0\0" and len(head) >= 8),
    ("SPHERE", lambda head: head.startswith(b"NIST_1A\n")),
    ("WMA", lambda head: head.startswith(_ASF)),
)
