"""A model for the tests of back-pressure: its answers are as long as one likes."""

from streamer import Model


class Verbose(Model):
    """Answers with `length` characters."""

    def __init__(self, length: int) -> None:
        self.length = length

    def infer(self, samples: object) -> dict[str, object]:
        return {"text": "x" * self.length}
