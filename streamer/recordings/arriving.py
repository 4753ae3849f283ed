"""A recording that is decoded while it arrives, from a pipe that cannot seek."""

from collections.abc import Iterator
from io import BytesIO

from streamer.recordings.containers import DEMUXERS, Found
from streamer.recordings.decoding import Decoding
from streamer.recordings.lengths import declared_by_flac, declared_by_mp3
from streamer.recordings.ogg import Pages
from streamer.recordings.parts import Part, links
from streamer.recordings.view import Readable


class ArrivingRecording(Decoding):
    """See `Decoding`. The constructor waits for the first samples.

    Args:
        reader: At the first byte of the container.
        kind: One of `recognition.STREAMED`.
        head: The first bytes, which `reader` will return too.
    """

    def __init__(self, reader: Readable, kind: str, head: bytes) -> None:
        self._reader = _Forward(reader)
        self._arriving = kind
        super().__init__(BytesIO(head))

    def _find(self, called: str) -> Found:
        return Found(self._arriving, 0)

    def _parts(self) -> Iterator[Part]:
        declared_s = None
        match self._arriving:
            case "OGG":
                yield from links(Pages(self._reader.read), self._damage, arriving=True)
                return
            case "MP3":
                declared_s = declared_by_mp3(self._file, 0)
            case "FLAC":
                declared_s = declared_by_flac(self._file, 0)
        kind = self._arriving
        yield Part(kind, DEMUXERS[kind], self._reader, declared_s, arriving=True)


class _Forward:
    """A reader as a file that cannot seek."""

    def __init__(self, reader: Readable) -> None:
        self._reader = reader

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is not."""
        return False

    def read(self, count: int) -> bytes:
        """See `Readable`."""
        return self._reader.read(count)
