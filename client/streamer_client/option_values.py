"""The kinds of values that the command's options take, from their text.

Each function raises `argparse.ArgumentTypeError`, whose message the user sees.
"""

import argparse
import json
import shlex
from pathlib import Path

PROGRAM = "streamer-client"
"""As users call it."""


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text) if text.isascii() and text.isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return value


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


def reconnect_seconds(text: str) -> float:
    """The same, for an option whose value may be left out."""
    try:
        return seconds(text)
    except argparse.ArgumentTypeError as error:
        if _is_number(text):
            raise
        # `--reconnect FILE` takes the file for its number.
        hint = f"; if it is the recording: {PROGRAM} {text} --reconnect"
        raise argparse.ArgumentTypeError(f"{error}{hint}") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def setting(text: str) -> tuple[str, float]:
    """A name and a number."""
    key, separator, number = text.partition("=")
    try:
        value = json.loads(number)
    except ValueError:
        value = None
    if not key or not separator or isinstance(value, bool) or not isinstance(value, int | float):
        if text.lower() in ("off", "none", "no", "false", "0"):
            raise argparse.ArgumentTypeError(
                f"{text!r} is not KEY=NUMBER; everything, without voice detection, is processed at "
                "the address …/api/v1/simple: see --addr"
            )
        example = f"{key}=600" if separator and key.endswith("_ms") else "threshold=0.6"
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=NUMBER, such as {example}")
    return key, value


def output_format(text: str) -> str:
    """A format of the transcript; argparse knows which there are."""
    if Path(text).suffix or "/" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} is a file; did you mean -o {shlex.quote(text)}?"
        )
    return text
