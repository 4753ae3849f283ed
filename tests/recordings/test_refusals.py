"""What is no recording is refused by name; what refers to other files reaches none."""

import contextlib
import gzip
import io
import json
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError

from streamer.recordings import opening
from streamer.recordings.containers import DEMUXERS
from streamer.recordings.decoding import Decoding
from streamer.recordings.errors import AudioFileError
from streamer.recordings.opening import open_container
from streamer.recordings.view import View
from tests.recordings.makers import encoded, id3, sound, wav

PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n%s\n#EXT-X-ENDLIST\n"
SECRET = sound(1, 16_000)


def refusal(body: bytes) -> AudioFileError:
    with pytest.raises(AudioFileError) as caught:
        for _ in Decoding(io.BytesIO(body)).blocks(1_000):
            pass
    return caught.value


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (PLAYLIST % b"secret.wav", "an HLS or M3U playlist"),
        (b"\xef\xbb\xbf" + PLAYLIST % b"secret.wav", "an HLS or M3U playlist"),
        (b"\n" + PLAYLIST % b"secret.wav", "an HLS or M3U playlist"),
        (b"ffconcat version 1.0\nfile secret.wav\n", "an FFmpeg concat list"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">', "a DASH manifest"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n", "an SDP description"),
        (b"[playlist]\nFile1=secret.wav\n", "a PLS playlist"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"<!DOCTYPE html><html></html>", "HTML, a web page"),
        (b"<html></html>", "HTML, a web page"),
        (json.dumps({"error": "expired"}).encode(), "JSON"),
        (gzip.compress(wav(SECRET, 16_000)), "gzip data"),
        (b"PK\x03\x04" + bytes(100), "a ZIP archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a picture"),
        (b"RIFF\x10\0\0\0AVI LIST", "an AVI video"),
        (b"MThd\0\0\0\6", "a MIDI file, which holds notes and no sound"),
        (b"data:audio/wav;base64,UklGRg==", "a data: URL"),
        (b"dear reader, this is text", "text"),
        (b"PK\x03\x04" + bytes(26) + b"a.wav" + wav(SECRET, 16_000), "a ZIP archive"),
        (b"I am free to skip a wide ftyp, mdat or moov.", "text"),
        ("\ufeffdear reader, this is text".encode("utf-16-le"), "UTF-16 text"),
        ("\ufeffdear reader, this is text".encode("utf-16-be"), "UTF-16 text"),
        ('\ufeff{"error": "expired"} '.encode("utf-16-le") * 400, "UTF-16 text"),
        ("\ufeff\u0290 \u0100".encode("utf-16-le"), "UTF-16 text"),
        (bytes(10_000), "zeros"),
    ],
)
def test_what_is_no_recording_is_named(body: bytes, what: str) -> None:
    error = refusal(body)
    assert error.code == "unsupported_media_type"
    assert f"is not an audio file but {what}" in str(error)
    assert "ffmpeg -i FILE recording.wav" in str(error)


def test_what_cannot_be_named_is_refused_too() -> None:
    error = refusal(np.random.default_rng(2).bytes(100_000))
    assert error.code == "unsupported_media_type"
    assert str(error).startswith("the file is not an audio file; allowed: WAV, FLAC, OGG, MP3, ")


def test_tags_without_audio() -> None:
    assert "an ID3 tag and no audio" in str(refusal(id3(1_000)))


