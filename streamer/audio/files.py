"""Recordings: files that libsndfile decodes, and raw PCM, read block by block from the beginning.

Only the requested block is held in memory. All calls block for as long as decoding takes: code in
an event loop must call `read` in a thread.
"""

import re
from collections.abc import Mapping
from typing import BinaryIO, Literal, Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import PcmDecoder, clean_floats

Rows = npt.NDArray[np.float32]

CONTAINERS: Mapping[str, tuple[str, ...]] = {
    "WAV": ("WAV", "WAVEX", "RF64"),
    "FLAC": ("FLAC",),
    "OGG": ("OGG",),
    "MP3": ("MP3",),
    "AIFF": ("AIFF",),
}
"""The containers that are accepted, and libsndfile's names for each. libsndfile can read more, most
of it out of use: more code that untrusted bytes would reach."""

HEAD_BYTES = 12
"""Bytes at the beginning that identify the container."""

UNKNOWN_LENGTH = 0x7FFF_0000
"""Bytes. A WAV header that declares this length or more does not state the real one: a program that
writes to a pipe declares the maximum, ffmpeg 2**32 - 1, others 2**31 - 1 or a little less."""

MP3_FRAME = 1_152
"""Samples. An MP3's header may declare up to this many too many: encoders round up to a frame."""

_SHORT = re.compile(r":\s*(\d+) \(should be (\d+)\)")
"""libsndfile's report of a chunk whose declared length is larger than the rest of the file."""


class AudioFileError(ValueError):
    """A recording that cannot be used; the message gives the reason in one sentence.

    Attributes:
        code: `unsupported_media_type` if it is not an audio file, else `bad_audio`.
    """

    def __init__(
        self, message: str, code: Literal["unsupported_media_type", "bad_audio"] = "bad_audio"
    ) -> None:
        super().__init__(message)
        self.code = code


class Recording(Protocol):
    """Audio of one format, read from the beginning to the end."""

    kind: str
    """One of `CONTAINERS`, or PCM."""
    sample_rate: int
    """Hz."""

    @property
    def channels(self) -> int:
        """Samples per frame."""

    @property
    def bad_samples(self) -> int:
        """Samples zeroed so far, because they were not finite."""

    @property
    def frames(self) -> int:
        """Declared number of frames; the real number may be smaller."""

    def read(self, frames: int) -> Rows:
        """The next frames, float32 [channels, n]; n = 0 at the end.

        Raises:
            AudioFileError: The recording is damaged or not complete.
        """

    def close(self) -> None:
        """Release the file; not to be called during `read`."""


def container(head: bytes) -> str | None:
    """The one of `CONTAINERS` that begins with these bytes. None = none does."""
    match head[:4], head[8:12]:
        case (b"RIFF" | b"RF64", b"WAVE"):
            return "WAV"
        case (b"FORM", b"AIFF" | b"AIFC"):
            return "AIFF"
        case (b"fLaC", _):
            return "FLAC"
        case (b"OggS", _):
            return "OGG"
    # An MPEG audio frame begins with eleven set bits (ISO 11172-3, 2.4.1.3).
    synchronised = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return "MP3" if head[:3] == b"ID3" or synchronised else None


class _Sequential(soundfile.SoundFile):  # type: ignore[misc] # it has no types
    """A sound file read from beginning to end.

    `soundfile` seeks after every read of a seekable file. That is useless here, and in an MP3 it
    resets the decoder at the beginning of every block, which gives wrong samples.
    """

    def seekable(self) -> bool:
        return False


