"""Draw the pictures of the book: `make book-pictures`. With an argument, into that folder.

Each picture is drawn from data that is computed here, with the code that the book explains, or from
the published results of the benchmarks.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from streamer.config.segmentation import VadConfig
from streamer.protocol.inputs import INPUTS
from streamer.protocol.state import TABLE, State
from streamer.vad.segmenter_settings import HYSTERESIS
from streamer.vad.silero_network import SAMPLE_RATE, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import ScoredChannel, cuts, settings_of, tracks
from tools.command_line import tool_parser
from tools.docs.balancing import SERVERS, fewest, in_turns, rolling_restart
from tools.docs.book_style import INK, LINE, SPEECH
from tools.docs.decoder_layer import decoder_layer
from tools.docs.latency_buckets import percentiles_from_buckets
from tools.docs.messages_picture import messages_of_a_stream
from tools.docs.model_work import parts
from tools.docs.resampling import METHODS, TO_HZ, level_db
from tools.docs.rounds_picture import rounds_of_two_settings
from tools.docs.second_chance import second_chance
from tools.docs.second_filter import second_filter
from tools.docs.tasks_picture import tasks_of_a_session
from tools.docs.trace_picture import spans_of_a_stream
from tools.docs.waiting import busiest_waits

FOLDER = Path(__file__).parents[2] / "docs/book/pictures"
BLOCK = 320
"""Samples: a waveform is drawn with the least and the greatest of each 20 ms."""

FIRST_MINUTE = 35
"""Of the picture of restarts."""

COLOURS = ("#e8e8e8", "#d9c8b4", "#a9d3a0", "#f3d17c", "#9fc5e8", "#e6a8a0")
"""Of the states of a socket, in their order."""


@cache
def _track(name: str) -> ScoredChannel:
    (weights,) = require("silero-vad").glob("*.onnx")
    (track,) = tracks(require("moonshine-tiny-en") / f"{name}.wav", SileroNetwork(weights))
    return track


def cuts_of_chunks_and_segments() -> Figure:
    """A recording, cut into equal chunks and into segments."""
    track, until_s = _track("two_cities"), 18.0
    blocks = track.samples[: int(until_s * SAMPLE_RATE)].reshape(-1, BLOCK)
    times = np.arange(len(blocks)) * BLOCK / SAMPLE_RATE
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, sharey=True)
    for axes in (above, below):
        axes.fill_between(times, blocks.min(axis=1), blocks.max(axis=1), color=INK, linewidth=0)
        axes.set(yticks=[], xlim=(0, until_s))
    for edge in np.arange(2, until_s, 2):
        above.axvline(edge, color=LINE, linewidth=1)
    above.set_ylabel("chunks of 2 s")
    for cut in cuts(track, settings_of(VadConfig())):
        start, end = (sample / SAMPLE_RATE for sample in cut.audio)
        below.axvspan(start, end, color=SPEECH, linewidth=0, zorder=0)
        for edge in (start, end):
            below.axvline(edge, color=LINE, linewidth=1)
    below.set(ylabel="segments", xlabel="seconds")
    return figure


def aliases_by_method() -> Figure:
    """What is left of tones after three ways to bring 44.1 kHz to 16 kHz."""
    # Not at 8 and 16 kHz exactly, where the alias is a constant that depends on the phase.
    tones = np.concatenate((np.arange(200, 7_500, 400), np.arange(7_500, 9_000, 100)))
    tones = np.concatenate((tones, np.arange(9_000, 20_001, 500))) + 37
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    for name in METHODS:
        axes.plot(tones / 1_000, [level_db(name, tone) for tone in tones], label=name)
    axes.axvline(TO_HZ / 2_000, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="tone, kHz", ylabel="level at 16 kHz, dB", ylim=(-125, 8), xlim=(0, 20))
    axes.legend()
    return figure


def table_of_the_protocol() -> Figure:
    """The state after each input in each state; a dot where nothing is done."""
    states = list(State)
    figure = Figure(figsize=(7, 6.4), layout="constrained")
    axes = figure.subplots()
    for column, state in enumerate(states):
        for row, given in enumerate(INPUTS):
            after, makers = TABLE[state][given]
            colour = COLOURS[states.index(after)]
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor="white"))
            text = after.name if makers else "·" if after is state else f"({after.name})"
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7)
    axes.set(xlim=(0, len(states)), ylim=(len(INPUTS), 0))
    axes.set_xticks(np.arange(len(states)) + 0.5, [state.name for state in states], fontsize=8)
    axes.set_yticks(np.arange(len(INPUTS)) + 0.5, [one.__name__ for one in INPUTS], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def probabilities_and_segments() -> Figure:
    """What the detector says of a recording, and what the segmenter makes of it."""
    track, settings = _track("beckett"), settings_of(VadConfig())
    blocks = track.samples[: len(track.samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    times = np.arange(len(blocks)) * BLOCK / SAMPLE_RATE
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.fill_between(times, blocks.min(axis=1), blocks.max(axis=1), color=INK, linewidth=0)
    above.set(yticks=[], ylabel="samples", xlim=(0, len(track.samples) / SAMPLE_RATE))
    windows = np.arange(len(track.probabilities) + 1) * WINDOW / SAMPLE_RATE
    below.stairs(track.probabilities, windows, color=INK, linewidth=0.9)
    below.axhline(settings.threshold, color=LINE, linewidth=0.8)
    below.axhline(settings.threshold - HYSTERESIS, color=LINE, linewidth=0.8, linestyle=":")
    below.set(ylabel="probability", xlabel="seconds", ylim=(0, 1.02))
    for cut in cuts(track, settings):
        start, end = (sample / SAMPLE_RATE for sample in cut.audio)
        for axes in (above, below):
            axes.axvspan(start, end, color=SPEECH, alpha=0.5, linewidth=0, zorder=0)
        begun, ended = (sample / SAMPLE_RATE for sample in cut.speech)
        above.axvline(begun, color=LINE, linewidth=0.9)
        above.axvline(ended, color=LINE, linewidth=0.9, linestyle=":")
    return figure


def waiting_by_load() -> Figure:
    """How long segments wait for two workers, by how busy these are."""
    loads = np.arange(0.3, 0.96, 0.05)
    waits = [busiest_waits(float(load)) for load in loads]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    for share, name in ((0.5, "half of the segments"), (0.95, "95 %"), (0.99, "99 %")):
        values = [sorted_waits[int(share * len(sorted_waits))] for sorted_waits in waits]
        axes.plot(100 * loads, values, label=name)
    axes.set(xlabel="busy, %", ylabel="wait at most, inferences", ylim=(0, 30), xlim=(30, 95))
    axes.legend()
    return figure


def work_of_the_model() -> Figure:
    """Products and weights of each part of the network, for a second of speech."""
    found = parts()[::-1]
    names = [part.name for part in found]
    colours = [LINE if part.for_each_token else SPEECH for part in found]
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, values, label in (
        (left, [part.products / 1e6 for part in found], "products, millions"),
        (right, [part.weight_bytes / 1e6 for part in found], "weights read, MB"),
    ):
        axes.barh(names, values, color=colours)
        axes.set_xlabel(label)
    return figure


def sockets_in_restarts() -> Figure:
    """The sockets of four servers that restart one after another."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, choose, title in zip(
        panels, (in_turns, fewest), ("one after another", "the fewest sockets"), strict=True
    ):
        played = [each for each in rolling_restart(choose) if each.minute >= FIRST_MINUTE]
        for server in range(SERVERS):
            counts = [each.sockets[server] for each in played]
            axes.plot([each.minute for each in played], counts, label=f"server {server + 1}")
        axes.set(title=title, xlabel="minutes", ylim=(0, None))
    panels[0].set_ylabel("sockets")
    panels[0].legend(fontsize="small")
    return figure


PICTURES: Mapping[str, Callable[[], Figure]] = {
    "cuts.svg": cuts_of_chunks_and_segments,
    "messages.svg": messages_of_a_stream,
    "aliases.svg": aliases_by_method,
    "second_filter.svg": second_filter,
    "probabilities.svg": probabilities_and_segments,
    "table.svg": table_of_the_protocol,
    "tasks.svg": tasks_of_a_session,
    "second_chance.svg": second_chance,
    "buckets.svg": percentiles_from_buckets,
    "trace.svg": spans_of_a_stream,
    "waiting.svg": waiting_by_load,
    "work.svg": work_of_the_model,
    "decoder_layer.svg": decoder_layer,
    "rounds.svg": rounds_of_two_settings,
    "restarts.svg": sockets_in_restarts,
}
"""How each file is drawn."""


def main(folder: Path = FOLDER) -> None:
    """Draw them all."""
    mpl.rcParams["svg.hashsalt"] = "streamer"
    folder.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        draw().savefig(folder / name, metadata={"Date": None})
        print(folder / name)


if __name__ == "__main__":
    parser = tool_parser("tools.docs.book_pictures", __doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="for the pictures")
    main(parser.parse_args().folder)
