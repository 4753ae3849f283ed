"""Where events go: plain lines, or a live display on a terminal."""

import sys
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from streamer_client.event_text import clock, uncertain_spans
from streamer_client.events import Event
from streamer_client.transcript import Formatter

_HINT_S = 1.0
"""Seconds that a recording may be longer than its header declares; if more, that was wrong."""


class Display(Protocol):
    """Shows a stream; a context manager around it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def event(self, event: Event) -> None:
        """Write what the event adds to the transcript."""

    def end(self) -> None:
        """Write the rest of the transcript, after the last event."""

    def note(self, line: str) -> None:
        """Show a line that is not part of the transcript."""

    def sent(self, audio_s: float) -> None:
        """Show that `audio_s` seconds have been sent so far."""


class PlainDisplay:
    """The transcript line by line on `out`, everything else on standard error."""

    def __init__(self, formatter: Formatter, out: TextIO) -> None:
        self._formatter = formatter
        self._out = out

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def event(self, event: Event) -> None:
        """Write what the event adds to the transcript."""
        self._write(self._formatter.event(event))

    def end(self) -> None:
        """Write the rest of the transcript, after the last event."""
        self._write(self._formatter.end())

    def note(self, line: str) -> None:
        """Show a line that is not part of the transcript."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def sent(self, audio_s: float) -> None:
        """Show that `audio_s` seconds have been sent so far."""

    def _write(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._out.flush()


class LiveDisplay:
    """A terminal: finals scroll, interims rewrite themselves below them, then a progress bar.

    With `out` the transcript goes there instead, and only the bar is on the terminal. `bar` is
    whether to draw it; `duration_s` is its end, `None` = unknown.
    """

    def __init__(
        self,
        console: Console,
        formatter: Formatter,
        *,
        out: TextIO | None,
        bar: bool,
        duration_s: float | None,
    ) -> None:
        self._console = console
        self._formatter = formatter
        self._plain = PlainDisplay(formatter, out) if out else None
        self._bar_shown = bar
        self._duration_s = duration_s
        self._interims: dict[int, Text] = {}
        length = f" / {clock(duration_s)}" if duration_s is not None else ""
        self._progress = Progress(
            TextColumn("{task.description}"),
            *([BarColumn(bar_width=30)] if duration_s is not None else []),
            TextColumn("{task.fields[at]}" + length),
            console=console,
        )
        self._task = self._progress.add_task("sending", total=duration_s, at=clock(0.0))
        self._live = Live(
            console=console,
            get_renderable=self._below,
            refresh_per_second=10,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.stop()

    def event(self, event: Event) -> None:
        """Write what the event adds to the transcript."""
        if self._plain:
            self._plain.event(event)
            return
        text = Text(self._formatter.event(event).rstrip("\n"))
        channel = event.channel or 0
        if event.type == "interim":
            text.stylize("bright_black")
            self._interims[channel] = text
        elif event.type in ("segment", "error"):
            if self._interims.pop(channel, None) is not None:
                # Printing redraws what is below from the last refresh, the old interim included.
                self._live.refresh()
            if text:
                text.highlight_regex(r"^\[.*?\]", "cyan")
                for start, end in uncertain_spans(event, text.plain):
                    text.stylize("dim", start, end)
                self._console.print(text, soft_wrap=True)

    def end(self) -> None:
        """Write the rest of the transcript; the lines on a terminal are complete."""
        if self._plain:
            self._plain.end()

    def note(self, line: str) -> None:
        """Show a line that is not part of the transcript."""
        if sys.stderr.isatty():
            self._console.print(Text(line, style="yellow"), soft_wrap=True)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def sent(self, audio_s: float) -> None:
        """Show that `audio_s` seconds have been sent so far."""
        if self._duration_s is not None and audio_s > self._duration_s + _HINT_S:
            self._duration_s = None
            self._progress.update(self._task, total=None)
        whole = self._duration_s is not None and audio_s >= self._duration_s - 0.001
        self._progress.update(
            self._task,
            completed=audio_s,
            at=clock(audio_s),
            description="sent, waiting for the rest" if whole else "sending",
        )

    def _below(self) -> Group:
        # Called on the refreshing thread too, while events come in: sort a copy.
        interims = [text for _, text in sorted(self._interims.copy().items())]
        return Group(*interims, *([self._progress] if self._bar_shown else []))


def make_display(
    formatter: Formatter, out: TextIO, *, as_text: bool, duration_s: float | None
) -> Display:
    """Choose how to show a transcript written to `out`; `as_text` when it is meant for people."""
    if out.isatty():
        if not as_text:
            return PlainDisplay(formatter, out)  # a bar would run through its lines
        console = Console(file=out, highlight=False)
        bar = sys.stderr.isatty()
        return LiveDisplay(console, formatter, out=None, bar=bar, duration_s=duration_s)
    if sys.stderr.isatty():
        console = Console(stderr=True, highlight=False)
        return LiveDisplay(console, formatter, out=out, bar=True, duration_s=duration_s)
    return PlainDisplay(formatter, out)
