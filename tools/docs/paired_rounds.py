"""The picture of two settings in twenty rounds: what one round says, and what all of them say.

The recordings that come with the server are cut by the detector and the segmenter, and transcribed
by the smaller model, as `make accuracy-curve` does. With other processors, weights of 8 bits give
other words, and so other rounds.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import soxr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from streamer.config.schema import VadConfig
from streamer.models.moonshine.transcriber import Moonshine
from streamer.vad.silero_network import SAMPLE_RATE, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import Play, ScoredChannel, probabilities, settings_of
from tools.bench.reference import (
    LATER_MS,
    MODEL,
    ROUNDS,
    error_rate,
    read,
    recordings,
    standard_error,
)
from tools.docs.book_style import FAULT, INK, LINE, NARROW_IN, PALE, SPEECH

SILENCES_MS = (500, 550)
"""The silence that ends a segment, in the one setting and in the other."""


ABOVE: Mapping[str, Any] = {
    "loc": "lower center",
    "bbox_to_anchor": (0.5, 0.98),
    "frameon": False,
    "fontsize": 9.5,
}
"""Where a legend is: above its panel."""


class PairedRounds(NamedTuple):
    """Word error rate in percent, of each round: with the first setting, and with the second."""

    first: list[float]
    second: list[float]


def paired_rounds() -> PairedRounds:
    """Transcribe the recordings in all rounds with both settings."""
    (weights,) = require("silero-vad").glob("*.onnx")
    network, model = SileroNetwork(weights), Moonshine(require(MODEL))
    rates = PairedRounds([], [])
    for turn in range(ROUNDS):
        plays = []
        for recording in recordings(None):
            audio, rate = read(recording.path, turn * LATER_MS)
            samples = soxr.resample(audio, rate, SAMPLE_RATE)
            track = ScoredChannel(samples, probabilities(samples, network))
            plays.append(Play(recording.transcript, "", track))
        for silence_ms, found in zip(SILENCES_MS, rates, strict=True):
            settings = settings_of(VadConfig(min_silence_ms=silence_ms))
            done = [play.cut(settings, model)[0] for play in plays]
            found.append(error_rate([(each.reference, each.streamed) for each in done]))
    return rates


def rounds_of_two_settings() -> Figure:
    """The rounds, and the mean difference so far with its standard error."""
    rates = paired_rounds()
    differences = np.subtract(rates.first, rates.second)
    numbers = np.arange(1, ROUNDS + 1)
    figure = Figure(figsize=(NARROW_IN, 4.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.vlines(numbers, rates.first, rates.second, color=PALE, linewidth=3, zorder=0)
    for found, silence_ms, colour, marker in zip(
        rates, SILENCES_MS, (FAULT, LINE), "so", strict=True
    ):
        above.plot(numbers, found, marker, color=colour, markersize=5, label=f"{silence_ms} ms")
    above.set_ylabel("words wrong, %")
    above.legend(ncols=2, **ABOVE)
    means = np.cumsum(differences) / numbers
    for errors, colour, label in (
        (_apart(rates), PALE, "± error of two apart"),
        (_together(differences.tolist()), SPEECH, "± error of pairs"),
    ):
        below.fill_between(numbers[1:], means[1:] - errors, means[1:] + errors, color=colour,
                           linewidth=0, label=label)  # fmt: skip
    below.plot(numbers, means, color=INK, marker="o", markersize=3, label="mean so far")
    below.axhline(0, color="grey", linewidth=0.8)
    below.set(xlabel="rounds", ylabel="difference, points", xlim=(0.5, ROUNDS + 0.5))
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    below.legend(ncols=3, **ABOVE)
    return figure


def _together(values: Sequence[float]) -> np.ndarray:
    """Standard error of the mean of the first two values, of the first three, and so on."""
    return np.array([standard_error(values[:n]) for n in range(2, len(values) + 1)], np.float64)


def _apart(rates: PairedRounds) -> np.ndarray:
    """The same, if nothing were known of which rounds belong together."""
    first, second = (_together(found) for found in rates)
    apart: np.ndarray = np.hypot(first, second)
    return apart