class SoundFile:
    """A recording that libsndfile decodes: WAV, FLAC, OGG (Vorbis, Opus, FLAC), MP3 or AIFF.

    Args:
        file: Open for reading, at its beginning. `close` leaves it open.

    Raises:
        AudioFileError: The file is not one of these, or damaged, or not complete.
    """

    def __init__(self, file: BinaryIO) -> None:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        kind = container(head)
        if kind is None:
            what = "is empty" if not head else "is not an audio file"
            allowed = ", ".join(CONTAINERS)
            raise AudioFileError(
                f"the body {what}; allowed: {allowed}",
                "unsupported_media_type" if head else "bad_audio",
            )
        self.kind = kind
        try:
            self._sound = _Sequential(file)
        except (soundfile.LibsndfileError, TypeError) as error:
            raise AudioFileError(
                f"the {kind} file is damaged or not complete: {_reason(error)}"
            ) from None
        self.sample_rate: int = self._sound.samplerate
        self.channels: int = self._sound.channels
        self.bad_samples = 0
        self._decoded = 0
        try:
            self._check()
        except AudioFileError:
            self.close()
            raise

    @property
    def frames(self) -> int:
        """As the file's header declares."""
        return int(self._sound.frames)

    def read(self, frames: int) -> Rows:
        """See `Recording`."""
        block = np.empty((frames, self.channels), np.float32)
        try:
            count = self._sound.buffer_read_into(block, dtype="float32")
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                f"the {self.kind} file is damaged after {self._decoded / self.sample_rate:g} s "
                f"or not complete: {_reason(error)}"
            ) from None
        self._decoded += count
        if not count:
            self._check_end()
        rows, bad = clean_floats(block[:count].T)
        self.bad_samples += bad
        return np.ascontiguousarray(rows)

    def close(self) -> None:
        """See `Recording`."""
        self._sound.close()

    def _check(self) -> None:
        """Check what is visible before decoding."""
        if self._sound.format not in CONTAINERS[self.kind]:
            raise AudioFileError(f"the {self.kind} file holds {self._sound.format}")
        self._check_log()

    def _check_log(self) -> None:
        """Check what libsndfile logs without an error."""
        log = self._sound.extra_info
        if "without an End-Of-Stream" in log:
            raise AudioFileError("the OGG file is not complete: its last page is missing")
        for declared, found in _SHORT.findall(log):
            if int(found) < int(declared) < UNKNOWN_LENGTH:
                raise AudioFileError(
                    f"the {self.kind} file is not complete: its header declares {declared} bytes, "
                    f"{found} are there"
                )

    def _check_end(self) -> None:
        """Check what is visible only after decoding."""
        self._check_log()
        tolerance = MP3_FRAME if self.kind == "MP3" else 0
        if self._decoded + tolerance < self.frames:
            raise AudioFileError(
                f"the {self.kind} file is not complete: its header declares "
                f"{self.frames / self.sample_rate:g} s, {self._decoded / self.sample_rate:g} s "
                "are there"
            )


class PcmFile:
    """A recording of raw PCM.

    Args:
        file: Open for reading, at its beginning. `close` leaves it open.
        fmt: The format of the bytes; it has no `problem`.

    Raises:
        AudioFileError: The file has a header of a container, or ends within a frame.
    """

    kind = "PCM"

    def __init__(self, file: BinaryIO, fmt: AudioFormat) -> None:
        self._file = file
        self._format = fmt
        self._decoder = PcmDecoder(fmt)
        self.sample_rate = fmt.sample_rate
        self.channels = fmt.channels
        kind = container(file.read(HEAD_BYTES))
        size = file.seek(0, 2)
        file.seek(0)
        # Two bytes are enough to look like an MP3; those of loud noise can be the same.
        if kind not in (None, "MP3"):
            raise AudioFileError(f"the body is a {kind} file; allowed here: raw PCM")
        self.frames, rest = divmod(size, fmt.bytes_per_frame)
        if rest:
            raise AudioFileError(
                f"the body has {size} bytes and ends within a frame; "
                f"allowed: a multiple of {fmt.bytes_per_frame}"
            )

    @property
    def bad_samples(self) -> int:
        """See `Recording`."""
        return self._decoder.bad_samples

    def read(self, frames: int) -> Rows:
        """See `Recording`."""
        return self._decoder.decode(self._file.read(frames * self._format.bytes_per_frame))

    def close(self) -> None:
        """Nothing to do: the caller closes the file."""


class Mixed:
    """The channels of a recording, mixed down to one: their mean."""

    channels = 1

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.kind = recording.kind
        self.sample_rate = recording.sample_rate

    @property
    def frames(self) -> int:
        """See `Recording`."""
        return self._recording.frames

    @property
    def bad_samples(self) -> int:
        """See `Recording`."""
        return self._recording.bad_samples

    def read(self, frames: int) -> Rows:
        """See `Recording`."""
        rows = self._recording.read(frames)
        return rows if len(rows) == 1 else rows.mean(axis=0, keepdims=True, dtype=np.float32)

    def close(self) -> None:
        """See `Recording`."""
        self._recording.close()


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", error)).strip().rstrip(".").lower()
