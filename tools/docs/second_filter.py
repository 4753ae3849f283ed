"""The picture of a flush in the resampler: what the second filter is given, and what it is for."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import soxr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from streamer.audio.resample import Resampler
from tools.docs.book_style import FAULT, INK, LINE, NARROW_IN, PALE, SPEECH

Samples = NDArray[np.float32]

FROM_HZ, TO_HZ = 44_100, 16_000
PERIOD = 441
"""Every 441st input sample lies on an output sample: 44 100 / gcd(44 100, 16 000)."""

FLUSH_AT, LENGTH = 18 * PERIOD, 36 * PERIOD
"""Input samples before the flush, and in all. The flush is at an output sample, so that a filter
without the past has no other fault."""

SHARED, MISPLACED = FLUSH_AT - PERIOD, FLUSH_AT - 500
"""Input samples from which the second filter hears again: on an output sample, and between two."""

BEFORE_MS, AFTER_MS = 14.0, 10.0
"""What is shown around the flush."""


class Way(NamedTuple):
    """A way to go on after a flush.

    Attributes:
        label: For people.
        colour: Of its line.
        output: float32 [m], from the flush on.
    """

    label: str
    colour: str
    output: Samples


def sound() -> Samples:
    """Noise without tones that a filter removes, float32 [LENGTH]: every error is seen."""
    noise = np.random.default_rng(1).standard_normal(LENGTH)
    smooth = np.convolve(noise, np.hanning(16), "same")
    loud: Samples = (0.3 * smooth / np.abs(smooth).max()).astype(np.float32)
    return loud


def _from(origin: int, samples: Samples) -> Samples:
    """A new filter that hears everything from an input sample on; its output after the flush.

    Its first output sample is at `origin`, which may not be the place of one.
    """
    filtered: Samples = soxr.resample(samples[origin:], FROM_HZ, TO_HZ, "HQ")
    return filtered[(FLUSH_AT - origin) * TO_HZ // FROM_HZ :]


def _as_here(samples: Samples) -> Samples:
    resampler = Resampler(FROM_HZ, TO_HZ)
    resampler.push(samples[:FLUSH_AT])
    resampler.cut()
    return np.concatenate((resampler.push(samples[FLUSH_AT:]), resampler.finish()))


def ways() -> list[Way]:
    """Three ways, the server's last."""
    samples = sound()
    return [
        Way("without past", FAULT, _from(FLUSH_AT, samples)),
        Way("with past, from any sample", INK, _from(MISPLACED, samples)),
        Way("with past, from a shared one", LINE, _as_here(samples)),
    ]


def errors_db() -> Mapping[str, NDArray[np.float64]]:
    """Of each way, the difference to a filter that never ended, in dB of its level; float64 [m]."""
    samples = sound()
    uncut: Samples = soxr.resample(samples, FROM_HZ, TO_HZ, "HQ")
    level = float(np.sqrt(np.mean(np.square(uncut, dtype=np.float64))))
    found = {}
    shown = int(AFTER_MS * TO_HZ / 1_000)
    for way in ways():
        here = way.output[:shown]
        due = uncut[len(uncut) - len(way.output) :][: len(here)]
        size = np.maximum(np.abs(here.astype(np.float64) - due), level * 1e-6)
        found[way.label] = 20 * np.log10(size / level)
    return found


def second_filter() -> Figure:
    """What each filter hears and gives; and how far three ways are from the right samples."""
    figure = Figure(figsize=(NARROW_IN, 4.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 5))
    _draw_filters(above)
    for way, error in zip(ways(), errors_db().values(), strict=True):
        times = np.arange(len(error)) / TO_HZ * 1_000
        below.plot(times, error, color=way.colour, label=way.label, linewidth=1.2)
    below.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    below.set(xlim=(-BEFORE_MS, AFTER_MS), ylim=(-128, 12), ylabel="error, dB",
              xlabel="milliseconds after the flush")  # fmt: skip
    below.legend(fontsize=9, loc="center left", frameon=False, title="the second filter begins")
    below.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_filters(axes: Axes) -> None:
    """Bars: what the two filters hear, and what becomes of their output."""
    origin_ms = (SHARED - FLUSH_AT) / FROM_HZ * 1_000
    rows = ("1st hears", "1st gives", "2nd hears", "2nd gives")
    for row, begin_ms, end_ms, colour, text in (
        (0, -BEFORE_MS, 0.0, SPEECH, "audio"),
        (0, 0.0, 3.0, PALE, "zeros"),
        (1, -BEFORE_MS, 0.0, LINE, "given on"),
        (2, origin_ms, 0.0, SPEECH, "the same audio again"),
        (2, 0.0, AFTER_MS, SPEECH, "audio"),
        (3, origin_ms, 0.0, PALE, "left out"),
        (3, 0.0, AFTER_MS, LINE, "given on"),
    ):
        axes.barh(row, end_ms - begin_ms, 0.7, begin_ms, color=colour, edgecolor="white")
        ink = "white" if colour == LINE else "black"
        axes.text((begin_ms + end_ms) / 2, row, text, ha="center", va="center", size=9, color=ink)
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.text(0, -0.62, "flush", ha="center", va="bottom", size=9.5)
    axes.plot(origin_ms, 3.45, marker="^", color=FAULT, clip_on=False)
    axes.text(origin_ms + 0.4, 3.55, "on an output sample", va="center", size=9, color=FAULT)
    axes.set_yticks(range(len(rows)), rows)
    axes.set(ylim=(3.9, -0.6))
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
