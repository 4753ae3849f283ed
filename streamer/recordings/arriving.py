"""Recordings that are decoded while they arrive, from a pipe that cannot seek.

One may follow another, as in a file (`parts.py`). What can only be read back and forth, such as an
MP4 file with its index at the end, is kept in a temporary file, with all that comes after it.
"""

from collections.abc import Generator, Iterator
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from streamer.recordings.arrival import READ_BYTES, Arrival, Stretch
from streamer.recordings.arriving_wave import wave_parts
from streamer.recordings.boundaries import boundary, mp4, next_recording
from streamer.recordings.containers import DEMUXERS, Found
from streamer.recordings.damage import Damage
from streamer.recordings.decoding import Decoding, Header
from streamer.recordings.errors import AudioFileError
from streamer.recordings.lengths import declared_by_flac, declared_by_mp3, index_is_first
from streamer.recordings.ogg import Pages
from streamer.recordings.parts import Part, links, parts_of
from streamer.recordings.recognition import STREAMED
from streamer.recordings.view import Readable

MAX_KEPT_BYTES = 4 << 30
"""Bytes of what arrives that are kept in a temporary file at most."""

LIVE = ("WAV (RIFF, RF64)", *sorted(STREAMED, key=str.lower))
"""Containers that may come as a live stream, as messages name them."""

_LITTLE_ENDIAN = (b"RIFF", b"RF64", b"BW64")


class _NotWhileArriving(AudioFileError):
    """All of it has to be there first."""


class ArrivingRecording(Decoding):
    """See `Decoding`. The constructor waits for the first samples.

    Args:
        reader: At the first byte of the container.
        kind: One of `recognition.STREAMED`.
        head: The first bytes, which `reader` will return too.
        may_keep: Whether what can only be read back and forth is kept in a file; otherwise it is
            an error.
    """

    def __init__(self, reader: Readable, kind: str, head: bytes, *, may_keep: bool = True) -> None:
        self._arrival = Arrival(reader)
        self._arriving = kind
        self._may_keep = may_keep
        super().__init__(BytesIO(head))

    def _find(self, file: BinaryIO, called: str) -> Found:
        return Found(self._arriving, 0)

    def _parts(self) -> Iterator[Part]:
        return arriving_parts(
            self._arrival,
            self._arriving,
            self._decoder.damage,
            required=True,
            may_keep=self._may_keep,
        )


class FollowingRecordings(ArrivingRecording):
    """What arrives behind a recording that was decoded elsewhere.

    All of it is brought to the rate and the channels of that one.

    Args:
        reader: At the first byte of what follows.
        kind: Of the container that begins there.
        before: The recording before.
        before_s: Seconds of it.
    """

    def __init__(self, reader: Readable, kind: str, before: Header, before_s: float) -> None:
        self._arrival = Arrival(reader)
        self._arriving = kind
        self._begin(BytesIO(), Found(before.container, 0))
        self._decoder.codec = before.codec
        self._decoder.decoded_s = before_s
        self.header = before

    def _parts(self) -> Iterator[Part]:
        return arriving_parts(self._arrival, self._arriving, self._decoder.damage, required=False)


def arriving_parts(
    arrival: Arrival, kind: str, damage: Damage, *, required: bool, may_keep: bool = True
) -> Iterator[Part]:
    """The parts of what arrives, in order; each has to be read before the next is asked for.

    Args:
        arrival: At the first byte of a container.
        kind: Of the container.
        damage: Gets what is seen to be missing.
        required: Without the first file there is nothing.
        may_keep: Whether a temporary file may be made.

    Raises:
        AudioFileError: The first file has no samples, and is required; or a file needs to be kept,
            and must not be.
    """
    here = kind
    while True:
        try:
            yield from _one_file(arrival, here, damage, may_keep=may_keep)
        except AudioFileError as problem:
            if required or isinstance(problem, _NotWhileArriving):
                raise
            damage.left_out(here, problem)
        if not arrival.look(1):
            return
        found = next_recording(arrival)
        if found.kind is None:
            return
        arrival.skip(found.start)
        required, here = False, found.kind


def _one_file(
    arrival: Arrival, kind: str, damage: Damage, *, may_keep: bool
) -> Generator[Part, None, None]:
    match kind:
        case "OGG":
            yield from links(Pages(arrival.read), damage, arriving=True)
            return
        case "WAV" if arrival.look(4) in _LITTLE_ENDIAN:
            yield from wave_parts(arrival, damage)
            return
        case "MP4" if _index_is_first(arrival):
            lengths = mp4(arrival, damage.note)
        case _ if (find := boundary(kind)) is not None:
            lengths = find(arrival)
        case _ if may_keep:
            yield from _kept(arrival, kind, damage)
            return
        case "MP4":
            raise _NotWhileArriving(
                "the MP4 file has its index (the box 'moov') at its end, and cannot be decoded "
                "while it arrives; allowed: fragments, or the index in front (ffmpeg -i FILE "
                "-c copy -movflags faststart OUT.mp4)"
            )
        case _:
            raise _NotWhileArriving(
                f"this {kind} file can only be decoded when all of it is there; allowed: "
                f"{', '.join(LIVE)}"
            )
    declared_s = None
    match kind:
        case "FLAC":
            declared_s = declared_by_flac(BytesIO(arrival.look(26)), 0)
        case "MP3":
            declared_s = declared_by_mp3(BytesIO(arrival.look(256)), 0)
    stretch = Stretch(arrival, lengths)
    yield Part(kind, DEMUXERS[kind], stretch, declared_s, arriving=True)
    stretch.finish()


def _index_is_first(arrival: Arrival) -> bool:
    while (is_first := index_is_first(arrival.ahead, ended=arrival.ended)) is None:
        arrival.more()
    return is_first


def _kept(arrival: Arrival, kind: str, damage: Damage) -> Iterator[Part]:
    """The parts of all that is still to come, from a temporary file."""
    with TemporaryFile() as file:
        kept = Kept(cast("BinaryIO", file), kind)
        while data := arrival.read(READ_BYTES):
            kept.add(data)
        yield from parts_of(kept.file, Found(kind, 0), damage)


class Kept:
    """What arrives, in a file, until all of it is there.

    Args:
        file: Open for writing and reading.
        kind: Of the container.
    """

    def __init__(self, file: BinaryIO, kind: str) -> None:
        self.file = file
        self._kind = kind
        self._size = 0

    def add(self, data: bytes) -> None:
        """Append these bytes.

        Raises:
            AudioFileError: It is too much.
        """
        self._size += len(data)
        if self._size > MAX_KEPT_BYTES:
            raise AudioFileError(
                f"this {self._kind} file can only be decoded when all of it is there, and more "
                f"than {MAX_KEPT_BYTES >> 30} GiB have come from the pipe; give it as a file"
            )
        self.file.write(data)
