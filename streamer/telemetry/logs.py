"""Log lines: JSON for machines, text for people, each with its session and trace.

What a client sends may end up in a message, but it can neither begin a line of its own nor move
the cursor: JSON escapes control characters, and the readable form does too.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from streamer.config.telemetry import LogFormat
from streamer.observe.log_context import current


class JsonFormatter(logging.Formatter):
    """One JSON object a line; the `fields` of a record become members of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_context(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # ASCII alone, so that no character can do anything to a terminal.
        return json.dumps(line, default=str).replace("\x7f", "\\u007f")


class TextFormatter(logging.Formatter):
    """Time, level, message, and what belongs to it as `key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it, indented, the exception if there is one."""
        details = {**_fields(record), **_context()}
        shown = "".join(f" {key}={value}" for key, value in details.items())
        line = f"{_time(record)} {record.levelname:<7} {record.getMessage()}{shown}"
        rows = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        return "\n    | ".join(map(_printable, [line, *rows]))


def set_up(level: str, log_format: LogFormat, stream: TextIO = sys.stderr) -> None:
    """Write all logs of this process to `stream`.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: `auto` is `text` on a terminal and `json` otherwise.
        stream: Where to.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if readable(log_format, stream) else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # uvicorn's own lines hold less than ours, and repeat what clients sent, even their tokens.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # What is wrong with a form is sent to the client; an operator can do nothing about it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def readable(log_format: LogFormat, stream: TextIO = sys.stderr) -> bool:
    """Whether lines are for people: configured so, or the stream is a terminal."""
    return log_format == "text" or (log_format == "auto" and stream.isatty())


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _context() -> dict[str, object]:
    context = current.get()
    if context is None:
        return {}
    found = {"session_id": context.session_id, "trace_id": context.trace_id}
    return {key: value for key, value in found.items() if value}


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = getattr(record, "fields", {})
    assert isinstance(fields, dict)
    return fields


def _printable(text: str) -> str:
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
