"""A table of recordings of one sound, in the kinds that phones, browsers and programs make."""

import functools
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.recordings.makers import (
    Samples,
    encoded,
    faststart,
    id3,
    multiplexed,
    riff,
    sound,
    wav,
    wav_chunks,
    with_serial,
    without_end_flag,
)

SECONDS = 2.5


class Kind(NamedTuple):
    """A kind of recording.

    Attributes:
        make: The file.
        container: That is found in it.
        rate: Hz, of the sound.
        channels: Of the sound.
        seconds: Right length.
        frame_s: How far the length may be off: one codec frame, or none.
        likeness: Least correlation with the sound. AMR keeps the spectrum and not the wave;
            FFmpeg's own Vorbis encoder is a poor one.
        warns: Whether something is missing.
        repeats: How often the sound is in it.
    """

    make: Callable[[], bytes]
    container: str
    rate: int = 16_000
    channels: int = 1
    seconds: float = SECONDS
    frame_s: float = 0.0
    likeness: float = 0.999
    warns: bool = False
    repeats: int = 1


@functools.cache
def source(rate: int = 16_000, channels: int = 1) -> Samples:
    """The sound that is in all of them."""
    return sound(SECONDS, rate, channels)


def _by(
    container: str,
    codec: str,
    rate: int = 16_000,
    channels: int = 1,
    options: dict[str, str] | None = None,
    *,
    pipe: bool = False,
    video: bool = False,
    bit_rate: int = 0,
    quality: int = 0,
) -> bytes:
    return encoded(
        source(rate, channels),
        rate,
        container,
        codec,
        options,
        pipe=pipe,
        video=video,
        bit_rate=bit_rate,
        quality=quality,
    )


def _pcm(codec: str, container: str = "wav", kind: str = "WAV", likeness: float = 0.999) -> Kind:
    return Kind(lambda: _by(container, codec), kind, likeness=likeness)


def _lossy(
    kind: str,
    container: str,
    codec: str,
    rate: int = 48_000,
    channels: int = 1,
    options: dict[str, str] | None = None,
    *,
    frame: int,
    likeness: float = 0.95,
    pipe: bool = False,
    video: bool = False,
    bit_rate: int = 64_000,
) -> Kind:
    make = functools.partial(
        _by, container, codec, rate, channels, options, pipe=pipe, video=video, bit_rate=bit_rate
    )
    return Kind(make, kind, rate, channels, frame_s=frame / rate, likeness=likeness)


def _sized(**sizes: int) -> bytes:
    chunks = wav_chunks(source(), 16_000)
    return riff(chunks, sizes={name.encode(): size for name, size in sizes.items()})


