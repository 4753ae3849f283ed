"""The audio format a client declares in `start.format`, and what is allowed in it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

MIN_SAMPLE_RATE = 8_000
"""Hz; the lowest rate of the wire protocol (narrow-band telephony)."""

MAX_SAMPLE_RATE = 192_000
"""Hz; the highest rate of the wire protocol (the top rate of studio interfaces)."""

INTEGER_BIT_DEPTHS = (8, 16, 24, 32)
"""Bits of integer PCM; 8 is unsigned as in WAV files, the others are signed."""

FLOAT_BIT_DEPTHS = (32, 64)
"""Bits of IEEE 754 floating-point PCM."""

NAMES_IN_START: Mapping[str, str] = {
    name: f"format.{name}" for name in ("sample_rate", "channels", "bit_depth", "is_float")
}
"""What a client calls each field in a `start`."""


class AudioFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Interleaved little-endian audio as it is on the wire.

    Decoding checks types and names only; `problem` checks the values, so that a
    well-formed message with an unsupported format gets its own error code.
    """

    sample_rate: int
    """Hz: frames per second."""
    channels: int = 1
    """Samples per frame."""
    bit_depth: int = 16
    """Bits per sample."""
    is_float: bool = False
    """IEEE 754 floating point instead of integers."""
    encoding: Literal["pcm", "mulaw", "alaw", "auto"] = "pcm"
    """Linear PCM; a companded encoding of 8 bits of ITU-T G.711; or `auto`: a container, which
    says what it holds. Then a rate or a number of channels of 0 was not given."""

    @property
    def is_container(self) -> bool:
        """Whether the audio comes in a container, so that only its bytes say what it is."""
        return self.encoding == "auto"

    @property
    def bytes_per_sample(self) -> int:
        """Bytes of one sample of one channel."""
        return self.bit_depth // 8

    @property
    def bytes_per_frame(self) -> int:
        """Bytes of one sample of every channel."""
        return self.bytes_per_sample * self.channels

    @property
    def bytes_per_second(self) -> int:
        """Bytes of one second of audio."""
        return self.bytes_per_frame * self.sample_rate

    def problem(self, max_channels: int, names: Mapping[str, str] = NAMES_IN_START) -> str | None:
        """The reason why this format is not supported.

        Args:
            max_channels: The most channels that the server accepts in one stream.
            names: What the client calls each field.

        Returns:
            One sentence with the field, its value and what is allowed, or None if the
            format is supported. Only the first problem found is named.
        """
        absent = self.is_container  # what is 0
        if not (
            MIN_SAMPLE_RATE <= self.sample_rate <= MAX_SAMPLE_RATE
            or (absent and not self.sample_rate)
        ):
            allowed = f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"
            return f"'{names['sample_rate']}' is {self.sample_rate}; allowed: {allowed}"
        if not (1 <= self.channels <= max_channels or (absent and not self.channels)):
            return f"'{names['channels']}' is {self.channels}; allowed: 1 to {max_channels}"
        if self.is_container:
            return None
        if self.encoding != "pcm":
            if self.is_float:
                return f"'{names['is_float']}' is true; allowed with {self.encoding}: false"
            if self.bit_depth != 8:
                bits = f"'{names['bit_depth']}' is {self.bit_depth}"
                return f"{bits}; allowed with {self.encoding}: 8"
            return None
        depths = FLOAT_BIT_DEPTHS if self.is_float else INTEGER_BIT_DEPTHS
        if self.bit_depth not in depths:
            kind = "float" if self.is_float else "integer"
            allowed = ", ".join(map(str, depths))
            bits = f"'{names['bit_depth']}' is {self.bit_depth}"
            return f"{bits}; allowed for {kind} PCM: {allowed}"
        return None


CONTAINER = AudioFormat(0, 0, 0, encoding="auto")
"""Of a container of which nothing was said."""
