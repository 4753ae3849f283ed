"""A WAV file on standard input, whose samples are sent as they are, and what follows it."""

from collections.abc import AsyncGenerator
from tempfile import TemporaryFile

from streamer.recordings.errors import AudioFileError as RecordingError
from streamer.recordings.recognition import recognise
from streamer.recordings.riff import shortfall
from streamer_client.errors import AudioFileError
from streamer_client.pipe import READ_BYTES, Pipe
from streamer_client.wav import WavData, WavIncomplete, parse_wav

NAME = "standard input"

_MOST_HEADER_BYTES = 1 << 26
"""Bytes of a WAV file before its samples, at most."""

_MOST_CHUNK_BYTES = 1 << 24
"""Bytes of a chunk behind the samples, at most: pictures in a tag have a few million. Four samples
that look like a chunk's name have a length of any size behind them."""

_TAG_BYTES = 128
"""Bytes of an ID3v1 tag, which ends a file."""


class WavInput:
    """The samples of a WAV file, as they come; those of files that follow it, too."""

    live = False
    replayable = False
    duration_s = None

    def __init__(self, pipe: Pipe, wav: WavData) -> None:
        self._pipe = pipe
        self._wav = wav
        self._zeros = 0
        """Bytes behind the declared samples, which are samples too if others follow."""
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
        empty = True
        while wav is not None:
            await self._pipe.skip(wav.offset_bytes)
            for zeros in range(self._zeros, 0, -size_bytes):
                yield bytes(min(size_bytes, zeros))
            self._zeros = 0
            left_bytes = wav.size_bytes
            while left_bytes != 0:
                most_bytes = size_bytes if left_bytes is None else min(size_bytes, left_bytes)
                if not (chunk := await self._pipe.read(most_bytes)):
                    break
                empty = False
                left_bytes = None if left_bytes is None else left_bytes - len(chunk)
                yield chunk
            if left_bytes and wav.size_bytes is not None:
                there_bytes = wav.size_bytes - left_bytes
                note = shortfall(wav.size_bytes, there_bytes, wav.format.bytes_per_second)
                self.warnings += [note] if note else []
            wav = await self._next(wav) if left_bytes == 0 else None
        if self._other is not None:
            async for chunk in self._decoded(self._other, size_bytes):
                empty = False
                yield chunk
        if empty:
            raise AudioFileError(f"{NAME}: the WAV file holds no audio")

    async def _next(self, wav: WavData) -> WavData | None:
        """The samples that follow those of `wav`: of another file, or more than it declared.

        None = there are none that can be sent as they are.
        """
        assert wav.size_bytes is not None
        while head := await self._pipe.look_at(8):
            if wav.size_bytes % 2 and head[:1] == b"\0":  # chunks are padded to an even length
                await self._pipe.skip(1)
                wav = wav._replace(size_bytes=0)
                continue
            while (found := recognise(self._pipe.head, ended=self._pipe.ended)) is None:
                await self._pipe.look()
            if found.kind is not None:
                following = await plain_wav(self._pipe, found.start, damaged_ok=True)
                if following is not None and following.format == wav.format:
                    self._zeros = 0
                    return following
                self._other = found.kind
                return None
            if found.start:
                await self._pipe.skip(found.start)  # tags
            elif head[:3] == b"TAG" and len(await self._pipe.look_at(_TAG_BYTES + 1)) == _TAG_BYTES:
                await self._pipe.skip(_TAG_BYTES)
            elif not head.strip(b"\0"):
                self._zeros += len(head)
                await self._pipe.skip(len(head))
            elif (chunk_bytes := await self._chunk_bytes(head)) is not None:
                await self._pipe.skip(chunk_bytes)
            else:
                return wav._replace(offset_bytes=0, size_bytes=None)
        return None

    async def _chunk_bytes(self, head: bytes) -> int | None:
        """Bytes of the chunk that begins with `head`; None = these are samples.

        As in a file: what would reach beyond the end of input is no chunk.
        """
        size = int.from_bytes(head[4:], "little")
        is_name = len(head) == 8 and all(0x20 <= byte < 0x7F for byte in head[:4])
        if not is_name or size > _MOST_CHUNK_BYTES:
            return None
        there = len(await self._pipe.look_at(8 + size + size % 2))
        return there if there >= 8 + size else None

    async def _decoded(self, kind: str, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """The samples of the files that follow, in the format that was announced."""
        from streamer_client.decode import converted

        with TemporaryFile() as spooled:
            while data := await self._pipe.read(READ_BYTES):
                spooled.write(data)
            try:
                for chunk in converted(spooled, self.format, size_bytes, self.warnings):
                    yield chunk
            except RecordingError as error:
                self.warnings.append(f"another file follows the WAV file, and is left out: {error}")


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
