"""Draw the moving picture of the README: `make moving-picture`.

A recording is played to a real server in real time. The picture is an SVG that shows its waveform,
and each event when it came. It holds no script; a reader who wants no motion sees the finals only.
With an argument, it is written to that file instead.
"""

import asyncio
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
import soundfile

from streamer.weights.manifest import require
from streamer_client import connect
from tools.command_line import tool_parser
from tools.harness.process import running_server

PICTURE = Path(__file__).parents[2] / "docs/pictures/live.svg"
RECORDING = require("moonshine-tiny-en") / "two_cities.wav"
LENGTH_S = 17.2
"""Seconds of the recording that are played: three sentences."""

MESSAGE_S = 0.02
PAUSE_S = 3.0
"""Seconds that the last frame stays."""

WIDTH, LEFT = 840, 24
WAVE_Y, WAVE_HEIGHT, BARS = 52, 44, 220
LINE_Y, LINE_HEIGHT = 132, 26
LINE_CHARACTERS = 84

STYLE = """
  text { font: 16px system-ui, sans-serif; fill: #1d2330 }
  .card { fill: #ffffff; stroke: #d8dde6 }
  .bar { fill: #b4bccb } .speech { fill: #d5e4fb } .head { fill: #d6336c }
  .small { font-size: 13px; fill: #667085 } .interim { fill: #8a93a5; font-style: italic }
  @media (prefers-color-scheme: dark) {
    text { fill: #e8ebf2 } .card { fill: #171b24; stroke: #313847 } .bar { fill: #566075 }
    .speech { fill: #1e3558 } .small { fill: #98a2b5 } .interim { fill: #8a93a5 }
  }
"""


class Seen(NamedTuple):
    """An event, and when it came, in seconds since the audio began."""

    at_s: float
    type: str
    start_s: float
    end_s: float
    text: str


async def listen(address: str, samples: np.ndarray, rate: int) -> list[Seen]:
    """Play the samples, int16 [n], in real time; returns what came."""
    seen: list[Seen] = []
    loop = asyncio.get_running_loop()
    async with connect(address, sample_rate=rate, interim_results=True) as stream:
        begun_s = loop.time()

        async def send() -> None:
            size = round(MESSAGE_S * rate)
            for number, first in enumerate(range(0, len(samples), size), start=1):
                await asyncio.sleep(begun_s + number * MESSAGE_S - loop.time())
                await stream.send(samples[first : first + size].tobytes())
            await stream.stop()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send())
            async for event in stream:
                at_s = loop.time() - begun_s
                if event.type in ("interim", "segment") and event.text:
                    span = (event.start_time or 0.0, event.end_time or 0.0)
                    seen.append(Seen(at_s, event.type, *span, event.text))
    return seen


def draw(seen: Sequence[Seen], samples: np.ndarray, rate: int) -> str:
    """The picture."""
    length_s = len(samples) / rate
    loop_s = length_s + PAUSE_S
    rules, shapes = [STYLE], []
    shapes.append(_wave(samples, length_s, [event for event in seen if event.type == "segment"]))
    rules.append(
        f"@keyframes head {{ 0% {{ transform: translateX(0) }} {_percent(length_s, loop_s)}, 100% "
        f"{{ transform: translateX({WIDTH - 2 * LEFT}px) }} }}"
        f".head {{ animation: head {loop_s:.2f}s linear infinite }}"
    )
    y = LINE_Y
    for row, events in enumerate(_lines(seen)):
        ends = [later.at_s for _, later in pairwise(events)] + [loop_s]
        for column, (event, end_s) in enumerate(zip(events, ends, strict=True)):
            name = f"t{row}-{column}"
            final = event.type == "segment"
            rules.append(_shown(name, event.at_s, end_s, loop_s, still=final))
            kind = "" if final else " interim"
            clock = f"{int(event.start_s // 60):02}:{event.start_s % 60:04.1f}"
            shapes.append(
                f'<g class="{name}"><text class="small" x="{LEFT}" y="{y}">{clock}</text>'
                f'<text class="{kind.strip()}">{_wrapped(event.text, y, final=final)}</text></g>'
            )
        y += LINE_HEIGHT * max(len(wrap(event.text, LINE_CHARACTERS)) for event in events)
    rules.append("@media (prefers-reduced-motion) { .head { animation: none; opacity: 0 } }")
    height = y
    title = "A recording is played; interims in grey and finals appear while it plays"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{title}</title><style>{''.join(rules)}</style>"
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>'
        f'<text class="small" x="{LEFT}" y="30">{RECORDING.name}, played in real time: '
        f"{length_s:.1f} s</text>{''.join(shapes)}</svg>\n"
    )


