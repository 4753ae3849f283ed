"""The files within a file: the links of an OGG chain, and files one behind the other."""

from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

from streamer.recordings.containers import DEMUXERS, Found, following
from streamer.recordings.damage import Damage
from streamer.recordings.ends import file_behind
from streamer.recordings.errors import AudioFileError
from streamer.recordings.lengths import (
    declared_by_caf,
    declared_by_flac,
    declared_by_mp3,
    mp4_end,
)
from streamer.recordings.ogg import Link, Pages
from streamer.recordings.riff import open_wave, shortfall
from streamer.recordings.view import Readable, View


class Part(NamedTuple):
    """What FFmpeg gets as a file of its own.

    Attributes:
        kind: One of `DEMUXERS`.
        demuxer: FFmpeg's.
        view: The file.
        declared_s: Seconds that its header declares; None = unknown, or FFmpeg reads it.
        arriving: The rest of it is still to come.
    """

    kind: str
    demuxer: str
    view: Readable
    declared_s: float | None = None
    arriving: bool = False


COUNTED = frozenset(("OGG", "MP3", "FLAC", "AAC", "LATM", "AMR", "AC-3", "E-AC-3", "WAV"))
"""Containers of which FFmpeg only estimates a length, or whose own is read here."""


class _Unsized(View):
    """A view that does not reveal its size: FFmpeg would estimate a length from it."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return -1 if whence == 2 else super().seek(offset, whence)


def parts_of(file: BinaryIO, found: Found, damage: Damage) -> Iterator[Part]:
    """The parts of a file, in order; each has to be read before the next is asked for.

    Args:
        file: Open for reading.
        found: The container that begins it.
        damage: Gets what is seen to be missing.

    Raises:
        AudioFileError: The first WAV file has no samples.
    """
    here: Found | None = found
    while here is not None:
        try:
            behind = yield from _one_file(file, here, damage)
        except AudioFileError as problem:
            if here == found:
                raise
            damage.left_out(here.kind, problem)
            return
        # A size that leads nowhere must not lead back.
        here = behind if behind is not None and behind.start > here.start else None


def _one_file(file: BinaryIO, found: Found, damage: Damage) -> Generator[Part, None, Found | None]:
    """The parts of one of the files that are joined; returns the one behind it."""
    kind, start = found.kind, found.start
    behind: Found | None = None
    match kind:
        case "OGG":
            yield from links(Pages(View(file, start).read), damage)
        case "WAV":
            behind = yield from _wave(file, start, damage)
        case "MP4":
            behind = yield from _mp4(file, start, damage)
        case "MP3":
            end, behind = _end(file, found)
            # FFmpeg looks for tags at the end, so it gets to know where that is.
            view = View(file, start, end)
            yield Part("MP3", "mp3", view, declared_by_mp3(file, start))
        case _:
            end, behind = _end(file, found)
            view = View(file, start, end) if kind == "FLAC" else _Unsized(file, start, end)
            yield Part(kind, DEMUXERS[kind], view, _declared(file, found))
    return behind


def _end(file: BinaryIO, found: Found) -> tuple[int | None, Found | None]:
    """Where a file ends, and what is behind it; None = it is the last one."""
    behind = file_behind(file, found)
    return (None, None) if behind is None else behind


def _declared(file: BinaryIO, found: Found) -> float | None:
    match found.kind:
        case "FLAC":
            return declared_by_flac(file, found.start)
        case "CAF":
            return declared_by_caf(file, found.start)
    return None


def links(pages: Pages, damage: Damage, *, arriving: bool = False) -> Iterator[Part]:
    """The links of an OGG chain as parts; see `parts_of`."""
    while pages.peek() is not None:
        link = Link(pages)
        yield Part("OGG", "ogg", link, arriving=arriving)
        link.finish()
        damage.pages = pages.damaged
        damage.gap_bytes = pages.skipped_bytes
    damage.gap_bytes = pages.skipped_bytes


def _mp4(file: BinaryIO, start: int, damage: Damage) -> Generator[Part, None, Found | None]:
    end = mp4_end(file, start)
    behind = None if end.next_file is None else Found("MP4", end.next_file)
    if end.strange_bytes:
        behind = following(file, file.seek(0, 2) - end.strange_bytes)
        if behind is None:
            damage.note(
                f"the MP4 file is damaged: its last {end.strange_bytes} bytes are no part of it"
            )
    yield Part("MP4", "mov", _Unsized(file, start, None if behind is None else behind.start))
    return behind


def _wave(file: BinaryIO, start: int, damage: Damage) -> Generator[Part, None, Found | None]:
    wave = open_wave(file, start)
    note = shortfall(wave.declared_bytes, wave.found_bytes, wave.bytes_per_second)
    if note is not None:
        damage.note(note)
    declared_s = None
    if wave.declared_bytes == wave.found_bytes and wave.bytes_per_second:
        declared_s = wave.found_bytes / wave.bytes_per_second
    yield Part("WAV", wave.demuxer, wave.view, declared_s)
    return wave.behind
