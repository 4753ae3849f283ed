"""What a load is made of."""

from dataclasses import dataclass

from streamer_client.formats import AudioFormat


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What to play.

    Attributes:
        address: Of the server, `ws://host:port/path`.
        streams: Number of simultaneous streams.
        seconds: How long each of them plays.
        audio: PCM in `format`, played round and round.
        format: Sent in every `start`.
        message_s: Length of a message in seconds.
        spread_s: The streams begin at random moments within this number of seconds.
        interim_results: Whether to request interims.
        token: Access token.
        patience_s: Seconds that the results may take after the last message.
        seed: Of the places in the audio and the moments at which the streams begin.
    """

    address: str
    streams: int
    seconds: float
    audio: bytes
    format: AudioFormat
    message_s: float = 0.02
    spread_s: float = 1.0
    interim_results: bool = False
    token: str | None = None
    patience_s: float = 60.0
    seed: int = 0
