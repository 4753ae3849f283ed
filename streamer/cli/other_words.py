"""What was meant by a word in the place of a command, such as an address, a file or a folder."""

import re
import shlex
from pathlib import Path

from streamer.cli.meant import ADDRESS
from streamer.config.paths import exists, is_dir, is_file

CONFIG = "config.json"
MANIFEST = "model.json"
MODELS = frozenset({".onnx", ".py"})
"""Suffixes of files that `streamer models check` takes."""

OF_THE_CLIENT = frozenset({"transcribe", "client", "send", "stream", "mic", "record", "listen"})
"""What other programs call the command that sends audio."""


def instead_of_command(word: str) -> str | None:
    """What to do instead of `streamer WORD`; None = not known."""
    path = Path(word)
    if word.lower() in OF_THE_CLIENT:
        return "audio is sent with streamer-client FILE, or streamer-client --mic"
    if is_dir(path):
        return _instead_of_folder(path)
    if is_file(path):
        return _instead_of_file(path)
    if ADDRESS.fullmatch(word):
        return _instead_of_address(word)
    if ":" in word:
        return f"did you mean models check {word}?"
    if set(word) & set("*?["):
        return "it is a pattern, and no file here matches it"
    if path.suffix == ".json":
        return f"--config takes a configuration, and there is no file {shlex.quote(word)}"
    if path.suffix:
        return f"and no such file; to send a recording: streamer-client {shlex.quote(word)}"
    return None


def instead_of_models_command(word: str) -> str | None:
    """What to do instead of `streamer models WORD`; None = not known."""
    is_path = exists(word) or "/" in word or Path(word).suffix in MODELS
    return f"did you mean check {shlex.quote(word)}?" if is_path or ":" in word else None


def _instead_of_folder(folder: Path) -> str:
    given = shlex.quote(str(folder))
    if is_file(folder / CONFIG):
        return f"did you mean --config {given}?"
    if is_file(folder / MANIFEST):
        return f"did you mean models check {given}? To serve it, write a {CONFIG} there"
    return f"it is a directory without a {CONFIG}, which --config would take"


def _instead_of_file(file: Path) -> str:
    given = shlex.quote(str(file))
    if file.name == MANIFEST or file.suffix in MODELS:
        return f"did you mean models check {given}?"
    if file.suffix == ".json":
        return f"did you mean --config {given}?"
    return f"to send a recording: streamer-client {given}"


def _instead_of_address(word: str) -> str:
    """The options with which the server would listen there."""
    place = re.sub(r"^\w+:/{1,2}", "", word).partition("/")[0]
    if place.isdigit():
        return f"did you mean --port {place}?"
    host, _, port = place.rpartition(":") if re.search(r":\d+$", place) else (place, "", "")
    options = [f"--host {host.strip('[]')}"] if host else []
    options += [f"--port {port}"] if port else []
    if not options:
        return "it is an address; give the one to listen on with --host and --port"
    return f"it is an address; to listen there: {' '.join(options)}"