def _wrapped(text: str, y: int, *, final: bool) -> str:
    """The lines of a text, the first at `y`."""
    lines = wrap(text if final else f"{text} …", LINE_CHARACTERS)
    return "".join(
        f'<tspan x="{LEFT + 62}" y="{y + number * LINE_HEIGHT}">{escape(line)}</tspan>'
        for number, line in enumerate(lines)
    )


def _lines(seen: Sequence[Seen]) -> list[list[Seen]]:
    """The events of each segment, in order; the final is the last."""
    lines: list[list[Seen]] = [[]]
    for event in seen:
        lines[-1].append(event)
        if event.type == "segment":
            lines.append([])
    return [line for line in lines if line]


def _wave(samples: np.ndarray, length_s: float, segments: Sequence[Seen]) -> str:
    scale = (WIDTH - 2 * LEFT) / length_s
    spans = "".join(
        f'<rect class="speech" x="{LEFT + s.start_s * scale:.1f}" y="{WAVE_Y}" rx="3" '
        f'width="{(s.end_s - s.start_s) * scale:.1f}" height="{WAVE_HEIGHT}"/>'
        for s in segments
    )
    peaks = np.array([np.abs(part).max() for part in np.array_split(samples.astype(float), BARS)])
    heights = np.maximum(1.5, peaks / peaks.max() * (WAVE_HEIGHT - 6))
    step = (WIDTH - 2 * LEFT) / BARS
    bars = "".join(
        f'<rect class="bar" x="{LEFT + number * step:.1f}" width="2" '
        f'y="{WAVE_Y + (WAVE_HEIGHT - height) / 2:.1f}" height="{height:.1f}"/>'
        for number, height in enumerate(heights)
    )
    head = f'<rect class="head" x="{LEFT}" y="{WAVE_Y - 4}" width="2" height="{WAVE_HEIGHT + 8}"/>'
    return spans + bars + head


def _shown(name: str, from_s: float, until_s: float, loop_s: float, *, still: bool) -> str:
    """The rule for something that is there from one time to another."""
    begin, end = _percent(from_s, loop_s), _percent(until_s, loop_s)
    hidden_again = "" if until_s >= loop_s else f" {end} {{ opacity: 0 }}"
    return (
        f"@keyframes {name} {{ 0% {{ opacity: 0 }} {begin} {{ opacity: 1 }}{hidden_again} }}"
        f".{name} {{ opacity: 0; animation: {name} {loop_s:.2f}s step-end infinite }}"
        f"@media (prefers-reduced-motion) {{ .{name} {{ animation: none; opacity: {still:d} }} }}"
    )


def _percent(at_s: float, loop_s: float) -> str:
    return f"{100 * at_s / loop_s:.2f}%"


def main(file: Path) -> int:
    """Record and draw; returns the exit code."""
    samples, rate = soundfile.read(RECORDING, dtype="int16")
    samples = samples[: round(LENGTH_S * rate)]
    with running_server({}) as server:
        address = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
        seen = asyncio.run(listen(address, samples, rate))
    file.write_text(draw(seen, samples, rate), "utf-8")
    print(file)
    return 0


if __name__ == "__main__":
    parser = tool_parser("tools.docs.moving_picture", __doc__)
    parser.add_argument("file", nargs="?", type=Path, default=PICTURE, help="for the picture")
    sys.exit(main(parser.parse_args().file))
