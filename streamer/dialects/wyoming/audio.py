"""The audio of one voice command: its format, its channels as one, and its length. Pure."""

import numpy as np

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import PcmDecoder


class CommandAudio:
    """Turns what a client sends into the audio of a stream.

    Args:
        given: The format of what the client sends.

    Attributes:
        given: This format.
        seconds: Of what it has sent.
    """

    def __init__(self, given: AudioFormat) -> None:
        self.given = given
        self._decoder = PcmDecoder(given) if given.channels > 1 else None
        self.seconds = 0.0

    @property
    def stream_format(self) -> AudioFormat:
        """The format of the stream: one channel."""
        if self._decoder is None:
            return self.given
        return AudioFormat(self.given.sample_rate, 1, 32, is_float=True)

    def mixed(self, audio: bytes) -> bytes:
        """Audio of the stream's format; several channels become their mean."""
        self.seconds += len(audio) / self.given.bytes_per_second
        if self._decoder is None:
            return audio
        rows = self._decoder.decode(audio)
        mean: bytes = rows.mean(axis=0, dtype=np.float32).astype("<f4").tobytes()
        return mean

    def difference(self, given: AudioFormat) -> str | None:
        """Why audio of a format cannot go on here; None = it can."""
        if given == self.given:
            return None
        return (
            f"'audio-chunk' has audio of {_shown(given)}; "
            f"allowed after this start: {_shown(self.given)}"
        )


def _shown(audio: AudioFormat) -> str:
    return f"{audio.sample_rate} Hz, {audio.bit_depth} bits, {audio.channels} channels"
