"""The header of a WAV file at the beginning of audio that should have none. Pure.

Clients send a file as it is, header and all, as raw audio. The header is walked chunk by chunk, and
only the samples are returned. Audio that does not begin like a WAV file is returned unchanged.

https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import NamedTuple

from streamer.audio.format import AudioFormat
from streamer.audio.wave_format import wave_format
from streamer.recordings.riff import MAX_FMT_BYTES, UNKNOWN_BYTES, is_name

NAMES = (b"RIFF", b"RF64", b"BW64")
"""How a file with little-endian samples begins. The last two have lengths of 64 bits (EBU Tech
3306, ITU-R BS.2088); the length of their samples is taken as unknown."""

MAX_HEADER_BYTES = 1 << 24
"""Bytes before the samples, at most: pictures in a tag have a few million."""

MAX_BEHIND_BYTES = 1 << 24
"""Bytes of a chunk behind the samples, at most. Samples that look like a chunk's name have a length
of any size behind them."""

_BEGIN_BYTES = 12  # RIFF, size, WAVE
_HEAD_BYTES = 8  # of a chunk: name, size
_USUAL_NAMES = (b"data", b"fmt ", b"LIST", b"fact")


class WaveError(ValueError):
    """The header cannot be read; the message says why."""


class WaveHeader(NamedTuple):
    """What a header says of the samples.

    Attributes:
        format: Of each sample; None = one that a stream cannot take.
        tag: The code of the format, as it is in the header.
        data_bytes: Length of the samples; None = not known.
    """

    format: AudioFormat | None
    tag: int
    data_bytes: int | None


class _Place(Enum):
    BEGINNING = auto()
    HEADER = auto()
    SAMPLES = auto()
    BEHIND = auto()
    THROUGH = auto()

    __hash__ = object.__hash__


class RiffWalker:
    """Removes the header from one stream, cut anywhere.

    Attributes:
        header: The first one; None = there is none, or not yet.
    """

    def __init__(self) -> None:
        self.header: WaveHeader | None = None
        self._place = _Place.BEGINNING
        self._held = bytearray()
        """Bytes about which nothing is decided."""
        self._skip = 0
        """Bytes to be left out."""
        self._odd = False
        """Whether a byte of padding may follow."""
        self._fmt = b""
        self._header_bytes = 0
        self._left = 0
        """Bytes of samples that are still to come."""
        self._over = False
        self._steps: Mapping[_Place, Callable[[], bytes | None]] = {
            _Place.BEGINNING: self._begin,
            _Place.HEADER: self._walk,
            _Place.SAMPLES: self._take_samples,
            _Place.BEHIND: self._walk_behind,
            _Place.THROUGH: self._pass_on,
        }

    @property
    def settled(self) -> bool:
        """Whether it is known if there is a header, and what it says."""
        return self._place not in (_Place.BEGINNING, _Place.HEADER) or self.header is not None

    def push(self, data: bytes) -> bytes:
        """Take the next bytes; returns the samples among those that have come.

        Raises:
            WaveError: There is a header, and it cannot be read.
        """
        if self._place is _Place.THROUGH:
            return data
        self._held += data
        return self._advance()

    def finish(self) -> bytes:
        """There is no more; returns the samples that were held back.

        Raises:
            WaveError: There is a header, and no samples.
        """
        self._over = True
        rest = self._advance()
        if self._place is _Place.HEADER:
            what = "the samples" if self._fmt else "the format and the samples"
            raise WaveError(f"the header of the WAV audio is not complete: {what} are missing")
        if self._place is _Place.BEHIND and (self._skip or not any(self._held)):
            return rest
        return rest + self._take_held(len(self._held))

    def _advance(self) -> bytes:
        samples = bytearray()
        while (found := self._steps[self._place]()) is not None:
            samples += found
        return bytes(samples)

    # Each step returns samples, which may be none; or None: it needs more bytes.

    def _begin(self) -> bytes | None:
        held = self._held
        if not any(name.startswith(bytes(held[:4])) for name in NAMES):
            return self._move(_Place.THROUGH)
        if len(held) < _BEGIN_BYTES:
            return self._move(_Place.THROUGH) if self._over and self.header is None else None
        if held[8:12] != b"WAVE":
            return self._move(_Place.THROUGH)
        del held[:_BEGIN_BYTES]
        return self._move(_Place.HEADER)

    def _walk(self) -> bytes | None:
        held = self._held
        if not self._skipped() or not self._padded() or len(held) < _HEAD_BYTES:
            return None
        name, size = _head(held)
        if not is_name(name):
            raise WaveError(
                f"the header of the WAV audio is damaged: a chunk is named {name!r}; allowed: "
                "4 characters of ASCII"
            )
        if name == b"data":
            del held[:_HEAD_BYTES]
            self._open(size)
            return self._move(_Place.SAMPLES)
        self._header_bytes += _HEAD_BYTES + size
        if self._header_bytes > MAX_HEADER_BYTES:
            raise WaveError(
                f"the header of the WAV audio has {self._header_bytes} bytes or more before the "
                f"samples; allowed: {MAX_HEADER_BYTES}"
            )
        if name == b"fmt ":
            needed = _HEAD_BYTES + min(size, MAX_FMT_BYTES)
            if len(held) < needed:
                self._header_bytes -= _HEAD_BYTES + size  # it is looked at again
                return None
            self._fmt = bytes(held[_HEAD_BYTES:needed])
        del held[:_HEAD_BYTES]
        self._skip, self._odd = size, bool(size % 2)
        return b""

    def _take_samples(self) -> bytes | None:
        samples = self._take_held(min(self._left, len(self._held)))
        self._left -= len(samples)
        if not self._left:
            return samples + self._move(_Place.BEHIND)
        return samples or None

    def _walk_behind(self) -> bytes | None:
        """Leave out chunks behind the samples; anything else is samples: the length was wrong."""
        held = self._held
        if not self._skipped():
            return None
        padding = int(self._odd and held[:1] == b"\0")
        if len(held) < padding + _BEGIN_BYTES and not (
            self._over and len(held) >= padding + _HEAD_BYTES
        ):
            return None
        if held[padding : padding + 4] in NAMES and held[padding + 8 : padding + 12] == b"WAVE":
            del held[:padding]
            self._odd, self._header_bytes = False, 0
            return self._move(_Place.BEGINNING)
        name, size = _head(held[padding:])
        if not is_name(name) or size > MAX_BEHIND_BYTES:
            return self._move(_Place.THROUGH)
        del held[: padding + _HEAD_BYTES]
        self._skip, self._odd = size, bool(size % 2)
        return b""

    def _pass_on(self) -> bytes | None:
        return self._take_held(len(self._held)) or None

    def _open(self, size: int) -> None:
        header = WaveHeader(
            wave_format(self._fmt),
            int.from_bytes(self._fmt[:2], "little"),
            size if 0 < size < UNKNOWN_BYTES else None,
        )
        if not self._fmt:
            raise WaveError("the header of the WAV audio is damaged: the format is missing")
        if self.header is not None and self.header.format != header.format:
            raise WaveError("a second WAV header has another format than the first")
        self.header = self.header or header
        self._left, self._odd = header.data_bytes or 0, bool(size % 2)

    def _move(self, place: _Place) -> bytes:
        if place is _Place.SAMPLES and not self._left:  # of unknown length: up to the end
            place = _Place.THROUGH
        self._place = place
        return b""

    def _skipped(self) -> bool:
        """Whether all is left out that should be."""
        count = min(self._skip, len(self._held))
        del self._held[:count]
        self._skip -= count
        return not self._skip

    def _padded(self) -> bool:
        """Whether the padding behind an odd chunk is left out; some programs write none."""
        if not self._odd:
            return True
        if len(self._held) < 5:
            return False
        missing = is_name(bytes(self._held[:4])) and self._held[1:5] not in _USUAL_NAMES
        del self._held[: 0 if missing else 1]
        self._odd = False
        return True

    def _take_held(self, count: int) -> bytes:
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken


def _head(held: bytearray) -> tuple[bytes, int]:
    return bytes(held[:4]), int.from_bytes(held[4:8], "little")
