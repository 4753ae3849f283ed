"""A WAV file on standard input, whose samples are sent as they are, and what follows it."""

import asyncio
from collections.abc import AsyncGenerator

from streamer.recordings.arrival import Arrival
from streamer.recordings.recognition import recognise
from streamer.recordings.riff import shortfall
from streamer.recordings.wave_end import more_samples
from streamer_client.errors import AudioFileError
from streamer_client.pipe import Pipe
from streamer_client.undecoded import decoder_is_installed, needs_decoder
from streamer_client.wav import WavData, WavIncomplete, parse_wav

NAME = "standard input"

_MOST_HEADER_BYTES = 1 << 26
"""Bytes of a WAV file before its samples, at most."""


class WavInput:
    """The samples of a WAV file, as they come; those of files that follow it, too."""

    live = False
    replayable = False
    duration_s = None

    def __init__(self, pipe: Pipe, wav: WavData) -> None:
        self._pipe = pipe
        self._wav = wav
        self._other: str | None = None
        """The container of what follows, if it has to be decoded."""
        self.format = wav.format
        self.warnings: list[str] = []

    async def chunks(self, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Yield the samples until the end of input.

        Raises:
            AudioFileError: there are none.
        """
        wav: WavData | None = self._wav
        sent_bytes = 0
        while wav is not None:
            await self._pipe.skip(wav.offset_bytes)
            left_bytes = wav.size_bytes
            while left_bytes != 0:
                most_bytes = size_bytes if left_bytes is None else min(size_bytes, left_bytes)
                if not (chunk := await self._pipe.read(most_bytes)):
                    break
                sent_bytes += len(chunk)
                left_bytes = None if left_bytes is None else left_bytes - len(chunk)
                yield chunk
            if left_bytes and wav.size_bytes is not None:
                there_bytes = wav.size_bytes - left_bytes
                note = shortfall(wav.size_bytes, there_bytes, wav.format.bytes_per_second)
                self.warnings += [note] if note else []
            wav = await self._next(wav) if left_bytes == 0 else None
        if self._other is not None:
            if not decoder_is_installed():
                raise needs_decoder(NAME, "what follows the WAV file")
            from streamer_client.arriving_input import ArrivingInput

            others = ArrivingInput(self._pipe)
            others.follow(self._other, self.format, sent_bytes)
            async for chunk in others.chunks(size_bytes):
                sent_bytes += len(chunk)
                yield chunk
            self.warnings += others.warnings
        if not sent_bytes:
            raise AudioFileError(f"{NAME}: the WAV file holds no audio")

    async def _next(self, wav: WavData) -> WavData | None:
        """The samples that follow those of `wav`: of another file, or more than it declared.

        None = there are none that can be sent as they are.
        """
        if not await self._pipe.look_at(1):
            return None
        assert wav.size_bytes is not None
        odd = bool(wav.size_bytes % 2)
        if await asyncio.to_thread(self._more_samples, odd=odd):
            return wav._replace(offset_bytes=0, size_bytes=None)
        if not self._pipe.head:
            return None
        found = recognise(self._pipe.head, ended=self._pipe.ended)
        assert found is not None
        assert found.kind is not None
        following = await plain_wav(self._pipe, 0, damaged_ok=True)
        if following is not None and following.format == wav.format:
            return following
        self._other = found.kind
        return None

    def _more_samples(self, *, odd: bool) -> bool:
        arrival = Arrival(self)
        try:
            return more_samples(arrival, odd=odd)
        finally:
            self._pipe.put_back(arrival.ahead)

    def read(self, count: int) -> bytes:
        """Wait for bytes behind the samples; `Arrival` calls it, in a thread."""
        return self._pipe.read_from_thread(count)


async def plain_wav(pipe: Pipe, start: int, *, damaged_ok: bool = False) -> WavData | None:
    """Where the samples of a WAV file are that are sent as they are. None = it has none."""
    while True:
        try:
            wav = parse_wav(pipe.head[start:], ended=pipe.ended)
        except WavIncomplete:
            if len(pipe.head) > _MOST_HEADER_BYTES:
                if damaged_ok:
                    return None
                raise AudioFileError(f"{NAME}: the WAV file has no samples") from None
            await pipe.look()
            continue
        except ValueError as error:
            if damaged_ok:
                return None
            raise AudioFileError(f"{NAME}: the WAV file is damaged: {error}") from error
        if wav is None or wav.encoding is None:
            return None
        return wav._replace(offset_bytes=start + wav.offset_bytes)
