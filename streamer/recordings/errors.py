"""Why a recording, or a stream in a container, cannot be used."""

from typing import Literal


class AudioFileError(ValueError):
    """A recording that cannot be used; the message gives the reason in one sentence.

    Attributes:
        code: `unsupported_media_type` if it is not an audio file, else `bad_audio`.
        unknown: Whether its bytes are not known at all, so that they may be raw samples.
    """

    def __init__(
        self,
        message: str,
        code: Literal["unsupported_media_type", "bad_audio"] = "bad_audio",
        *,
        unknown: bool = False,
    ) -> None:
        super().__init__(message)
        self.unknown = unknown
        self.code: Literal["unsupported_media_type", "bad_audio"] = code


class DecoderLost(Exception):
    """No decoder could be started: a defect of the server or of its machine, not the recording."""
