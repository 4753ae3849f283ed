"""Files that are damaged, cut off, something else, or meant to do harm."""

import struct

import numpy as np
import pytest

from tests.end_to_end.http.posting import (
    KINDS,
    Kind,
    analyze,
    analyzed,
    encoded,
    refused,
    temporary_files,
    wav,
)
from tools.harness.process import Server, wait_until
from tools.harness.sounds import recording


@pytest.fixture(autouse=True)
def nothing_left(standin: Server) -> object:
    yield
    wait_until(lambda: temporary_files(standin) == [], "no temporary file is left")
    assert standin.get("/health").status == 200


def speech(kind: Kind) -> bytes:
    samples, rate = recording("beckett.wav")
    return encoded(samples[: 4 * rate], rate, kind)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_cut_off(standin: Server, kind: Kind, part: float) -> None:
    """What is there is analyzed, and a warning says that more was meant to be."""
    body = speech(kind)
    answer = analyzed(standin, body[: int(len(body) * part)])
    assert 0.4 * part < answer["duration_seconds"] / 4 < 1.1 * part
    (warning,) = answer["warnings"][:1]
    assert warning["code"] == "damaged_audio"
    name = "WAV" if kind.container in ("WAVEX", "RF64") else kind.container
    assert f"the {name} file" in warning["message"]
    assert "early" in warning["message"]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_cut_off_before_the_audio(standin: Server, kind: Kind) -> None:
    message = refused(analyze(standin, speech(kind)[:24]), 400, "bad_audio")
    name = "WAV" if kind.container in ("WAVEX", "RF64") else kind.container
    assert f"the {name} file is damaged or not complete" in message


def test_a_wav_from_a_pipe_does_not_know_its_length(standin: Server) -> None:
    body = bytearray(speech(KINDS[0]))
    whole = analyzed(standin, bytes(body))
    for unknown in (0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000):
        body[4:8] = struct.pack("<I", min(unknown + 36, 0xFFFF_FFFF))
        body[40:44] = struct.pack("<I", unknown)
        assert analyzed(standin, bytes(body))["segments"] == whole["segments"]


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        (b"", 400, "bad_audio", "the body is empty; allowed: WAV, FLAC, OGG, MP3, AIFF"),
        (b"\n", 415, "unsupported_media_type", "the body is not an audio file"),
        (b"<html></html>", 415, "unsupported_media_type", "not an audio file but HTML"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 415, "unsupported_media_type", "but a picture"),
        (b".snd" + bytes(100), 400, "bad_audio", "the AU file is damaged"),
        (b"RIFF\x10\0\0\0AVI LIST", 415, "unsupported_media_type", "but an AVI video"),
        (b"RIFF\x10\0\0\0WAVEfmt ", 400, "bad_audio", "the WAV file is damaged"),
        (b"fLaC" + bytes(1000), 400, "bad_audio", "the FLAC file is damaged"),
        (b"OggS" + bytes(1000), 400, "bad_audio", "the OGG file is damaged"),
        (b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(1000), 400, "bad_audio", "an ID3 tag and no audio"),
        (b"\xff\xfb\x90\0" + bytes(1000), 400, "bad_audio", "the MP3 file is damaged"),
    ],
)
def test_no_audio_file(standin: Server, body: bytes, status: int, code: str, says: str) -> None:
    assert says in refused(analyze(standin, body), status, code)


def test_a_file_without_a_sample(standin: Server) -> None:
    assert refused(analyze(standin, wav(np.zeros(0))), 400, "bad_audio").endswith("holds no audio")
    raw = analyze(standin, b"", sample_rate=16_000)
    assert refused(raw, 400, "bad_audio") == "the recording holds no audio"


def test_damage_in_the_middle(standin: Server) -> None:
    body = bytearray(speech(KINDS[5]))
    middle = len(body) // 2
    body[middle : middle + 4_000] = np.random.default_rng(1).bytes(4_000)
    reply = analyze(standin, bytes(body))
    assert reply.status == 200
    assert "the FLAC file" in reply.json()["warnings"][0]["message"]


def test_raw_pcm_that_is_none(standin: Server) -> None:
    reply = analyze(standin, bytes(1_001), sample_rate=16_000)
    assert "1001 bytes and ends within a frame" in refused(reply, 400, "bad_audio")
    for kind, name in ((KINDS[0], "WAV"), (KINDS[5], "FLAC"), (KINDS[8], "OGG")):
        reply = analyze(standin, speech(kind), sample_rate=16_000)
        assert f"the body is a {name} file" in refused(reply, 400, "bad_audio")


def test_a_wrong_label(standin: Server) -> None:
    body = speech(KINDS[0])
    for label in ("audio/flac", "audio/mpeg", "audio/ogg", "video/mp4", "audio/webm"):
        reply = analyze(standin, body, media_type=label)
        message = refused(reply, 415, "unsupported_media_type")
        assert message == f'Content-Type is "{label}", and the body is a WAV file'
    for label in ("application/json", "text/plain", "image/png"):
        reply = analyze(standin, body, media_type=label)
        message = refused(reply, 415, "unsupported_media_type")
        begins, _, allowed = message.partition("; allowed: ")
        assert begins == f'Content-Type is "{label}"'
        assert allowed.startswith("application/octet-stream, ")
        assert len(set(allowed.split(", "))) == len(allowed.split(", "))
    reply = analyze(standin, body, media_type="multipart/form-data")
    form = refused(reply, 415, "unsupported_media_type")
    assert "with curl use --data-binary @FILE" in form
    assert "/v1/audio/transcriptions" in form
    assert analyze(standin, body, media_type="application/octet-stream").status == 200


def test_a_header_that_promises_the_impossible(standin: Server) -> None:
    def with_header(channels: int, rate: int) -> bytes:
        body = bytearray(speech(KINDS[0]))
        body[22:24] = struct.pack("<H", channels)
        body[24:28] = struct.pack("<I", rate)
        body[28:32] = struct.pack("<I", channels * rate * 2 & 0xFFFF_FFFF)
        body[32:34] = struct.pack("<H", channels * 2 & 0xFFFF)
        return bytes(body)

    for channels, rate in ((1, 7_999), (1, 2**31 - 1), (1, 2**32 - 1), (1, 0), (9, 16_000)):
        assert analyze(standin, with_header(channels, rate)).status == 400
    for channels in (0, 1_025, 65_535):
        assert analyze(standin, with_header(channels, 16_000)).status == 400


def test_samples_that_are_not_numbers(standin: Server) -> None:
    samples = np.array(recording("beckett.wav")[0])
    good = analyzed(standin, encoded(samples, 16_000, KINDS[1]))
    samples[:100] = [np.nan, np.inf, -np.inf, 1e30] * 25
    answer = analyzed(standin, encoded(samples, 16_000, KINDS[1]))
    assert [warning["code"] for warning in answer["warnings"]] == ["bad_samples"]
    assert len(answer["segments"]) == len(good["segments"])
