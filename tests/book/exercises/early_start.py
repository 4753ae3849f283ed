"""When to begin an early final."""


class EarlyStart:
    """Estimates from recent finals when the next one has to begin.

    The expected time for a second of audio is a moving average: it begins with `first_factor`, and
    each final of at least one second moves it by 1/16 of the difference. Shorter finals are a poor
    measure, and do not count.

    Args:
        first_factor: Seconds of inference for a second of audio, before any final.
        margin_s: Seconds for the way to the worker and back.
    """

    def __init__(self, first_factor: float, margin_s: float) -> None:
        raise NotImplementedError

    def on_final(self, inference_s: float, audio_s: float, queued_s: float) -> None:
        """A final is done.

        Args:
            inference_s: How long the worker took.
            audio_s: Length of its audio.
            queued_s: How long it had waited for a worker. Should this count? Read the chapter.
        """
        raise NotImplementedError

    def start_s(self, audio_s: float, padding_s: float, silence_s: float) -> float:
        """Return after how many seconds of silence an early final begins.

        As late as possible, so that it is done when the silence has lasted `silence_s`: 1.2 times
        the expected time and the margin before. But not before the padding is over.

        Args:
            audio_s: Length of the segment.
            padding_s: Seconds of the silence that belong to the segment.
            silence_s: Seconds of silence that end it; at least `padding_s`.
        """
        raise NotImplementedError
