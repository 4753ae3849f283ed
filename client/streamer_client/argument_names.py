"""Checks the names of the arguments of the package's functions: an error says what was meant."""

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("rate", "hz", "framerate"), "sample_rate"),
    **dict.fromkeys(("filename", "file", "audio", "recording"), "path"),
}
"""What others call an argument, as `plain` writes it, where that is no option of the command."""

ARGUMENT_OF: Mapping[str, str] = {
    "--addr": "url",
    "--keyterm": "keyterms",
    "--timeout": "timeout_s",
    "--input": "path",
}
"""By option of the command: the argument that has another name."""


def with_known_names(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, with a `TypeError` for an argument it lacks that names the one meant."""
    signature = inspect.signature(function)
    known = [name for name in signature.parameters if name != "self"]

    @functools.wraps(function)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for name in kwargs:
            if name not in known:
                hint = _hint(name, known)
                raise TypeError(f"{function.__name__}() has no argument {name!r}; {hint}")
        return function(*args, **kwargs)

    return checked


def _hint(name: str, known: Sequence[str]) -> str:
    """What was meant; else what is allowed."""
    from streamer.cli.meant import plain  # importing the package is light

    if plain(name) in ("language", "lang"):
        return "each model has its own language: choose one with model"
    if (meant := _meant(name, known)) is not None:
        return f"did you mean {meant}?"
    return f"allowed: {', '.join(known)}"


def _meant(name: str, known: Sequence[str]) -> str | None:
    from streamer.cli.meant import meant_option, plain

    by_name = {plain(one): one for one in known}
    word = plain(name)
    options = [f"--{one.replace('_', '-')}" for one in known]
    option = meant_option(name, [*options, *ARGUMENT_OF]) or ""
    if option.startswith("--vad "):
        return f"vad={{{option.removeprefix('--vad ').partition('=')[0]!r}: …}}"
    of_option = ARGUMENT_OF.get(option, option.removeprefix("--").replace("-", "_"))
    if (ours := OTHER_NAMES.get(word, of_option)) in known:
        return ours
    longer = [one for one in by_name if len(word) > 2 and one.startswith(word)]
    near = [*longer, *difflib.get_close_matches(word, by_name, n=1, cutoff=0.75)]
    return by_name[near[0]] if near else None
