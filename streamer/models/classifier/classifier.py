"""Any ONNX file that maps a waveform to scores, described by the `model.json` beside it.

Windows of equal length, of any segments, go through the network in one call. Windows of different
lengths do not: padding them to equal length would change their scores.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from streamer.model import Model
from streamer.models.classifier.network import WaveformNetwork
from streamer.models.classifier.windows import WindowCutter
from streamer.onnx.graph import Floats
from streamer.weights.manifest import MANIFEST, BadManifest, manifest_of

DECIMALS = 6
"""Decimal places of a score in an event."""


class Classifier(Model):
    """Returns a number for each name in `classifier.scores`.

    Args:
        folder: Holds `model.json` and the ONNX file that it names.
        threads: Threads within one inference. Several workers share a machine best with one each.

    Raises:
        BadManifest: `model.json` is missing, malformed, or not a classifier's.
        UnfitNetwork: The ONNX file does not match `model.json`.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        manifest = manifest_of(folder)
        settings = manifest.classifier
        if settings is None or manifest.sample_rate is None:
            raise BadManifest(f"{folder / MANIFEST}: 'classifier' is missing; it is required")
        self.sample_rate = manifest.sample_rate
        self.max_batch_size = settings.max_batch_size
        self.max_batch_wait_ms = settings.max_batch_wait_ms
        self._cutter = WindowCutter.of(settings, manifest.sample_rate)
        self._network = WaveformNetwork(folder / settings.file, settings, self._cutter, threads)
        self._names = settings.scores
        self._activate = ACTIVATIONS[settings.activation]
        self._aggregate = AGGREGATES[settings.aggregate]

    def infer(self, samples: Floats) -> dict[str, object]:
        """The scores of float32 [n] at `sample_rate`."""
        (output,) = self.infer_batch([samples])
        return output

    def infer_batch(self, batch: Sequence[Floats]) -> list[dict[str, object]]:
        """The scores of several segments.

        Raises:
            ValueError: A score is not a finite number.
        """
        cut = [self._cutter.cut(segment) for segment in batch]
        scores = self._score(list(itertools.chain.from_iterable(cut)))
        ends = list(itertools.accumulate(map(len, cut)))
        return [
            self._output(self._aggregate(scores[end - len(windows) : end]))
            for end, windows in zip(ends, cut, strict=True)
        ]

    def warm_up(self) -> None:
        """Run the largest batch: `max_batch_size` windows of a second of silence."""
        silence = np.zeros(self.sample_rate, dtype=np.float32)
        self._score(self._cutter.cut(silence)[:1] * self.max_batch_size)

    def _score(self, windows: list[Floats]) -> Floats:
        """The scores of each window after the activation, float32 [windows, n]."""
        scores = np.empty((len(windows), len(self._names)), dtype=np.float32)

        def length(index: int) -> int:
            return len(windows[index])

        by_length = sorted(range(len(windows)), key=length)
        for _, group in itertools.groupby(by_length, key=length):
            equal = list(group)
            for first in range(0, len(equal), self.max_batch_size):
                batch = equal[first : first + self.max_batch_size]
                scores[batch] = self._network(np.stack([windows[index] for index in batch]))
        return self._activate(scores)

    def _output(self, scores: Floats) -> dict[str, object]:
        named = dict(zip(self._names, scores.tolist(), strict=True))
        if not np.isfinite(scores).all():
            raise ValueError(f"scores must be finite numbers; got {named}")
        return {name: round(score, DECIMALS) for name, score in named.items()}


def _sigmoid(scores: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)), dtype=np.float32)  # never overflows


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "none": lambda scores: scores,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
}
AGGREGATES: Mapping[str, Callable[[Floats], Floats]] = {
    "mean": lambda scores: scores.mean(axis=0),
    "max": lambda scores: scores.max(axis=0),
}
