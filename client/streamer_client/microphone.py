"""The default microphone, through the optional `sounddevice`."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from streamer_client.errors import AudioFileError
from streamer_client.formats import AudioFormat

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BACKLOG_S = 30.0
"""Seconds of audio that may wait for the connection."""


class Microphone:
    """16-bit audio from the default input device until the user ends it.

    Raises:
        AudioFileError: `sounddevice` is missing, or has no usable device.
    """

    live = True
    replayable = False
    duration_s = None

    def __init__(self, sample_rate: int, channels: int) -> None:
        try:
            import sounddevice
        except ImportError as error:
            raise AudioFileError(
                "--mic needs the Python package sounddevice: "
                f"{sys.executable} -m pip install sounddevice"
            ) from error
        except OSError as error:
            raise AudioFileError(
                f"--mic needs the library PortAudio ({error}): apt install libportaudio2, "
                "or brew install portaudio"
            ) from error
        self._sounddevice = sounddevice
        self.format = AudioFormat(sample_rate, channels, 16)
        self.warnings: list[str] = []

    def __enter__(self) -> "Microphone":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield what is recorded until the caller stops asking.

        Raises:
            AudioFileError: there is no microphone, or the connection is too slow for it.
        """
        loop = asyncio.get_running_loop()
        backlog = max(1, int(_BACKLOG_S * self.format.bytes_per_second / size_bytes))
        queue: asyncio.Queue[bytes] = asyncio.Queue(backlog)
        overflow = asyncio.Event()

        def keep(block: bytes) -> None:
            try:
                queue.put_nowait(block)
            except asyncio.QueueFull:
                overflow.set()

        # Called on PortAudio's own thread, with memory that it takes back on return.
        def captured(data: "Buffer", frames: int, time: object, status: object) -> None:
            loop.call_soon_threadsafe(keep, memoryview(data).tobytes())

        try:
            recording = self._sounddevice.RawInputStream(
                samplerate=self.format.sample_rate,
                channels=self.format.channels,
                dtype="int16",
                blocksize=max(1, size_bytes // self.format.frame_bytes),
                callback=captured,
            )
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise AudioFileError(f"no microphone can be opened: {error}") from error
        with recording:
            while not overflow.is_set():
                yield await queue.get()
        raise AudioFileError(
            f"the connection is more than {_BACKLOG_S:g} s behind the microphone; giving up"
        )