def test_a_video_without_sound() -> None:
    silent = io.BytesIO()
    with av.open(silent, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 32
        for number in range(5):
            frame = av.VideoFrame(32, 32, "yuv420p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert str(refusal(silent.getvalue())) == "the MP4 file is a video without an audio track"


def test_a_codec_that_is_not_on_the_list() -> None:
    body = encoded(SECRET, 16_000, "matroska", "tta")
    assert "holds audio of tta, which is not decoded here" in str(refusal(body))


def test_a_demuxer_that_is_not_on_the_list() -> None:
    body = encoded(SECRET, 16_000, "tta", "tta")
    with pytest.raises(FFmpegError):
        open_container("tta", View(io.BytesIO(body)))
    with pytest.raises(FFmpegError):
        open_container("hls", View(io.BytesIO(PLAYLIST % b"secret.wav")))
    allowed = opening._OPTIONS["format_whitelist"].split(",")
    assert set(DEMUXERS.values()) <= set(allowed)


def test_the_first_audio_track_counts_and_pictures_do_not() -> None:
    file = io.BytesIO()
    tracks = [(SECRET, "mono"), (sound(1, 16_000, 2), "stereo")]
    with av.open(file, "w", format="matroska") as out:
        picture = out.add_stream("mpeg4", rate=5)
        assert isinstance(picture, av.VideoStream)
        picture.width = picture.height = 32
        streams = [out.add_stream("flac", rate=16_000) for _ in tracks]
        for stream, (_, layout) in zip(streams, tracks, strict=True):
            assert isinstance(stream, av.AudioStream)
            stream.layout = layout
        frame = av.VideoFrame(32, 32, "yuv420p")
        frame.pts = 0
        out.mux([*picture.encode(frame), *picture.encode(None)])
        for stream, (samples, layout) in zip(streams, tracks, strict=True):
            for at in range(0, 16_000, 1_000):
                block = np.ascontiguousarray(samples[:, at : at + 1_000])
                audio = av.AudioFrame.from_ndarray(block, "fltp", layout)
                audio.sample_rate, audio.pts = 16_000, at
                out.mux(stream.encode(audio))
            out.mux(stream.encode(None))
    decoding = Decoding(io.BytesIO(file.getvalue()))
    found = np.concatenate(list(decoding.blocks(1_000)), axis=1)
    assert found.shape == SECRET.shape
    assert np.abs(found - SECRET).max() < 1e-3


def test_a_playlist_with_a_name_is_a_playlist(tmp_path: Path) -> None:
    """As a named file, FFmpeg's own choice would read the file that it refers to."""
    (tmp_path / "secret.wav").write_bytes(wav(SECRET, 16_000))
    named = tmp_path / "list.m3u8"
    named.write_bytes(PLAYLIST % str(tmp_path / "secret.wav").encode())
    with named.open("rb") as file, pytest.raises(AudioFileError, match="playlist"):
        Decoding(file)


def _with_reference(path: Path) -> bytes:
    """A MOV whose samples are said to be in another file."""
    body = encoded(SECRET, 16_000, "mov", "pcm_s16le")
    place = body.index(b"url \0\0\0\1") - 4
    # Of the kinds of references, FFmpeg follows Macintosh aliases.
    name = str(path).encode()
    path_of_alias = struct.pack(">HH", 2, len(name)) + name + b"\0" * (len(name) % 2)
    alias = struct.pack(">4sI", b"alis", 0) + bytes(150) + path_of_alias + b"\xff\xff\0\0"
    entry = struct.pack(">I", 4 + len(alias)) + alias
    grown = len(entry) - 12
    head, rest = body[:place], body[place + 12 :]
    out = bytearray(head + entry + rest)
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = out.rindex(box, 0, place) - 4
        struct.pack_into(">I", out, at, struct.unpack_from(">I", out, at)[0] + grown)
    return bytes(out)


def test_a_reference_to_another_file_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes((SECRET * 32_767).astype("<i2").tobytes() * 40)
    body = _with_reference(secret)
    opened: list[str] = []

    def record(url: str, flags: int, options: dict[str, str]) -> None:
        opened.append(url)
        raise PermissionError(url)

    # With its guard lowered, FFmpeg asks for the file: so the file is what it is meant to be.
    risky = {"enable_drefs": "1", "use_absolute_path": "1"}
    with contextlib.suppress(PermissionError):
        av.open(io.BytesIO(body), format="mov", options=risky, io_open=record)
    assert [url.endswith("secret.raw") for url in opened] == [True]
    assert "MP4 file" in str(refusal(body))


@pytest.mark.parametrize("barrier", ["references", "paths", "opening"])
def test_each_barrier_before_other_files_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, barrier: str
) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes((SECRET * 32_767).astype("<i2").tobytes() * 40)
    body = _with_reference(secret)
    lowered = {"enable_drefs": "1", "use_absolute_path": "1", "protocol_whitelist": "file"}
    match barrier:
        case "references":
            del lowered["enable_drefs"]
        case "paths":
            del lowered["use_absolute_path"]
    monkeypatch.setattr(opening, "_OPTIONS", {**opening._OPTIONS, **lowered})
    if barrier != "opening":
        monkeypatch.setattr(opening, "_refuse_to_open", None)
    with pytest.raises((AudioFileError, PermissionError)):
        Decoding(io.BytesIO(body))
