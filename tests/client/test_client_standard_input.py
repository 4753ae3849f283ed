"""Standard input: recordings of all kinds are read as such, while they arrive; the rest is raw."""

from __future__ import annotations

import asyncio
import os
import struct
import time
from fcntl import ioctl
from termios import FIONREAD
from typing import TYPE_CHECKING

import numpy as np
import pytest

from streamer.audio.pcm import ALAW, MULAW
from streamer.recordings.arriving import ArrivingRecording
from tests.recordings.makers import (
    encoded,
    faststart,
    id3,
    riff,
    sound,
    wav,
    wav_chunks,
    without_end_flag,
)
from tests.recordings.pipes import Pieces
from tests.recordings.pipes import samples as samples_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.conftest import Peer, RunCommand, ServeScript, StartCommand

SECONDS = 6.0
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}


def made(container: str, codec: str, rate: int = 16_000, **more: object) -> bytes:
    """What a program writes to a pipe."""
    arguments: dict[str, object] = {"pipe": True, "bit_rate": 48_000, **more}
    return encoded(sound(SECONDS, rate), rate, container, codec, **arguments)  # type: ignore[arg-type]


def recording(kind: str, folder: Path) -> bytes:
    """One of all kinds, of `SECONDS`."""
    samples = sound(SECONDS, 16_000)
    match kind:
        case "wav of ffmpeg -f wav -":
            return made("wav", "pcm_s16le")
        case "wav, size 0":
            return riff(wav_chunks(samples, 16_000), sizes={b"data": 0})
        case "wav, size 0x7FFFF000":
            return riff(wav_chunks(samples, 16_000), sizes={b"data": 0x7FFF_F000})
        case "wav behind a tag":
            return id3(100_000) + wav(samples, 16_000)
        case "two wavs":
            half = wav(sound(SECONDS / 2, 16_000), 16_000)
            return half + half
        case "big-endian wav":
            return wav(samples, 16_000, order=">")
        case "adpcm":
            return made("wav", "adpcm_ima_wav")
        case "mp3":
            return made("mp3", "libmp3lame")
        case "two mp3s":
            return 2 * encoded(
                sound(SECONDS / 2, 16_000), 16_000, "mp3", "libmp3lame", pipe=True, bit_rate=32_000
            )
        case "mp3 from within a frame":
            return made("mp3", "libmp3lame")[333:]
        case "mp3 behind a tag":
            return id3(70_000) + made("mp3", "libmp3lame")
        case "adts":
            return made("adts", "aac")
        case "webm":
            return made("webm", "libopus", 48_000)
        case "opus":
            return made("ogg", "libopus", 48_000, options={"page_duration": "20000"})
        case "opus without its last flag":
            return without_end_flag(made("ogg", "libopus", 48_000))
        case "chained opus":
            half = encoded(sound(SECONDS / 2, 48_000), 48_000, "ogg", "libopus", bit_rate=32_000)
            return half + half
        case "flac":
            return made("flac", "flac")
        case "flac behind a tag":
            return id3(10) + made("flac", "flac")
        case "amr":
            return made("amr", "libopencore_amrnb", 8_000, bit_rate=12_200)
        case "fragmented mp4":
            return made("mp4", "aac", options=FRAGMENTS)
        case "m4a with its index in front":
            return faststart(made("mp4", "aac", pipe=False), folder)
        case "m4a with its index at the end":
            return made("mp4", "aac", pipe=False)
        case "aiff":
            return made("aiff", "pcm_s16be", pipe=False)
    raise AssertionError(kind)


LIVE = (
    "wav of ffmpeg -f wav -", "wav, size 0x7FFFF000", "mp3", "adts", "webm", "opus", "flac", "amr",
    "fragmented mp4", "m4a with its index in front",
)  # fmt: skip
KINDS = (
    *LIVE,
    *("wav, size 0", "wav behind a tag", "two wavs", "big-endian wav", "adpcm", "two mp3s"),
    *(
        "mp3 behind a tag",
        "mp3 from within a frame",
        "opus without its last flag",
        "chained opus",
        "flac behind a tag",
    ),
    *("m4a with its index at the end", "aiff"),
)


