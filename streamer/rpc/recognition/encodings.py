"""The encodings of audio that a client can name, by their numbers. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from streamer.audio.format import AudioFormat
from streamer.config.explain import show
from streamer.protocol.requests import BadRequest

FIELD = "config.encoding"


class Encoding(NamedTuple):
    """How audio is encoded.

    Attributes:
        name: As in the client's protocol.
        raw: Of raw samples, all but their rate and number of channels; None = the audio comes in a
            container.
        known: Whether the client says what it is; otherwise the audio does.
    """

    name: str
    raw: AudioFormat | None = None
    known: bool = True


LINEAR = AudioFormat(0)
MULAW = AudioFormat(0, bit_depth=8, encoding="mulaw")
ALAW = AudioFormat(0, bit_depth=8, encoding="alaw")

UNSPECIFIED = Encoding("ENCODING_UNSPECIFIED", known=False)


def encoding_of(number: int, served: Mapping[int, Encoding], others: Mapping[int, str]) -> Encoding:
    """The encoding with this number.

    Args:
        number: As the client gives it.
        served: Encodings that the server can decode.
        others: Names of those that it cannot.

    Raises:
        BadRequest: It is none of `served`.
    """
    if found := served.get(number):
        return found
    name = others.get(number, number)
    raise BadRequest("bad_format", f"'{FIELD}' is {show(name)}; allowed: {allowed(served)}")


def allowed(served: Mapping[int, Encoding]) -> str:
    """The names of the encodings, for an error."""
    return ", ".join(encoding.name for encoding in served.values())
