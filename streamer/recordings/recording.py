"""A recording as the server reads it: block by block, from the beginning to the end."""

from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import PcmDecoder
from streamer.recordings.containers import HEAD_BYTES, kind_of
from streamer.recordings.errors import AudioFileError
from streamer.recordings.threads import in_thread

Rows = npt.NDArray[np.float32]

BLOCK_S = 1.0
"""Seconds of raw PCM that are read at a time."""


class Recording(Protocol):
    """Audio of one format, read from the beginning to the end."""

    kind: str
    """One of `containers.DEMUXERS`, or PCM."""
    sample_rate: int
    """Hz."""

    @property
    def channels(self) -> int:
        """Samples per frame."""

    @property
    def bad_samples(self) -> int:
        """Samples zeroed so far, because they were not finite."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """At the end: what is missing or was skipped, in sentences."""

    @property
    def declared_s(self) -> float | None:
        """Seconds, as the header says, which may be wrong; None = unknown."""

    async def read(self) -> Rows:
        """The next second or less, float32 [channels, n]; n = 0 at the end.

        Raises:
            AudioFileError: It cannot be decoded any further.
        """

    def close(self) -> None:
        """Let go of what it holds."""


class PcmRecording:
    """Raw PCM. numpy reads it, so it needs no process of its own.

    Args:
        file: Open for reading, at its beginning. `close` leaves it open.
        fmt: The format of the bytes; it has no `problem`.

    Raises:
        AudioFileError: The file has a header of a container, or no samples, or ends within a frame.
    """

    kind = "PCM"
    warnings = ()

    def __init__(self, file: BinaryIO, fmt: AudioFormat) -> None:
        self._file = file
        self._decoder = PcmDecoder(fmt)
        self._block_bytes = round(BLOCK_S * fmt.sample_rate) * fmt.bytes_per_frame
        self.sample_rate = fmt.sample_rate
        self.channels = fmt.channels
        kind = kind_of(file.read(HEAD_BYTES))
        size = file.seek(0, 2)
        file.seek(0)
        if kind is not None:
            raise AudioFileError(f"the body is a {kind} file; allowed here: raw PCM")
        frames, rest = divmod(size, fmt.bytes_per_frame)
        if rest:
            raise AudioFileError(
                f"the body has {size} bytes and ends within a frame; "
                f"allowed: a multiple of {fmt.bytes_per_frame}"
            )
        if not frames:
            raise AudioFileError("the recording holds no audio")
        self.declared_s = frames / fmt.sample_rate

    @property
    def bad_samples(self) -> int:
        """See `Recording`."""
        return self._decoder.bad_samples

    async def read(self) -> Rows:
        """See `Recording`."""
        return await in_thread(self._read)

    def _read(self) -> Rows:
        return self._decoder.decode(self._file.read(self._block_bytes))

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
    def bad_samples(self) -> int:
        """See `Recording`."""
        return self._recording.bad_samples

    @property
    def warnings(self) -> tuple[str, ...]:
        """See `Recording`."""
        return self._recording.warnings

    @property
    def declared_s(self) -> float | None:
        """See `Recording`."""
        return self._recording.declared_s

    async def read(self) -> Rows:
        """See `Recording`."""
        rows = await self._recording.read()
        return rows if len(rows) == 1 else rows.mean(axis=0, keepdims=True, dtype=np.float32)

    def close(self) -> None:
        """See `Recording`."""
        self._recording.close()
