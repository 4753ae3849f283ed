"""What was meant by a recording that is none, such as an address, and by an option of others."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from streamer.cli.command_line import is_address
from streamer.cli.meant import plain
from streamer.config.paths import exists
from streamer_client.connection import meant_address

STANDARD_INPUT = frozenset({"stdin", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
LONE_DASHES = re.compile(r"[-‐‑‒–—―−]{1,3}")
OF_THE_SERVER = frozenset({"models", "serve", "run", "server"})

WORDS = {"mic": "--mic", "microphone": "--mic", "help": "--help", "version": "--version"}
"""By word: the option that it means."""

_NO_SPEAKERS = "the server does not tell speakers apart; each channel has its own transcript"
_PUNCTUATION = "the text has punctuation where the model writes it"
_LANGUAGE = (
    "each model has its own language: choose a model with --model; "
    "…/api/v1/info of the server lists them"
)
INSTEAD: Mapping[str, str] = {
    "stdin": "for standard input: streamer-client -",
    **dict.fromkeys(("language", "lang", "detectlanguage", "task"), _LANGUAGE),
    "translate": f"the text is in the language of the speech; {_LANGUAGE}",
    **dict.fromkeys(("diarize", "diarization", "speakers", "numspeakers"), _NO_SPEAKERS),
    **dict.fromkeys(("speakerlabels", "speaker"), _NO_SPEAKERS),
    **dict.fromkeys(("punctuate", "punctuation", "smartformat", "formatturns"), _PUNCTUATION),
}
"""By option of other programs, as `plain` writes it: what is true here instead."""


def instead_of_option(option: str) -> str | None:
    """What to do instead of giving an option of other programs; None = not known."""
    return INSTEAD.get(plain(option.partition("=")[0]))


def instead_of_recordings(given: Sequence[str], program: str) -> str | None:
    """What to do instead of giving these as recordings; None = they may be recordings.

    Args:
        given: At least one; `-` is standard input.
        program: Its name.
    """
    joined = " ".join(given)
    if len(given) > 1 and exists(joined):
        return f"{joined!r} is one file: put its name into quotes"
    for index, word in enumerate(given):
        others = [*given[:index], *given[index + 1 :]]
        if (instead := _instead_of(word, others, program)) is not None:
            return instead
    return None


def _instead_of(word: str, others: Sequence[str], program: str) -> str | None:
    if word == "-":
        return None
    if word == "":
        return 'the name of the recording is empty, as "$NAME" is if NAME is not set'
    if word in STANDARD_INPUT:
        return f"for standard input: {program} -"
    if exists(word):
        return None if others else _instead_of_existing(Path(word), program)
    if word.lower().startswith("file:"):  # as browsers and file managers copy it
        command = f"{program} {shlex.quote(unquote(urlsplit(word).path))}"
        return f"{word} is the address of a file; give the file's name: {command}"
    if LONE_DASHES.fullmatch(word):
        return f"{word!r} is no hyphen; for standard input: {program} -"
    if word.lower() in WORDS:
        return f"there is no file {word!r}; did you mean {WORDS[word.lower()]}?"
    if word in OF_THE_SERVER:
        what = "streamer models" if word == "models" else "streamer, without a command"
        return f"there is no file {word!r}; did you mean the other program, {what}?"
    return _instead_of_address(word, others, program) if is_address(word) else None


def _instead_of_existing(path: Path, program: str) -> str | None:
    if path.is_file():
        return None
    if path.is_dir():
        pattern = shlex.quote(str(path)) + "/*"
        loop = f'for f in {pattern}; do {program} "$f" -o "$f.txt"; done'
        return f"{path} is a directory; give an audio file. For all files in it: {loop}"
    command = f"{program} - < {shlex.quote(str(path))}"
    return f"{path} is not a regular file; send what comes from it: {command}"


def _instead_of_address(word: str, others: Sequence[str], program: str) -> str:
    scheme, path = urlsplit(word).scheme, urlsplit(word).path
    if scheme in ("http", "https") and Path(path).suffix:
        command = f"curl -L {shlex.quote(word)} | {program} -"
        return f"{word} is an address; send the file from there: {command}"
    file = shlex.quote(others[0]) if others else "FILE"
    given = f"{program} {file} --addr {shlex.quote(meant_address(word) or word)}"
    return f"{word} is an address, not a recording; give it with --addr: {given}"
