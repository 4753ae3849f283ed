"""The format of raw audio."""

from dataclasses import dataclass
from typing import Literal, TypedDict


class FormatSettings(TypedDict):
    """`AudioFormat` as arguments of `streamer_client.connect`."""

    sample_rate: int
    channels: int
    bit_depth: int
    is_float: bool
    encoding: Literal["pcm", "mulaw", "alaw"] | None


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Interleaved little-endian samples; 8-bit ones are unsigned, or in `encoding`."""

    sample_rate: int
    channels: int
    bit_depth: int
    is_float: bool = False
    encoding: Literal["mulaw", "alaw"] | None = None

    def __str__(self) -> str:
        plural = "" if self.channels == 1 else "s"
        samples = self.encoding or ("float" if self.is_float else "integer")
        rate, channels = f"{self.sample_rate} Hz", f"{self.channels} channel{plural}"
        return f"{rate}, {channels}, {self.bit_depth}-bit {samples}"

    @property
    def frame_bytes(self) -> int:
        """Bytes in one sample of every channel."""
        return self.channels * self.bit_depth // 8

    @property
    def bytes_per_second(self) -> int:
        """Bytes in one second."""
        return self.frame_bytes * self.sample_rate

    def block_bytes(self, duration_s: float) -> int:
        """Bytes in `duration_s` seconds, in whole frames and at least one."""
        return max(1, int(self.sample_rate * duration_s)) * self.frame_bytes

    def settings(self) -> FormatSettings:
        """Return the arguments of `connect` for this format."""
        return {
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "bit_depth": self.bit_depth,
            "is_float": self.is_float,
            "encoding": self.encoding,
        }
