"""The size and the time of messages: a recording goes as fast as possible, or as it plays."""

from streamer_client.formats import AudioFormat, ContainerFormat

LIVE_S, RECORDED_S = 0.020, 0.250
"""Seconds of audio in a message."""

MOST_BYTES = 65_536
"""Bytes of a message at most; a quarter of the default of `limits.max_message_bytes`."""


COMPRESSED_S = 0.1
"""Seconds of audio in a message of a container that is sent in real time."""

COMPRESSED_BYTES = 16_384
"""Bytes of a message of a container that is sent as fast as possible, at most."""


def message_bytes(audio_format: AudioFormat | ContainerFormat, *, live: bool) -> int:
    """Return the number of bytes of a message, in whole frames.

    Messages of live audio are small, for a short delay. Recorded audio goes in large ones: small
    ones, sent as fast as possible, would exceed `limits.max_messages_per_second`.
    """
    if isinstance(audio_format, ContainerFormat):
        compressed = audio_format.block_bytes(COMPRESSED_S) if live else COMPRESSED_BYTES
        return min(compressed, COMPRESSED_BYTES)
    fitting_s = MOST_BYTES / audio_format.bytes_per_second
    return audio_format.block_bytes(min(LIVE_S if live else RECORDED_S, fitting_s))


def delay_s(started_s: float, audio_s: float, now_s: float) -> float:
    """Return how long to wait before sending audio that ends `audio_s` seconds into the recording.

    A microphone would have had it at `started_s + audio_s` on the clock of `now_s`. Counting
    from the start, not from the last message, keeps small delays from adding up to a drift.
    """
    return max(0.0, started_s + audio_s - now_s)
