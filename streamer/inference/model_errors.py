"""What is reported of an error in a model's code: a sentence, and file, line and function."""

import inspect
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.model import Model
from streamer.models.own_class import remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_REASON = 500
"""Characters of a model's error message that are sent to the server."""

_PACKAGE = Path(__file__).parents[1]
_SERVER = (str(_PACKAGE / "inference"), str(_PACKAGE / "model.py"), "<frozen")
"""Code that calls a model, and is none."""

_LIBRARIES = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
"""Folders of the standard library and of installed packages."""


def describe(error: BaseException) -> str:
    """The error in one line that can be sent, whatever characters the model put into it."""
    name = type(error).__name__
    try:
        text = f"{name}: {error}{remedy(error)}"
    except Exception:  # `__str__` is the model's code, too
        text = name
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable.encode("utf-8", "replace").decode()[:LONGEST_REASON]


def place_while_loading(error: BaseException) -> str:
    """Where the code of a model of one's own failed while it was loaded, `file:line in function`.

    Empty if none of it ran: then the message is about the configuration, or about the files of a
    built-in model.
    """
    for cause in _chain(error):
        if isinstance(cause, SyntaxError) and cause.filename:
            return f"{cause.filename}:{cause.lineno}"
        if place := _last_frame(cause, (str(_PACKAGE), "<frozen", *_LIBRARIES)):
            return place
    return ""


def place_of(error: BaseException, model: Model | None, method: str) -> str:
    """Where a model's code failed on a segment, `file:line in function`.

    What it returned and cannot be sent is found in this server's code. Then it is the place of the
    method.

    Args:
        error: What was raised.
        model: The model; None = not made.
        method: Which of its methods was called.
    """
    for cause in _chain(error):
        if place := _last_frame(cause, (*_SERVER, *_LIBRARIES), _file_of(model)):
            return place
    return place_of_method(model, method)


def place_of_method(model: Model | None, method: str) -> str:
    """Where a method of a model begins. Empty if it is not written in Python."""
    function: Callable[..., object] | None = getattr(type(model), method, None)
    code = getattr(inspect.unwrap(function), "__code__", None) if function else None
    return f"{code.co_filename}:{code.co_firstlineno} in {code.co_name}" if code else ""


def _chain(error: BaseException) -> "Iterator[BaseException]":
    """The errors that led to one, the first of them first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__
    return reversed(chain)


def _file_of(model: Model | None) -> str | None:
    """The file of a model's class: it may be among the installed packages."""
    if model is None:
        return None
    try:
        return inspect.getfile(type(model))
    except (TypeError, OSError):
        return None


def _last_frame(error: BaseException, others: tuple[str, ...], own: str | None = None) -> str:
    """The last frame outside of some folders and files, or in a file of one's own."""
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == own or not frame.filename.startswith(others):
            found = f"{frame.filename}:{frame.lineno} in {frame.name}"
    return found
