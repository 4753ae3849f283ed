"""An average and a subtraction. The time in the queue does not count."""


class EarlyStart:
    """Keeps the expected time for a second of audio."""

    def __init__(self, first_factor: float, margin_s: float) -> None:
        self._factor = first_factor
        self._margin_s = margin_s

    def on_final(self, inference_s: float, audio_s: float, queued_s: float) -> None:
        """Move the average."""
        if audio_s >= 1:
            self._factor += (inference_s / audio_s - self._factor) / 16

    def start_s(self, audio_s: float, padding_s: float, silence_s: float) -> float:
        """Count back from the end."""
        return max(padding_s, silence_s - 1.2 * self._factor * audio_s - self._margin_s)
