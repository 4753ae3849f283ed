"""How much is sent at a time, and when: a recording as fast as it is taken, or as it plays."""

from streamer_client.formats import AudioFormat

LIVE_S, RECORDED_S = 0.020, 0.250
"""Of audio in a message."""

MOST_BYTES = 65_536
"""In a message; servers take four times as much unless they are told otherwise."""


def message_bytes(audio_format: AudioFormat, *, live: bool) -> int:
    """Return how much to send at a time, in whole frames.

    Of live audio it is little, so that none waits for the rest. What is there already goes in large
    messages: small ones, sent as fast as can be, are soon more than a server takes in a second.
    """
    fitting_s = MOST_BYTES / audio_format.bytes_per_second
    return audio_format.block_bytes(min(LIVE_S if live else RECORDED_S, fitting_s))


def delay_s(started_s: float, audio_s: float, now_s: float) -> float:
    """Return how long to wait before sending audio that ends `audio_s` seconds into the recording.

    A microphone would have had it at `started_s + audio_s` on the clock that says `now_s`. Counting
    from the start, not from the last message, keeps small delays from adding up to a drift.
    """
    return max(0.0, started_s + audio_s - now_s)
