"""The format of what is sent: raw audio, or the bytes of a container."""

from dataclasses import dataclass
from typing import Literal, TypedDict


class FormatSettings(TypedDict):
    """`AudioFormat` as arguments of `streamer_client.connect`."""

    sample_rate: int
    channels: int
    bit_depth: int
    is_float: bool
    encoding: Literal["pcm", "mulaw", "alaw", "auto"] | None


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

    def seconds(self, count: int) -> float:
        """Seconds of audio in so many bytes."""
        return count / self.bytes_per_second

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


@dataclass(frozen=True, slots=True)
class ContainerFormat:
    """The bytes of a container, which the server decodes.

    Attributes:
        channels: Of the container; 1 = a mix of those that it has.
        average_bytes_per_second: None = unknown.
    """

    channels: int
    average_bytes_per_second: float | None = None

    @property
    def bytes_per_second(self) -> int:
        """0: how many they are differs from second to second."""
        return 0

    @property
    def frame_bytes(self) -> int:
        """Bytes that belong together: the server takes them cut anywhere."""
        return 1

    def seconds(self, count: int) -> float:
        """Seconds of audio in so many bytes, on average; 0 if that is unknown."""
        rate = self.average_bytes_per_second
        return count / rate if rate else 0.0

    def block_bytes(self, duration_s: float) -> int:
        """Bytes in `duration_s` seconds, at least one; if that is unknown, of 128 kbit/s."""
        return max(1, int((self.average_bytes_per_second or 16_000) * duration_s))

    def settings(self) -> FormatSettings:
        """Return the arguments of `connect` for this format."""
        return {
            "sample_rate": 16_000,  # this one, and those of samples, have no effect
            "channels": self.channels,
            "bit_depth": 16,
            "is_float": False,
            "encoding": "auto",
        }
