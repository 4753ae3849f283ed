"""Names for what people send in place of audio, so that a refusal says what they have."""

import re

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (rb"#EXTM3U", "an HLS or M3U playlist"),
    (rb"ffconcat ", "an FFmpeg concat list"),
    (rb"\[playlist\]", "a PLS playlist"),
    (rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<MPD[\s>]", "a DASH manifest"),
    (rb"(<\?xml[^>]*>\s*)?<SmoothStreamingMedia[\s>]", "a Smooth Streaming manifest"),
    (rb"(<\?xml[^>]*>\s*)?<(asx|smil|playlist)[\s>]", "a playlist"),
    (rb"\[Reference\]", "an ASF playlist"),
    (rb"v=0\r?\n[a-z]=", "an SDP description of a stream"),
    (rb"(<!doctype html|<html|<head|<body)", "HTML, a web page"),
    (rb"<svg|<\?xml", "XML"),
    (rb"%PDF", "a PDF"),
    (rb"PK\x03\x04", "a ZIP archive or an office document"),
    (rb"\x1f\x8b", "gzip data"),
    (rb"BZh[1-9]1AY", "bzip2 data"),
    (rb"\xfd7zXZ\x00", "xz data"),
    (rb"\x28\xb5\x2f\xfd", "zstd data"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (rb"Rar!", "a RAR archive"),
    (rb".{257}ustar", "a tar archive"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\x00{4}|RIFF.{4}WEBP|II\*\x00|MM\x00\*", "a picture"),
    (rb"RIFF.{4}AVI ", "an AVI video"),
    (rb"FLV\x01", "a Flash video"),
    (rb"\x00\x00\x01\xba|\x00\x00\x01\xb3", "an MPEG program stream"),
    (rb"G.{187}G.{187}G", "an MPEG transport stream"),
    (rb"\.RMF", "a RealMedia file"),
    (rb"MThd|RIFF.{4}RMID", "a MIDI file, which holds notes and no sound"),
    (rb"DSD |FRM8", "a DSD file"),
    (rb"MAC ", "a Monkey's Audio file"),
    (rb"NIST_1A\n", "a NIST SPHERE file"),
    (rb"wvpk", "a WavPack file"),
    (rb"TTA1", "a True Audio file"),
    (rb"MPCK|MP\+", "a Musepack file"),
    (rb"ADIF", "an AAC file with an ADIF header"),
    (rb"Creative Voice File", "a Creative Voice file"),
    (rb"\x02?#!SILK_V3", "a SILK recording"),
    (rb"OpusHead|\x01vorbis", "a codec's packets without a container"),
    (rb"\x7fELF|MZ.{58}|\xcf\xfa\xed\xfe", "a program"),
    (rb"SQLite format 3", "a database"),
    (rb"data:[a-z]+/", "a data: URL, which is base64 text"),
    (rb"--[^\r\n]{1,70}\r\nContent-Disposition:", "a multipart form"),
    (rb"version https://git-lfs", "a Git LFS pointer, not the file it stands for"),
    (rb"[\[{]\s*[\"\[{\]}]", "JSON"),
    (rb"\d+\r?\n\d\d:\d\d:\d\d,\d{3} -->|WEBVTT", "subtitles"),
)
_TABLE = tuple((re.compile(pattern, re.DOTALL | re.IGNORECASE), what) for pattern, what in _MAGIC)

HEAD_BYTES = 512
"""Bytes that `describe` looks at."""


def describe(head: bytes) -> str | None:
    """What a file is that begins so, with its article; None = unknown."""
    text = head[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16 text"
    stripped = text.lstrip()
    for pattern, what in _TABLE:
        if pattern.match(text) or pattern.match(stripped):
            return what
    if stripped and not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", text):
        try:
            text.decode()
        except UnicodeDecodeError as error:
            if error.start < len(text) - 3 or len(text) < HEAD_BYTES:
                return None
        return "text"
    return None
