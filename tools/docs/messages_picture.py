"""The picture of a stream as messages, beside the audio of which each is."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from tools.docs.book_style import FAULT, INK, LINE, NARROW_IN
from tools.docs.scripted_socket import WireMessage
from tools.docs.scripted_workers import RATE
from tools.docs.stream_messages import played_stream

BLOCK = 320
"""Samples: the waveform is drawn with the least and the greatest of each 20 ms."""

AUDIO, CLIENT, SERVER, LABELS, END = 0.5, 1.35, 2.2, 2.45, 4.9
"""Where they are, from left to right; the waveform is 1 wide."""

SPEECH_PALE = "#cfe1f3"
"""So that the lines and the waveform on it can be seen."""

INCHES_A_SECOND = 1.75
LINE_S = 0.1
"""Seconds: the height of a line of text."""

TITLES_S, MARGIN_S = -0.25, 0.5
"""Above the first sample, and below the last one."""


def messages_of_a_stream() -> Figure:
    """The waveform from top to bottom, the two sides, and what they send."""
    samples, messages = played_stream()
    until_s = len(samples) / RATE
    figure = Figure(
        figsize=(NARROW_IN, INCHES_A_SECOND * (until_s + MARGIN_S - TITLES_S)), layout="constrained"
    )
    axes = figure.subplots()
    _draw_audio(axes, samples)
    for at, name in ((AUDIO, "audio"), (CLIENT, "client"), (SERVER, "server")):
        axes.text(at, -0.08, name, ha="center", weight="bold", size=10)
    for at in (CLIENT, SERVER):
        axes.plot([at, at], [0, until_s + MARGIN_S], color=INK, linewidth=1.2)
    for message in messages:
        _draw_message(axes, message)
    for message, label_s in _label_places(messages):
        colour = FAULT if message.by_client else LINE
        axes.plot(
            [SERVER, SERVER + 0.1, LABELS - 0.06], [message.at_s, message.at_s, label_s],
            color=colour, linewidth=0.7,
        )  # fmt: skip
        axes.text(LABELS, label_s - LINE_S / 2, _label(message), va="top", color=colour, size=9.5)
    axes.set(xlim=(0, END), ylim=(until_s + MARGIN_S, TITLES_S))
    axes.set_xticks([])
    seconds = range(int(until_s) + 1)
    axes.set_yticks(seconds, [f"{each} s\n{each * RATE}" for each in seconds])
    axes.set_ylabel("sent: seconds, and samples")
    axes.spines[:].set_visible(False)
    return figure


def _draw_audio(axes: Axes, samples: np.ndarray) -> None:
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK) / (2 * abs(samples).max())
    times = np.arange(len(blocks)) * BLOCK / RATE
    low, high = blocks.min(axis=1), blocks.max(axis=1)
    axes.fill_betweenx(times, AUDIO + low, AUDIO + high, color=INK, linewidth=0, zorder=3)


def _draw_message(axes: Axes, message: WireMessage) -> None:
    """The arrow, and from the client on the way back to the audio of which an event is."""
    at_s, fields = message.at_s, message.fields
    begin, end = (CLIENT, SERVER) if message.by_client else (SERVER, CLIENT)
    colour = FAULT if message.by_client else LINE
    axes.annotate(
        "", (end, at_s), (begin, at_s),
        arrowprops={"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0},
    )  # fmt: skip
    if fields.get("type") == "segment":
        start_s, end_s = fields["start_time"], fields["end_time"]
        corners = [(0, start_s), (1, start_s), (CLIENT, at_s), (1, end_s), (0, end_s)]
        axes.add_patch(Polygon(corners, facecolor=SPEECH_PALE, edgecolor="white"))
    elif fields.get("type") in ("active", "inactive"):
        style = "-" if fields["type"] == "active" else ":"
        axes.plot([0, 1, CLIENT], [fields["time"], fields["time"], at_s], style, color=LINE,
                  linewidth=0.9, zorder=4)  # fmt: skip


def _label(message: WireMessage) -> str:
    fields = message.fields
    if message.by_client:
        return f"{fields['request']} →"
    if fields["type"] == "segment":
        start_s, end_s = fields["start_time"], fields["end_time"]
        return f"← segment, {start_s:.3f} to {end_s:.3f}:\n    {fields['text']}"
    time = f", {fields['time']:.3f}" if "time" in fields else ""
    return f"← {fields['type']}{time}"


def _label_places(messages: Sequence[WireMessage]) -> Iterator[tuple[WireMessage, float]]:
    """Where the first line of each label is: below the label before."""
    free_s = -1.0
    for message in messages:
        label_s = max(message.at_s, free_s)
        free_s = label_s + LINE_S * (1 + _label(message).count("\n"))
        yield message, label_s
