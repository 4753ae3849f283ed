"""Why a recording cannot be used."""

from typing import Literal


class AudioFileError(ValueError):
    """A recording that cannot be used; the message gives the reason in one sentence.

    Attributes:
        code: `unsupported_media_type` if it is not an audio file, else `bad_audio`.
    """

    def __init__(
        self, message: str, code: Literal["unsupported_media_type", "bad_audio"] = "bad_audio"
    ) -> None:
        super().__init__(message)
        self.code: Literal["unsupported_media_type", "bad_audio"] = code
