"""Archives that depend on nothing but their files: no clock, no user, no order of a folder."""

import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

DIRECTORY_MODE, PROGRAM_MODE, FILE_MODE = 0o755, 0o755, 0o644


def write_tar(target: Path, root: Path, names: Iterable[str], prefix: str, epoch_s: int) -> None:
    """Write files into a .tar.gz.

    Args:
        target: The archive.
        root: The folder of the files.
        names: Their paths below it; links stay links.
        prefix: The folder in the archive, around all of them.
        epoch_s: The time of every file, in seconds since 1970.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(names):
            path = root / name
            entry = archive.gettarinfo(path, f"{prefix}/{name}")
            entry.mtime, entry.uid, entry.gid = epoch_s, 0, 0
            entry.uname = entry.gname = ""
            entry.mode = _mode(entry)
            if entry.isreg():
                with path.open("rb") as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry)
    with target.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=epoch_s) as packed:
        packed.write(buffer.getvalue())


def normalise(archive: Path, scratch: Path, epoch_s: int) -> Path:
    """Write a .tar.gz again, with the same files; return the folder that it was unpacked to.

    Args:
        archive: With one folder around all files, as a source distribution has it.
        scratch: Where to unpack.
        epoch_s: See `write_tar`.
    """
    with tarfile.open(archive) as opened:
        opened.extractall(scratch, filter="data")
    (root,) = scratch.iterdir()
    names = [str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()]
    write_tar(archive, root, names, root.name, epoch_s)
    return root


def _mode(entry: tarfile.TarInfo) -> int:
    if entry.isdir():
        return DIRECTORY_MODE
    return PROGRAM_MODE if entry.mode & 0o100 else FILE_MODE