async def receive(peer: Peer) -> None:
    await peer.begin()
    await peer.read_to_stop()
    await peer.finish()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_recording_is_sent_whole(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path, kind: str
) -> None:
    server = await serve_script(receive)
    body = recording(kind, tmp_path)
    result = await run_command("-i", "-", "-a", server.url, stdin=body)
    assert result.code == 0
    assert server.peer.audio_s == pytest.approx(SECONDS, abs=0.2)
    assert result.err.count("\n") == 1, "no warning beside the summary"


@pytest.mark.parametrize("kind", LIVE)
async def test_what_has_arrived_is_sent_before_the_rest_comes(
    serve_script: ServeScript, start_command: StartCommand, tmp_path: Path, kind: str
) -> None:
    """Half of the bytes, and then no more until the server has a sixth of the audio.

    It does not wait for a whole message, either, which may have 5 s or more. FFmpeg's parser of
    FLAC holds ten frames back.
    """
    has_some = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.begin()
        while peer.audio_s < SECONDS / 6:
            await peer.read_audio(len(peer.audio) + 1)
        has_some.set()
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    body = recording(kind, tmp_path)
    command = await start_command("-i", "-", "-a", server.url, "--chunk-size", "1000000")
    assert command.process.stdin is not None
    command.process.stdin.write(body[: len(body) // 2])
    await has_some.wait()
    result = await command.result(body[len(body) // 2 :])
    assert result.code == 0
    assert server.peer.audio_s == pytest.approx(SECONDS, abs=0.13)


async def test_the_samples_of_a_wav_are_sent_as_they_are(
    serve_script: ServeScript, run_command: RunCommand
) -> None:
    server = await serve_script(receive)
    (_, fmt), (_, data) = wav_chunks(sound(0.5, 22_050, 2), 22_050)
    body = riff([(b"LIST", b"x" * 33), (b"fmt ", fmt), (b"data", data), (b"LIST", b"INFO")])
    result = await run_command("-i", "-", "-a", server.url, stdin=body)
    assert result.code == 0
    assert bytes(server.peer.audio) == data
    assert server.peer.start["format"]["sample_rate"] == 22_050
    assert server.peer.start["format"]["channels"] == 2


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (
            "wav",
            "the WAV file ends early: its header declares 192000 bytes of samples, 1279",
        ),
        ("mp3", "the MP3 file ends early or is damaged: its header declares 6.00 s"),
        ("flac", "the FLAC file ends early or is damaged: its header declares 6.00 s"),
        ("ogg", "the OGG file is damaged or ends early"),
    ],
)
@pytest.mark.parametrize("piped", [True, False])
async def test_a_recording_that_was_cut_off_is_sent_and_said_to_be(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path,
    kind: str, says: str, piped: bool,
) -> None:  # fmt: skip
    server = await serve_script(receive)
    body = {
        "wav": lambda: wav(sound(SECONDS, 16_000), 16_000),
        "mp3": lambda: made("mp3", "libmp3lame", pipe=False),
        "flac": lambda: made("flac", "flac", pipe=False),
        "ogg": lambda: made("ogg", "libopus", 48_000),
    }[kind]()
    cut, path = body[: len(body) * 2 // 3], tmp_path / "cut"
    path.write_bytes(cut)
    source, stdin, name = ("-", cut, "standard input") if piped else (path, None, str(path))
    result = await run_command("-i", source, "-a", server.url, stdin=stdin)
    assert result.code == 0
    *warnings, _ = result.err.splitlines()
    assert len(warnings) == len(set(warnings)) > 0
    assert warnings[0].startswith(f"streamer-client: {name}: {says}")
    assert server.peer.audio_s == pytest.approx(SECONDS * 2 / 3, abs=1.1)


async def test_a_redirected_file_is_read_like_one_that_is_named(
    serve_script: ServeScript, start_command: StartCommand, tmp_path: Path
) -> None:
    """It can be read back and forth, which an index at its end needs."""
    path = tmp_path / "voice.m4a"
    path.write_bytes(recording("m4a with its index at the end", tmp_path))
    server = await serve_script(receive)
    with path.open("rb") as file:
        command = await start_command("-i", "-", "-a", server.url, stdin=file)
        result = await command.result()
    assert result.code == 0
    assert server.peer.audio_s == pytest.approx(SECONDS, abs=0.13)


async def test_raw_samples_that_begin_like_a_frame_are_raw(
    serve_script: ServeScript, run_command: RunCommand
) -> None:
    server = await serve_script(receive)
    audio = struct.pack("<6h", -1, -1, -1309, 0, 0, 0) * 4000
    for body in (audio, audio[4:], b"\0" * 999, b"RI", b"ID"):
        assert (await run_command("-i", "-", "-a", server.url, stdin=body)).code == 0
        assert bytes(server.peers[-1].audio) == body


async def test_what_may_be_either_is_raw_if_its_format_is_given(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path
) -> None:
    server = await serve_script(receive)
    body = recording("mp3 from within a frame", tmp_path)
    result = await run_command("-i", "-", "-a", server.url, "--rate", "8000", stdin=body)
    assert result.code == 0
    assert bytes(server.peer.audio) == body


@pytest.mark.parametrize(
    ("flags", "ignored"),
    [
        (["--rate", "16000", "--channels", "1"], None),
        (["--rate", "44100", "--bit-depth", "24"], "--rate 44100, --bit-depth 24"),
        (["--float", "--bit-depth", "32"], "--bit-depth 32, --float"),
    ],
)
async def test_a_header_counts_and_options_that_differ_do_not(
    serve_script: ServeScript, run_command: RunCommand, flags: list[str], ignored: str | None
) -> None:
    server = await serve_script(receive)
    body = wav(sound(0.5, 16_000), 16_000)
    result = await run_command("-i", "-", "-a", server.url, *flags, stdin=body)
    assert result.code == 0
    assert server.peer.start["format"]["sample_rate"] == 16_000
    notes = result.err.splitlines()[:-1]
    assert notes == (
        []
        if ignored is None
        else [
            "streamer-client: standard input has a header, which counts: 16000 Hz, 1 channel, "
            f"16-bit integer; ignored: {ignored}"
        ]
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "there is no audio on standard input"),
        (riff([(b"fmt ", b"x")]), "standard input: the WAV file is damaged: "),
        (riff(wav_chunks(sound(0, 8000), 8000)), "standard input: the WAV file holds no audio"),
        (id3(100) + b"what is this? " * 30, "standard input is not an audio file"),
        (b"fLaC" + bytes(200), "standard input: the FLAC file "),
        (b"OggS" + bytes(200), "standard input: the OGG file "),
        (b"%PDF-1.7\n" + bytes(200), "standard input is not an audio file but a PDF; if"),
        (b"<!doctype html><title>404</title>", "standard input is not an audio file but HTML"),
        (b'{"error": {"code": "not_found"}}', "standard input is not an audio file but JSON"),
        (b"RIFF\xff\0\0\0AVI LIST" + bytes(200), "standard input is not an audio file but an AVI"),
        (b"not a recording, but a letter", "standard input is not an audio file but text"),
    ],
)
async def test_nothing_that_can_be_decoded(
    run_command: RunCommand, serve_script: ServeScript, body: bytes, says: str
) -> None:
    server = await serve_script(receive)
    result = await run_command("-i", "-", "-a", server.url, stdin=body)
    assert result.code == 2
    assert result.last_line.startswith(f"streamer-client: {says}")


async def test_ctrl_c_while_a_recording_arrives(
    serve_script: ServeScript, start_command: StartCommand, tmp_path: Path
) -> None:
    server = await serve_script(receive)
    body = recording("webm", tmp_path)
    command = await start_command("-i", "-", "-a", server.url)
    assert command.process.stdin is not None
    command.process.stdin.write(body[: len(body) // 2])
    await server.arrived.wait()
    await server.peer.heard.wait()
    command.interrupt()
    await command.process.wait()
    result = await command.result()
    assert (result.code, result.last_line) == (130, "streamer-client: interrupted")
    assert server.peer.requests == ["stop"]


def wait_until_empty(pipe: int) -> None:
    while ioctl(pipe, FIONREAD, bytes(4)) != bytes(4):
        time.sleep(0.01)


@pytest.mark.parametrize("begun", ["raw", "wav", "webm"])
async def test_ctrl_c_before_anything_can_be_decoded(
    start_command: StartCommand, serve_script: ServeScript, tmp_path: Path, begun: str
) -> None:
    server = await serve_script(receive)
    head = {"raw": b"R", "wav": b"RIFF", "webm": recording("webm", tmp_path)[:70]}[begun]
    reader, writer = os.pipe()
    try:
        os.write(writer, head)
        command = await start_command("-i", "-", "-a", server.url, stdin=reader)
        await asyncio.to_thread(wait_until_empty, reader)
        command.interrupt()
        assert (await command.result()).code == 130
    finally:
        os.close(writer)
        os.close(reader)
    assert server.peers == []


async def test_samples_that_look_like_text_are_sent_if_their_format_is_stated(
    run_command: RunCommand, serve_script: ServeScript
) -> None:
    server = await serve_script(receive)
    body = b"not a recording, but a letter!"
    result = await run_command("-i", "-", "--rate", "16000", "-a", server.url, stdin=body)
    assert result.code == 0
    assert bytes(server.peer.audio) == body


async def test_silence_where_a_wrong_length_ends_is_sent(
    serve_script: ServeScript, run_command: RunCommand
) -> None:
    """In samples of 24 bits: what is left out would move all that follows by a byte."""
    fmt = struct.pack("<HHIIHH", 1, 1, 16_000, 48_000, 3, 24)
    data = b"\1\2\3" * 16_000 + bytes(30_000) + b"\4\5\6" * 16_000
    body = riff([(b"fmt ", fmt), (b"data", data)], sizes={b"data": 48_000})
    server = await serve_script(receive)
    result = await run_command("-i", "-", "-a", server.url, stdin=body)
    assert result.code == 0
    assert server.peer.audio == data


def other_kind(kind: str) -> bytes:
    """A second of what follows a WAV file, in another container or format."""
    match kind:
        case "flac":
            return encoded(sound(1, 48_000), 48_000, "flac", "flac")
        case "mp3 behind a tag":
            return encoded(sound(1, 16_000), 16_000, "mp3", "libmp3lame")
        case "mp3 without a tag":
            options = {"id3v2_version": "0", "write_xing": "0"}
            return encoded(sound(1, 16_000), 16_000, "mp3", "libmp3lame", options=options)
        case "opus":
            return encoded(sound(1, 48_000), 48_000, "ogg", "libopus", pipe=True)
        case "wav of another rate":
            return wav(sound(1, 8_000), 8_000)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "depth"),
    [
        *(("flac", depth) for depth in (8, 16, 24, 32, "float")),
        *((kind, 16) for kind in ("mp3 behind a tag", "mp3 without a tag", "opus")),
        ("wav of another rate", 16),
    ],
)
async def test_what_follows_a_wav_is_brought_to_its_format(
    serve_script: ServeScript, run_command: RunCommand, kind: str, depth: int | str
) -> None:
    bits = 32 if depth == "float" else int(depth)
    codec = "pcm_f32le" if depth == "float" else "pcm_u8" if bits == 8 else f"pcm_s{bits}le"
    first = encoded(sound(1, 16_000), 16_000, "wav", codec)
    server = await serve_script(receive)
    result = await run_command("-i", "-", "-a", server.url, stdin=first + other_kind(kind))
    assert result.code == 0
    assert result.err.count("\n") == 1, "no warning beside the summary"
    assert server.peer.start["format"]["sample_rate"] == 16_000
    assert server.peer.audio_s == pytest.approx(2, abs=0.2)
    audio = samples_of(bytes(server.peer.audio), depth)
    whole, tail = np.abs(audio[:16_000]), np.abs(audio[18_000:30_000])
    assert tail.max() == pytest.approx(whole.max(), rel=0.3)
    assert tail.mean() == pytest.approx(np.abs(audio[2_000:14_000]).mean(), rel=0.3)


def samples_of(audio: bytes, depth: int | str) -> np.ndarray:
    match depth:
        case "float":
            return np.frombuffer(audio, "<f4")
        case 8:
            return np.frombuffer(audio, np.uint8) / 128.0 - 1
        case 24:
            bytes_ = np.frombuffer(audio, np.uint8).reshape(-1, 3)
            wide = np.zeros((len(bytes_), 4), np.uint8)
            wide[:, 1:] = bytes_
            return wide.view("<i4")[:, 0] / 2.0**31
    return np.frombuffer(audio, f"<i{int(depth) // 8}") / 2.0 ** (int(depth) - 1)


def second_of(kind: str, folder: Path) -> bytes:
    """One second, as it stands before or behind other recordings."""
    samples = sound(1, 16_000)
    match kind:
        case "mp3":
            return encoded(samples, 16_000, "mp3", "libmp3lame", bit_rate=32_000)
        case "aac":
            return encoded(samples, 16_000, "adts", "aac", pipe=True)
        case "flac":
            return encoded(samples, 16_000, "flac", "flac", pipe=True)
        case "amr":
            return encoded(sound(1, 8_000), 8_000, "amr", "libopencore_amrnb", bit_rate=12_200)
        case "webm":
            return encoded(sound(1, 48_000), 48_000, "webm", "libopus", pipe=True)
        case "m4a":
            return encoded(samples, 16_000, "ipod", "aac")
        case "m4a, index in front":
            return faststart(encoded(samples, 16_000, "mp4", "aac"), folder)
        case "wav":
            return wav(samples, 16_000)
        case "wav with a chunk behind":
            return riff([*wav_chunks(samples, 16_000), (b"LIST", b"INFO")])
        case "mulaw" | "alaw":
            return encoded(samples, 16_000, "wav", f"pcm_{kind}")
        case "opus":
            return encoded(sound(1, 48_000), 48_000, "ogg", "libopus")
    raise AssertionError(kind)


BEFORE = (
    *("mp3", "aac", "flac", "amr", "webm", "m4a, index in front", "mulaw", "alaw", "wav"),
    "wav with a chunk behind",
)


@pytest.mark.parametrize("later", ["m4a", "wav", "opus"])
@pytest.mark.parametrize("first", BEFORE)
async def test_a_recording_behind_another_is_sent_as_from_a_file(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path, first: str, later: str
) -> None:
    server = await serve_script(receive)
    body, path = second_of(first, tmp_path) + second_of(later, tmp_path), tmp_path / "joined"
    path.write_bytes(body)
    heard = []
    for source, stdin in (("-", body), (path, None)):
        result = await run_command("-i", source, "-a", server.url, stdin=stdin)
        assert result.code == 0
        assert result.err.count("\n") == 1, "no warning beside the summary"
        peer = server.peers[-1]
        assert peer.audio_s == pytest.approx(2, abs=0.2)
        heard.append(values_of(bytes(peer.audio), peer.start["format"]))
    piped, filed = heard
    # FFmpeg cuts off the padding at the end of an MP3 only in a file.
    padding = len(piped) - len(filed)
    assert 0 <= padding <= 1_152
    tail = 8_000 if peer.start["format"]["sample_rate"] == 16_000 else 4_000
    np.testing.assert_allclose(piped[-tail:], filed[-tail:], atol=0.03)


def values_of(audio: bytes, form: dict[str, object]) -> np.ndarray:
    match form:
        case {"encoding": "mulaw"}:
            return MULAW[np.frombuffer(audio, np.uint8)]
        case {"encoding": "alaw"}:
            return ALAW[np.frombuffer(audio, np.uint8)]
    return np.frombuffer(audio, "<i2") / 2.0**15


@pytest.mark.parametrize(
    ("first", "later"),
    [
        *((first, later) for first in ("mp3", "flac") for later in ("m4a, index in front", "wav")),
        *((first, later) for first in ("mulaw", "wav") for later in ("mp3", "m4a, index in front")),
    ],
)
async def test_a_live_recording_behind_another_is_sent_before_the_rest_comes(
    serve_script: ServeScript, start_command: StartCommand, tmp_path: Path, first: str, later: str
) -> None:
    has_some = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.begin()
        while peer.audio_s < 1.3:
            await peer.read_audio(len(peer.audio) + 1)
        has_some.set()
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    before, behind = second_of(first, tmp_path), LIVE_BEHIND[later](tmp_path)
    command = await start_command("-i", "-", "-a", server.url)
    assert command.process.stdin is not None
    command.process.stdin.write(before + behind[: len(behind) // 2])
    await has_some.wait()
    result = await command.result(behind[len(behind) // 2 :])
    assert result.code == 0
    assert server.peer.audio_s == pytest.approx(1 + SECONDS, abs=0.2)


LIVE_BEHIND = {
    "mp3": lambda folder: recording("mp3", folder),
    "m4a, index in front": lambda folder: recording("m4a with its index in front", folder),
    "wav": lambda folder: recording("wav of ffmpeg -f wav -", folder),
}


def test_more_than_can_be_kept_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("streamer.recordings.arriving.MAX_KEPT_BYTES", 10_000)
    body = second_of("flac", tmp_path) + recording("m4a with its index at the end", tmp_path)
    pipe = ArrivingRecording(Pieces(body, [5_000]), "FLAC", body[:300])
    assert samples_in(pipe).shape[1] == 16_000
    (warning,) = pipe.report().warnings
    assert "another MP4 file follows in the same file, and is left out" in warning
    assert "give it as a file" in warning


@pytest.mark.parametrize(
    "following",
    [b"fLaC" + bytes(200), riff([(b"fmt ", struct.pack("<HHIIHH", 0x7777, 1, 1, 1, 1, 8))])],
)
async def test_what_follows_a_wav_and_cannot_be_decoded_is_told(
    serve_script: ServeScript, run_command: RunCommand, following: bytes
) -> None:
    server = await serve_script(receive)
    first = wav(sound(1, 16_000), 16_000)
    result = await run_command("-i", "-", "-a", server.url, stdin=first + following)
    assert result.code == 0
    assert server.peer.audio_s == 1
    assert "file follows in the same file, and is left out: the " in result.err


async def test_samples_that_look_like_a_chunk_are_sent(
    serve_script: ServeScript, run_command: RunCommand
) -> None:
    """Where a wrong length ends: a chunk of 1 GB, and one of more than there is."""
    fmt, server = wav_chunks(sound(1, 16_000), 16_000)[0], await serve_script(receive)
    for size in (1 << 30, 40_000):
        data = b"\1\2" * 16_000 + b"abcd" + struct.pack("<I", size) + b"\3\4" * 8_000
        body = riff([fmt, (b"data", data)], sizes={b"data": 32_000})
        result = await run_command("-i", "-", "-a", server.url, stdin=body)
        assert result.code == 0
        assert server.peers[-1].audio == data


async def test_tags_behind_a_wav_are_no_samples(
    serve_script: ServeScript, run_command: RunCommand
) -> None:
    server = await serve_script(receive)
    for tag in (id3(500), b"TAG" + b"Song name".ljust(125)):
        body = wav(sound(1, 16_000), 16_000) + tag
        result = await run_command("-i", "-", "-a", server.url, stdin=body)
        assert result.code == 0
        assert server.peers[-1].audio_s == 1
        assert result.err.count("\n") == 1


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\r\n"])
@pytest.mark.parametrize("kind", ["wav of ffmpeg -f wav -", "flac", "opus", "fragmented mp4"])
async def test_a_few_bytes_before_a_recording_are_skipped(
    serve_script: ServeScript, start_command: StartCommand, tmp_path: Path, before: bytes, kind: str
) -> None:
    server = await serve_script(receive)
    command = await start_command("-i", "-", "-a", server.url)
    assert command.process.stdin is not None
    command.process.stdin.write(before)
    await command.process.stdin.drain()
    result = await command.result(recording(kind, tmp_path))
    assert result.code == 0
    assert server.peer.audio_s == pytest.approx(SECONDS, abs=0.2)
    assert result.err.count("\n") == 1