def _wide(magic: bytes) -> bytes:
    """RF64 or BW64: the real length is in a chunk of its own."""
    chunks = wav_chunks(source(), 16_000)
    length = len(chunks[1][1])
    ds64 = struct.pack("<QQQI", length + 72, length, length // 2, 0)
    body = riff([(b"ds64", ds64), *chunks], sizes={b"data": 0xFFFF_FFFF})
    return magic + b"\xff\xff\xff\xff" + body[8:]


def _rifx24() -> bytes:
    samples = source(16_000, 2)
    fmt = struct.pack(">HHIIHH", 1, 2, 16_000, 16_000 * 6, 6, 24)
    words = (samples.T * (2**31 - 1)).astype(">i4").tobytes()
    data = np.frombuffer(words, np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return riff([(b"fmt ", fmt), (b"data", data)], order=">")


def _extensible() -> bytes:
    fmt, data = wav_chunks(source(), 16_000)
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    extended = b"\xfe\xff" + fmt[1][2:] + struct.pack("<HHI", 22, 16, 4) + guid
    return riff([(b"fmt ", extended), data])


def _with_list(*, padded: bool = True) -> bytes:
    fmt, data = wav_chunks(source(), 16_000)
    # An odd length, which a byte of padding has to follow.
    return riff([fmt, (b"LIST", b"INFOISFT\x05\0\0\0Lavf\0"), data], padded=padded)


def _vorbis() -> bytes:
    return _by("ogg", "vorbis", 44_100, 2, bit_rate=96_000)


def _opus(rate: int = 48_000, channels: int = 1) -> bytes:
    return _by("ogg", "libopus", rate, channels, bit_rate=48_000)


def _mp3(rate: int = 44_100, options: dict[str, str] | None = None) -> bytes:
    return _by("mp3", "libmp3lame", rate, 1, options, bit_rate=64_000)


def _adts() -> bytes:
    return _by("adts", "aac", 44_100, 1, bit_rate=64_000)


def _m4a(options: dict[str, str] | None = None, *, pipe: bool = False) -> bytes:
    return _by("ipod", "aac", 44_100, 1, options, pipe=pipe, bit_rate=64_000)


def _in_front() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return faststart(_m4a(), Path(folder))


def _caf_pipe() -> bytes:
    """The length of the samples is -1: unknown."""
    body = _by("caf", "pcm_s16be")
    place = body.index(b"data", 8)
    return body[: place + 4] + b"\xff" * 8 + body[place + 12 :]


def _ape() -> bytes:
    tag = b"APETAGEX" + struct.pack("<IIII8x", 2_000, 32, 0, 0)
    return _mp3() + tag + b"TAG" + bytes(125)


MP3 = 1_152 / 44_100
AAC = 1_024 / 44_100
TWICE = 2 * SECONDS

KINDS: dict[str, Kind] = {
    # WAV
    "wav u8": _pcm("pcm_u8", likeness=0.99),
    "wav s16": _pcm("pcm_s16le"),
    "wav s24": _pcm("pcm_s24le"),
    "wav s32": _pcm("pcm_s32le"),
    "wav f32": _pcm("pcm_f32le"),
    "wav f64": _pcm("pcm_f64le"),
    "wav mulaw": _pcm("pcm_mulaw", likeness=0.99),
    "wav alaw": _pcm("pcm_alaw", likeness=0.99),
    "wav ima adpcm": _pcm("adpcm_ima_wav", likeness=0.99)._replace(frame_s=2_041 / 16_000),
    "wav ms adpcm": _pcm("adpcm_ms", likeness=0.99)._replace(frame_s=2_036 / 16_000),
    "wav of a pipe": Kind(lambda: _by("wav", "pcm_s16le", pipe=True), "WAV"),
    "wav rf64 of ffmpeg": Kind(
        lambda: _by("wav", "pcm_s16le", options={"rf64": "always"}), "WAV"
    ),
    "wav mp3": _lossy("WAV", "wav", "libmp3lame", 44_100, frame=2 * 1_152),
    "wav extensible": Kind(_extensible, "WAV"),
    "wav 5.1": Kind(lambda: _by("wav", "pcm_s24le", 48_000, 6), "WAV", 48_000, 6),
    "wav rifx": Kind(lambda: wav(source(), 16_000, order=">"), "WAV"),
    "wav rifx 24 bits": Kind(_rifx24, "WAV", 16_000, 2),
    "wav rf64": Kind(lambda: _wide(b"RF64"), "WAV"),
    "wav bw64": Kind(lambda: _wide(b"BW64"), "WAV"),
    "wav w64": _pcm("pcm_s16le", "w64"),
    "wav size 0": Kind(lambda: _sized(data=0), "WAV"),
    "wav size max": Kind(lambda: _sized(data=0xFFFF_FFFF), "WAV"),
    "wav size 7ffff000": Kind(lambda: _sized(data=0x7FFF_F000), "WAV"),
    "wav size too small": Kind(lambda: _sized(data=10_000), "WAV"),
    "wav size too large": Kind(lambda: _sized(data=80_008), "WAV", warns=True),
    "wav list before data": Kind(_with_list, "WAV"),
    "wav odd chunk unpadded": Kind(lambda: _with_list(padded=False), "WAV"),
    "wav list after data": Kind(
        lambda: riff([*wav_chunks(source(), 16_000), (b"LIST", b"INFO")]), "WAV"
    ),
    "wav id3 before": Kind(lambda: id3(3_000) + wav(source(), 16_000), "WAV"),
    "wav joined": Kind(lambda: wav(source(), 16_000) * 2, "WAV", seconds=TWICE, repeats=2),
    "wav joined other rate": Kind(
        lambda: wav(source(), 16_000) + wav(source(48_000, 2), 48_000), "WAV", seconds=TWICE
    ),
    # the other containers of PCM
    "aiff s16": _pcm("pcm_s16be", "aiff", "AIFF"),
    "aiff s24": _pcm("pcm_s24be", "aiff", "AIFF"),
    "aifc sowt": _pcm("pcm_s16le", "aiff", "AIFF"),
    "aifc f32": _pcm("pcm_f32be", "aiff", "AIFF"),
    "aifc mulaw": _pcm("pcm_mulaw", "aiff", "AIFF", 0.99),
    "au s16": _pcm("pcm_s16be", "au", "AU"),
    "au mulaw": _pcm("pcm_mulaw", "au", "AU", 0.99),
    "au of a pipe": Kind(lambda: _by("au", "pcm_s16be", pipe=True), "AU"),
    "caf s16": _pcm("pcm_s16be", "caf", "CAF"),
    "caf of a pipe": Kind(_caf_pipe, "CAF"),
    "caf alac": Kind(lambda: _by("caf", "alac"), "CAF", frame_s=4_096 / 16_000),
    "mov s16": _pcm("pcm_s16le", "mov", "MP4"),
    # FLAC
    "flac": Kind(lambda: _by("flac", "flac"), "FLAC"),
    "flac stereo": Kind(lambda: _by("flac", "flac", 44_100, 2), "FLAC", 44_100, 2),
    "flac of a pipe": Kind(lambda: _by("flac", "flac", pipe=True), "FLAC"),
    "flac id3 before": Kind(lambda: id3(200_000) + id3(0) + _by("flac", "flac"), "FLAC"),
    # OGG
    "ogg vorbis": Kind(_vorbis, "OGG", 44_100, 2, frame_s=0.05, likeness=0.7),
    "ogg opus": _lossy("OGG", "ogg", "libopus", frame=960),
    "ogg opus 8 kHz": Kind(lambda: _opus(8_000), "OGG", 48_000, frame_s=0.02, likeness=0.9),
    "ogg flac": Kind(lambda: _by("ogg", "flac"), "OGG"),
    "ogg without end": Kind(
        lambda: without_end_flag(_opus()), "OGG", 48_000, frame_s=0.02, likeness=0.95
    ),
    "ogg chained": Kind(
        lambda: _opus() * 2, "OGG", 48_000, seconds=TWICE, frame_s=0.04, likeness=0.95, repeats=2
    ),
    "ogg chained other codecs": Kind(
        lambda: _opus() + _by("ogg", "flac", 16_000, 2) + _vorbis() + _opus(48_000, 2),
        "OGG", 48_000, seconds=4 * SECONDS, frame_s=0.09, likeness=0.9,
    ),
    "ogg multiplexed": Kind(
        lambda: multiplexed(with_serial(_opus(), 5), with_serial(_by("ogg", "flac"), 6)),
        "OGG", 48_000, frame_s=0.02, likeness=0.95,
    ),
    # MP3
    "mp3 cbr": _lossy("MP3", "mp3", "libmp3lame", 44_100, frame=1_152),
    "mp3 stereo": _lossy("MP3", "mp3", "libmp3lame", 44_100, 2, frame=1_152, bit_rate=128_000),
    "mp3 16 kHz": _lossy("MP3", "mp3", "libmp3lame", 16_000, frame=576, bit_rate=32_000),
    "mp3 8 kHz": _lossy("MP3", "mp3", "libmp3lame", 8_000, frame=576, bit_rate=24_000),
    "mp3 vbr": Kind(
        lambda: _by("mp3", "libmp3lame", 44_100, quality=5),
        "MP3", 44_100, frame_s=MP3, likeness=0.95,
    ),
    "mp3 of a pipe": _lossy("MP3", "mp3", "libmp3lame", 44_100, frame=3 * 1_152, pipe=True),
    "mp3 no xing": _lossy(
        "MP3", "mp3", "libmp3lame", 44_100, options={"write_xing": "0"}, frame=3 * 1_152
    ),
    "mp3 joined": Kind(
        lambda: _mp3() * 2, "MP3", 44_100, seconds=TWICE, frame_s=5 * MP3, likeness=0.9, repeats=2
    ),
    "mp3 joined other rate": Kind(
        lambda: _mp3() + _mp3(32_000), "MP3", 44_100, seconds=TWICE, frame_s=6 * MP3, likeness=0.9
    ),
    "mp3 from mid frame": Kind(
        lambda: _mp3(options={"write_xing": "0", "id3v2_version": "0"})[100:],
        "MP3", 44_100, frame_s=4 * MP3, likeness=0.9,
    ),
    "mp3 zeros before": Kind(
        lambda: bytes(5_000) + _mp3(), "MP3", 44_100, frame_s=MP3, likeness=0.95
    ),
    "mp3 tags": Kind(
        lambda: id3(150_000) + _ape(), "MP3", 44_100, frame_s=MP3, likeness=0.95
    ),
    "mp2": _lossy("MP3", "mp2", "mp2", 48_000, frame=2 * 1_152, bit_rate=128_000),
    # AAC and what phones and browsers make
    "aac adts": Kind(_adts, "AAC", 44_100, frame_s=3 * AAC, likeness=0.95),
    "aac joined": Kind(
        lambda: _adts() * 2, "AAC", 44_100, seconds=TWICE, frame_s=6 * AAC, likeness=0.9, repeats=2
    ),
    "aac from mid frame": Kind(
        lambda: _adts()[50:], "AAC", 44_100, frame_s=3 * AAC, likeness=0.95
    ),
    "aac latm": _lossy("LATM", "latm", "aac", 44_100, frame=3 * 1_024),
    "m4a": Kind(_m4a, "MP4", 44_100, frame_s=AAC, likeness=0.95),
    "m4a index in front": Kind(_in_front, "MP4", 44_100, frame_s=2 * AAC, likeness=0.95),
    "m4a fragmented": Kind(
        lambda: _m4a({"movflags": "frag_keyframe+empty_moov"}, pipe=True),
        "MP4", 44_100, frame_s=2 * AAC, likeness=0.95,
    ),
    "m4a joined": Kind(
        lambda: _m4a() * 2, "MP4", 44_100, seconds=TWICE, frame_s=2 * AAC, likeness=0.9, repeats=2
    ),
    "m4a alac": Kind(lambda: _by("ipod", "alac"), "MP4", frame_s=4_096 / 16_000),
    "mp4 with video": _lossy("MP4", "mp4", "aac", 44_100, 2, frame=1_024, video=True),
    "mov": _lossy("MP4", "mov", "aac", 44_100, frame=1_024),
    "3gp amr": _lossy("MP4", "3gp", "libopencore_amrnb", 8_000, frame=240, likeness=0.4,
                      bit_rate=12_200),
    "amr": _lossy("AMR", "amr", "libopencore_amrnb", 8_000, frame=240, likeness=0.4,
                  bit_rate=12_200),
    "webm opus": _lossy("WebM", "webm", "libopus", frame=960),
    "webm of a browser": _lossy("WebM", "webm", "libopus", frame=960, pipe=True),
    "webm live": _lossy("WebM", "webm", "libopus", options={"live": "1"}, frame=960, pipe=True),
    "webm joined": Kind(
        lambda: _by("webm", "libopus", 48_000, pipe=True) * 2, "WebM", 48_000, seconds=TWICE,
        frame_s=0.04, likeness=0.9, repeats=2,
    ),
    "mkv flac": Kind(lambda: _by("matroska", "flac"), "WebM"),
    "mkv pcm": Kind(lambda: _by("matroska", "pcm_s16le"), "WebM"),
    "mkv aac with video": _lossy("WebM", "matroska", "aac", 44_100, frame=2 * 1_024, video=True),
    # the rest
    "wma": _lossy("WMA", "asf", "wmav2", 44_100, frame=2 * 2_048),
    "ac3": _lossy("AC-3", "ac3", "ac3", 48_000, frame=2 * 1_536, bit_rate=128_000),
    "eac3": _lossy("E-AC-3", "eac3", "eac3", 48_000, frame=2 * 1_536, bit_rate=128_000),
}  # fmt: skip


def expected(kind: Kind) -> Samples:
    """What a kind holds: the sound, at its rate, as often as it is in it."""
    return np.tile(source(kind.rate, kind.channels), kind.repeats)
