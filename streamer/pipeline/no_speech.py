"""Whether a whole stream had sound, and nothing that was taken for speech. Pure."""

from collections.abc import Sequence

from streamer.pipeline.account import Account

LEAST_S = 0.5
"""Seconds of sound on one channel. With less there is nothing to report: a click, a breath."""


def no_speech(accounts: Sequence[Account], sample_rate: int) -> str | None:
    """The sentence for a stream that had sound, and no speech. None = there was speech, or silence.

    Args:
        accounts: Of all channels; the stream is over.
        sample_rate: The client's, in Hz.
    """
    if any(account.speech for account in accounts):
        return None
    sound_s = max(
        max(account.loud_unheard / sample_rate, account.audible_s) for account in accounts
    )
    if sound_s < LEAST_S:
        return None
    received_s = max(account.received for account in accounts) / sample_rate
    return (
        f"no speech was found in {received_s:.1f} s of audio, {sound_s:.1f} s of which have sound. "
        "For sounds that are not speech use the WebSocket /api/v1/simple, or vad=false in "
        "/api/v1/analyze. If it is speech, try a lower vad.threshold"
    )
