"""The audio of a client, brought into what a stream takes: raw, one format, known before it starts.

With `encoding` in the query the audio is raw. Without, its first bytes say what it is: a WAV file
that is streamed as it is, another container, which the pipeline decodes, or raw audio of 16 bits
whose rate is in the query. Several channels that are to have one transcript are mixed here, if they
are raw. Pure.
"""

from typing import NamedTuple

import msgspec
import numpy as np

from streamer.audio.containers import HEAD_BYTES, container_of, may_begin_container
from streamer.audio.format import CONTAINER, AudioFormat
from streamer.audio.pcm import PcmDecoder
from streamer.audio.wave_format import wave_format
from streamer.http.deepgram_query import ENCODINGS, NAMES, ListenQuery
from streamer.protocol.requests import BadRequest

WAVE_NAME = b"RIFF"
"""The first bytes of a WAV file."""

DECODED = ("OGG", "WebM", "MP3", "FLAC", "AAC", "MP4", "AMR", "WAV")
"""Containers that the pipeline decodes as they come."""

SHORTEST_HEAD = 12
"""Bytes by which WAV is recognized."""


class WaveHead(NamedTuple):
    """The beginning of a WAV file: the format of its samples, and the byte at which they begin."""

    format: AudioFormat
    start: int


class IncomingAudio:
    """One client's audio, cut anywhere.

    Args:
        query: What the client says of it.
        max_channels: The most channels that the server takes.

    Attributes:
        seconds: Length of what has come so far; 0 in a container that the pipeline decodes.
    """

    def __init__(self, query: ListenQuery, max_channels: int) -> None:
        self._query = query
        self._max_channels = max_channels
        self._head = b""
        self._format: AudioFormat | None = None
        self._mixer: PcmDecoder | None = None
        self._failed = False
        self.seconds = 0.0
        if query.in_container:
            self._begin_container()
        elif query.format is not None:
            self._begin(query.format)

    @property
    def format(self) -> AudioFormat | None:
        """Of what `push` returns; None = it is not known yet."""
        if self._mixer is None or self._format is None:
            return self._format
        return AudioFormat(self._format.sample_rate, 1, 32, is_float=True)

    def push(self, frame: bytes) -> bytes:
        """Take the next bytes; returns those that a stream can take.

        Raises:
            BadRequest: The audio cannot be used. What follows it is ignored.
        """
        if self._failed:
            return b""
        if self._format is None:
            frame = self._find_format(self._head + frame, over=False)
        if self._format is not None and not self._format.is_container:
            self.seconds += len(frame) / self._format.bytes_per_second
        if self._mixer is None:
            return frame
        rows = self._mixer.decode(frame)
        mixed: bytes = rows.mean(axis=0, dtype=np.float32).astype("<f4").tobytes()
        return mixed

    def settle(self, *, over: bool) -> bytes:
        """Decide on the format now, because there will be no more, or no more soon.

        Args:
            over: Whether there will be no more. Otherwise nothing is decided while a WAV file may
                still begin, or its header come: it would be taken at another rate than its own.

        Returns:
            As `push`.

        Raises:
            BadRequest: As from `push`.
        """
        if self._failed or self._format is not None:
            return b""
        head_may_come = not self._head or may_begin_container(self._head)
        if not over and (head_may_come or container_of(self._head) == "WAV"):
            return b""
        head, self._head = self._find_format(self._head, over=True), b""
        return self.push(head)

    def _find_format(self, head: bytes, *, over: bool) -> bytes:
        """Decide by the first bytes; returns those that are audio.

        Args:
            head: All that has come.
            over: Whether nothing more will.
        """
        self._head = head
        container = container_of(head)
        if container == "WAV":
            if wave := wave_head(head):
                self._begin(wave.format)
                return head[wave.start :]
            if not over and len(head) <= HEAD_BYTES:
                return b""
        if container in DECODED:
            self._begin_container()
            return head
        if container is not None:
            allowed = ", ".join(DECODED)
            raise self._failure(
                f"the audio is in {container} format; allowed: {allowed}, or raw audio"
            )
        if len(head) < HEAD_BYTES and not over:
            return b""
        if self._query.sample_rate is None and head:
            raise self._failure(
                "'encoding' is missing, and the audio is in no known format; allowed: "
                + ", ".join(ENCODINGS)
            )
        rate = self._query.sample_rate or ENCODINGS["linear16"].sample_rate
        self._begin(AudioFormat(rate, self._query.channels))
        return head

    def _begin_container(self) -> None:
        """The pipeline decodes it, and mixes its channels unless each is to have a transcript."""
        channels = self._query.channels if self._query.true("multichannel") else 1
        container = msgspec.structs.replace(CONTAINER, channels=channels)
        if problem := container.problem(self._max_channels, NAMES):
            raise self._failure(problem)
        self._format, self._head = container, b""

    def _begin(self, given: AudioFormat) -> None:
        if problem := given.problem(self._max_channels, NAMES):
            raise self._failure(problem)
        self._format, self._head = given, b""
        if given.channels > 1 and not self._query.true("multichannel"):
            self._mixer = PcmDecoder(given)

    def _failure(self, message: str) -> BadRequest:
        self._failed, self._head = True, b""
        return BadRequest("bad_format", message)


def wave_head(head: bytes) -> WaveHead | None:
    """Read the header of a WAV file, as far as it has come.

    https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html

    Returns:
        None = it is not whole yet, or has no format that a stream can take.
    """
    found: AudioFormat | None = None
    at = SHORTEST_HEAD
    while head[:4] == WAVE_NAME and at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        at += 8
        if name == b"data":
            return WaveHead(found, at) if found else None
        if name == b"fmt ":
            found = wave_format(head[at : at + size])
        at += size + size % 2
    return None
