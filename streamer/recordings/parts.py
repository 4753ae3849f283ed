"""The files within a file: the links of an OGG chain, WAV or MP4 files one behind the other."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from streamer.recordings.containers import DEMUXERS, Found, container_at, skip_tags
from streamer.recordings.damage import Damage, seconds
from streamer.recordings.lengths import (
    declared_by_caf,
    declared_by_flac,
    declared_by_mp3,
    mp4_end,
)
from streamer.recordings.ogg import Link, Pages
from streamer.recordings.riff import Wave, open_wave
from streamer.recordings.view import View


class Part(NamedTuple):
    """What FFmpeg gets as a file of its own.

    Attributes:
        kind: One of `DEMUXERS`.
        demuxer: FFmpeg's.
        view: The file.
        declared_s: Seconds that its header declares; None = unknown, or FFmpeg reads it.
    """

    kind: str
    demuxer: str
    view: View | Link
    declared_s: float | None = None


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
    match found.kind:
        case "OGG":
            yield from _links(file, found.start, damage)
        case "WAV":
            yield from _waves(file, found, damage)
        case "MP4":
            yield from _mp4s(file, found.start, damage)
        case "MP3":
            # FFmpeg looks for tags at the end, so it gets to know where that is.
            view = View(file, found.start)
            yield Part("MP3", "mp3", view, declared_by_mp3(file, found.start))
        case "FLAC":
            declared_s = declared_by_flac(file, found.start)
            yield Part("FLAC", "flac", View(file, found.start), declared_s)
        case "CAF":
            declared_s = declared_by_caf(file, found.start)
            yield Part("CAF", "caf", _Unsized(file, found.start), declared_s)
        case kind:
            yield Part(kind, DEMUXERS[kind], _Unsized(file, found.start))


def _links(file: BinaryIO, start: int, damage: Damage) -> Iterator[Part]:
    pages = Pages(file, start)
    while pages.peek() is not None:
        link = Link(pages)
        yield Part("OGG", "ogg", link)
        link.finish()
        damage.gap_bytes = pages.skipped_bytes
        damage.pages = pages.damaged


def _mp4s(file: BinaryIO, start: int, damage: Damage) -> Iterator[Part]:
    at: int | None = start
    while at is not None:
        end = mp4_end(file, at)
        yield Part("MP4", "mov", _Unsized(file, at, end.next_file))
        if end.strange_bytes:
            damage.note(
                f"the MP4 file is damaged: its last {end.strange_bytes} bytes are no part of it"
            )
        at = end.next_file


def _waves(file: BinaryIO, found: Found, damage: Damage) -> Iterator[Part]:
    following: Found | None = found
    while following is not None and following.kind == "WAV":
        wave = open_wave(file, following.start)
        _note_missing(wave, damage)
        declared_s = None
        if wave.declared_bytes == wave.found_bytes and wave.bytes_per_second:
            declared_s = wave.found_bytes / wave.bytes_per_second
        yield Part("WAV", wave.demuxer, wave.view, declared_s)
        end = skip_tags(file, wave.end)
        following = container_at(file, end) or container_at(file, end + 1)


def _note_missing(wave: Wave, damage: Damage) -> None:
    if wave.declared_bytes is None or wave.declared_bytes <= wave.found_bytes:
        return
    missing = wave.declared_bytes - wave.found_bytes
    rate = wave.bytes_per_second
    damage.note(
        f"the WAV file ends early: its header declares {wave.declared_bytes} bytes of samples, "
        f"{wave.found_bytes} are there, {missing} bytes"
        f"{f' ({seconds(missing / rate)})' if rate else ''} are missing"
    )
