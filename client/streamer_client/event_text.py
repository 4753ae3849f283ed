"""Events as text: lines of a transcript, and lines for a person to read."""

import json
from unicodedata import category

from streamer_client.events import Event


def format_jsonl(event: Event) -> str:
    """Return the event as it was received, on one line."""
    one_line = event.raw if "\n" not in event.raw else json.dumps(event.fields)
    return one_line + "\n"


def format_text(event: Event, channels: int) -> str:
    """Return a line for a `segment` or `interim`, such as `[00:03.2 → 00:05.9] text`."""
    if event.type not in ("segment", "interim") or not (output := describe_output(event)):
        return ""
    mark = " …" if event.type == "interim" else ""
    label = f"{channel_label(event, channels)}: " if channels > 1 else ""
    return f"[{time_span(event)}{mark}] {label}{output}\n"


UNCERTAIN = 0.5
"""Confidence below which a word is marked. With Moonshine Tiny two thirds of the words below it are
wrong, and they are half of all wrong words."""


def uncertain_spans(event: Event, line: str) -> list[tuple[int, int]]:
    """Where the words of an event of which the model is not certain are in its line of text."""
    spans: list[tuple[int, int]] = []
    at = line.rfind(describe_output(event)) if event.words else 0
    for word in event.words:
        text = printable(word.text)
        start = line.find(text, max(at, 0))
        if start < 0:
            continue
        at = start + len(text)
        if word.confidence < UNCERTAIN:
            spans.append((start, at))
    return spans


def describe_output(event: Event) -> str:
    """Return the output of the model: its text, or else its values as `key=value` pairs."""
    if event.text is not None:
        return printable(event.text.strip())
    return printable(" ".join(f"{key}={_value(value)}" for key, value in event.output.items()))


def describe_problem(event: Event, channels: int) -> str:
    """Return a `warning`, `error` or `going_away` for a person to read."""
    where = ""
    if event.start_time is not None and event.end_time is not None:
        where += f" at [{time_span(event)}]"
    if event.channel is not None and channels > 1:
        where += f" on {channel_label(event, channels)}"
    code = f" {event.code}" if event.code else ""
    name = event.type.replace("_", " ")
    return printable(f"{name}{code}{where}: {event.message or 'no further explanation'}")


def channel_label(event: Event, channels: int) -> str | None:
    """Return `channel 1` for the event's `channel` 0 and so on, `None` when there is only one."""
    return f"channel {(event.channel or 0) + 1}" if channels > 1 else None


def time_span(event: Event) -> str:
    """Return the event's times, such as `00:03.2 → 00:05.9`."""
    return f"{clock(event.start_time or 0.0)} → {clock(event.end_time or 0.0)}"


def clock(seconds: float) -> str:
    """Return `mm:ss.t`, or `h:mm:ss.t` from one hour on."""
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    prefix = f"{hours}:" if hours else ""
    return f"{prefix}{minutes:02}:{tenths // 10:02}.{tenths % 10}"


def printable(text: str) -> str:
    """Return `text` without control characters, which could drive the terminal it is shown on."""
    return "".join(" " if category(c) == "Cc" else c for c in text)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
