"""The audio of a client, brought into what a stream takes: one format, known before it starts.

Raw audio may have a WAV header, which is left out if it agrees with what the client says. Without
an encoding the first bytes say what the audio is: a WAV file, or another container, which the
pipeline decodes, as it does where the encoding means one. Several channels that are to have one
transcript are mixed here, if they are raw. Pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from streamer.audio.containers import HEAD_BYTES, container_of
from streamer.audio.format import CONTAINER, AudioFormat
from streamer.audio.pcm import PcmDecoder
from streamer.config.explain import show
from streamer.protocol.requests import BadRequest
from streamer.rpc.recognition.encodings import FIELD, Encoding
from streamer.rpc.riff import NAMES as WAVE_NAMES
from streamer.rpc.riff import RiffWalker, WaveError, WaveHeader

RATE = "config.sample_rate_hertz"
CHANNELS = "config.audio_channel_count"
NAMES = {"sample_rate": RATE, "channels": CHANNELS, "bit_depth": FIELD, "is_float": FIELD}
"""What the client calls each field of an `AudioFormat`."""


class DeclaredAudio(NamedTuple):
    """What a client says of its audio.

    Attributes:
        encoding: Of the samples, or that they come in a container.
        sample_rate: In Hz; 0 = not given.
        channels: 0 = not given.
        separate: Whether each channel is to have its own results; otherwise they are mixed.
    """

    encoding: Encoding
    sample_rate: int
    channels: int
    separate: bool


class IncomingAudio:
    """One client's audio, cut anywhere.

    Args:
        declared: What the client says of it.
        max_channels: The most channels that the server takes.
        encodings: Names of all encodings that are allowed.

    Attributes:
        format: Of what `push` returns; None = it is not known yet.

    Raises:
        BadRequest: There is no such format.
    """

    def __init__(
        self, declared: DeclaredAudio, max_channels: int, encodings: Sequence[str]
    ) -> None:
        self.format: AudioFormat | None = None
        self._declared = declared
        self._max_channels = max_channels
        self._encodings = encodings
        self._walker: RiffWalker | None = RiffWalker() if declared.encoding.raw else None
        self._head = b""
        self._mixer: PcmDecoder | None = None
        self._failed = False
        if declared.encoding.raw and declared.sample_rate:
            self._check(self._raw_format(declared.encoding.raw))
        if declared.encoding.known and not declared.encoding.raw:
            self._begin_container()

    def push(self, data: bytes) -> bytes:
        """Take the next bytes; returns those that a stream can take.

        Raises:
            BadRequest: The audio cannot be used. What follows it is ignored.
        """
        if self._failed:
            return b""
        if self._walker is None and self.format is None:
            data = self._look(data, over=False)
        return self._mixed(self._walk(data) if self._walker is not None else data)

    def finish(self) -> bytes:
        """There is no more; returns what was held back, as `push`. Then the format is known.

        Raises:
            BadRequest: As from `push`.
        """
        if self._failed:
            return b""
        rest = b""
        if self._walker is None and self.format is None:
            rest = self._look(b"", over=True)
        if self._walker is not None:
            rest = self._walk(rest)
            try:
                rest += self._walker.finish()
            except WaveError as error:
                raise self._failure(str(error)) from None
            self._settle()
        return self._mixed(rest)

    def _look(self, data: bytes, *, over: bool) -> bytes:
        """Decide by the first bytes what the audio is; returns the bytes, once it has."""
        self._head += data
        head = self._head
        if head[:4] in WAVE_NAMES and head[8:12] == b"WAVE":
            self._walker = RiffWalker()
        elif container_of(head) is not None:
            self._begin_container()
        elif len(head) < HEAD_BYTES and not over:
            return b""
        elif head:
            allowed = ", ".join(self._encodings)
            raise self._failure(
                f"'{FIELD}' is {self._declared.encoding.name}, and the audio is in no known "
                f"format; allowed for raw audio: {allowed}"
            )
        else:
            self.format = AudioFormat(self._declared.sample_rate or 16_000)  # of no audio
        self._head = b""
        return head

    def _walk(self, data: bytes) -> bytes:
        walker = self._walker
        assert walker is not None
        try:
            samples = walker.push(data)
        except WaveError as error:
            raise self._failure(str(error)) from None
        if walker.settled:
            self._settle()
        return samples

    def _settle(self) -> None:
        """It is known what the header says, or that there is none."""
        if self.format is not None:
            return
        assert self._walker is not None
        header, raw = self._walker.header, self._declared.encoding.raw
        if header is not None:
            found = self._agreed(header)
        else:
            assert raw is not None  # otherwise there is a header
            found = self._raw_format(raw)
        self._check(found)
        self.format = found
        if found.channels > 1 and not self._declared.separate:
            self._mixer = PcmDecoder(found)
            self.format = AudioFormat(found.sample_rate, 1, 32, is_float=True)

    def _agreed(self, header: WaveHeader) -> AudioFormat:
        """The format in the header, if the client says nothing else."""
        declared, found = self._declared, header.format
        raw = declared.encoding.raw
        if found is None:
            allowed = ", ".join(self._encodings)
            raise self._failure(
                f"the WAV audio is encoded with the code {header.tag:#06x}; '{FIELD}' may be: "
                f"{allowed}"
            )
        if raw is not None and (raw.encoding, raw.bit_depth, raw.is_float) != (
            found.encoding,
            found.bit_depth,
            found.is_float,
        ):
            kind = "float" if found.is_float else found.encoding
            what = f"{found.bit_depth}-bit {kind}"
            raise self._failure(
                f"'{FIELD}' is {declared.encoding.name}, and the header of the WAV audio says "
                f"{what}; allowed: what the header says, or ENCODING_UNSPECIFIED"
            )
        for name, given, there in (
            (RATE, declared.sample_rate, found.sample_rate),
            (CHANNELS, declared.channels, found.channels),
        ):
            if given not in (0, there):
                raise self._failure(
                    f"'{name}' is {show(given)}, and the header of the WAV audio says {there}; "
                    f"allowed: {there}, or 0"
                )
        return found

    def _raw_format(self, raw: AudioFormat) -> AudioFormat:
        declared = self._declared
        return msgspec.structs.replace(
            raw, sample_rate=declared.sample_rate, channels=declared.channels or 1
        )

    def _begin_container(self) -> None:
        """The pipeline decodes it, and mixes its channels unless each is to have a transcript."""
        declared = self._declared
        channels = declared.channels if declared.separate else 1
        container = msgspec.structs.replace(CONTAINER, channels=channels)
        self._check(container)
        self.format = container

    def _mixed(self, samples: bytes) -> bytes:
        if self._mixer is None:
            return samples
        rows = self._mixer.decode(samples)
        mixed: bytes = rows.mean(axis=0, dtype=np.float32).astype("<f4").tobytes()
        return mixed

    def _check(self, found: AudioFormat) -> None:
        if problem := found.problem(self._max_channels, NAMES):
            raise self._failure(problem)

    def _failure(self, message: str) -> BadRequest:
        self._failed, self._head = True, b""
        return BadRequest("bad_format", message)
