"""Sending a recording at the speed of a live one."""


def delay_s(started_s: float, audio_s: float, now_s: float) -> float:
    """Return how long to wait before sending audio that ends `audio_s` seconds into the recording.

    A microphone would have had it at `started_s + audio_s` on the clock that says `now_s`. Counting
    from the start, not from the last message, keeps small delays from adding up to a drift.
    """
    return max(0.0, started_s + audio_s - now_s)
