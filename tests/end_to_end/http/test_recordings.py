"""Recordings of every important kind over HTTP, and files that mean harm."""

import contextlib
import io
import socket
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import soxr
from openai import OpenAI

from tests.end_to_end.http.posting import analyze, analyzed, post, refused
from tests.recordings.makers import (
    Samples,
    encoded,
    id3,
    riff,
    wav,
    wav_chunks,
    without_end_flag,
)
from tools.harness.process import Server, wait_until
from tools.harness.sounds import recording, word_error_rate

SPEECH_RATE = 16_000
ALLOWED_WER = 2 / 12
"""Of twelve words: a lossy codec may cost two."""


def speech(rate: int = SPEECH_RATE) -> Samples:
    """The recording that comes with the model, [1, n], at a rate."""
    samples, own_rate = recording("beckett.wav")
    resampled = soxr.resample(np.asarray(samples, np.float32), own_rate, rate)
    return np.asarray(resampled, np.float32)[None, :]


def _by(container: str, codec: str, rate: int, *, pipe: bool = False, bit_rate: int = 0) -> bytes:
    return encoded(speech(rate), rate, container, codec, pipe=pipe, bit_rate=bit_rate)


def _sized(size: int) -> bytes:
    return riff(wav_chunks(speech(), SPEECH_RATE), sizes={b"data": size})


FILES = {
    "mp3 of a pipe": lambda: _by("mp3", "libmp3lame", 48_000, pipe=True),
    "mp3 joined": lambda: _by("mp3", "libmp3lame", 44_100) * 2,
    "mp3 from mid frame": lambda: _by("mp3", "libmp3lame", 16_000, bit_rate=32_000)[400:],
    "ogg chained": lambda: _by("ogg", "libopus", 48_000) * 2,
    "ogg without end": lambda: without_end_flag(_by("ogg", "libopus", 48_000)),
    "ogg flac": lambda: _by("ogg", "flac", 16_000),
    "flac of a pipe": lambda: _by("flac", "flac", 16_000, pipe=True),
    "flac id3 before": lambda: id3(70_000) + _by("flac", "flac", 16_000),
    "wav size 0": lambda: _sized(0),
    "wav 8 bytes too many": lambda: _sized(speech().shape[1] * 2 + 8),
    "wav ima adpcm": lambda: _by("wav", "adpcm_ima_wav", 16_000),
    "wav rifx": lambda: wav(speech(), SPEECH_RATE, order=">"),
    "m4a": lambda: _by("ipod", "aac", 44_100),
    "webm": lambda: _by("webm", "libopus", 48_000, pipe=True),
    "aac": lambda: _by("adts", "aac", 44_100),
    "amr": lambda: _by("amr", "libopencore_amrnb", 8_000, bit_rate=12_200),
}
"""What phones, browsers, messengers and programs write."""


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_words_of_the_wav(transcriber: Server, name: str) -> None:
    right = analyzed(transcriber, wav(speech(), SPEECH_RATE))
    answer = analyzed(transcriber, FILES[name]())
    times = 2 if "joined" in name or "chained" in name else 1
    assert answer["duration_seconds"] == pytest.approx(times * 9.963, abs=0.2)
    words = " ".join(segment["text"] for segment in answer["segments"])
    of_wav = " ".join(segment["text"] for segment in right["segments"])
    assert word_error_rate(" ".join([of_wav] * times), words) <= ALLOWED_WER
    assert ("warnings" in answer) == ("too many" in name)


def test_the_openai_package_sends_what_phones_make(transcriber: Server) -> None:
    base = f"http://127.0.0.1:{transcriber.port}/v1"
    with OpenAI(base_url=base, api_key="none", max_retries=0) as client:
        for name in ("m4a", "webm"):
            # The name says something else: it is not looked at.
            answer = client.audio.transcriptions.create(
                model="whisper-1", file=("voice.mp3", FILES[name]())
            )
            assert "fail" in answer.text.lower()


def test_a_playlist_reads_no_other_file(standin: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(speech(), SPEECH_RATE))
    playlist = f"#EXTM3U\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n".encode()
    for media_type in (None, "application/octet-stream"):
        reply = analyze(standin, playlist, media_type=media_type)
        assert "an HLS or M3U playlist" in refused(reply, 415, "unsupported_media_type")
    for name in ("list.m3u8", "list.wav"):
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + playlist + b"\r\n--x--\r\n"
        reply = post(standin, "/v1/audio/transcriptions", body, "multipart/form-data; boundary=x")
        assert reply.status == 400
        assert "an HLS or M3U playlist" in reply.json()["error"]["message"]


def test_a_header_that_declares_hours_is_a_hint(standin: Server) -> None:
    body = bytearray(_by("flac", "flac", 16_000))
    body[21:26] = b"\x0f\xff\xff\xff\xff"  # the samples in STREAMINFO: 49 days
    body[21] = (body[21] & 0x0F) | 0xF0
    answer = analyzed(standin, bytes(body))
    assert answer["duration_seconds"] == pytest.approx(9.963, abs=0.01)
    assert "are missing" in answer["warnings"][0]["message"]


ROOT = Path(__file__).parents[3]
"""The tests are no part of what is installed; the stand-ins are among them."""

ATTACKS = ("crash", "exit", "grow", "garbage", "late", "lie")


@pytest.fixture
def attacked(tmp_path: Path) -> Generator[Server]:
    """A server whose decoders do what a recording's bytes say."""
    program = (
        "import sys\n"
        f"sys.path.append({str(ROOT)!r})\n"
        "from streamer.recordings.decoder import Decoders\n"
        "Decoders.__init__.__defaults__ = ('tests.recordings.stand_ins:run', None)\n"
        "from streamer.__main__ import main\n"
        "sys.exit(main())\n"
    )
    server = Server(
        tmp_path,
        {"model": {"type": "standin"}, "limits": {"drain_seconds": 1}},
        program=(sys.executable, "-c", program),
    )
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()


def test_whatever_a_decoder_does_only_its_request_notices(attacked: Server) -> None:
    good = wav(np.zeros((1, 160), np.float32), 16_000)
    hanging = threading.Thread(target=analyze, args=(attacked, b"hang"))
    hanging.start()
    wait_until(lambda: attacked.decoders(), "one decoder hangs")
    workers = [worker.pid for worker in attacked.workers()]
    for attack in ATTACKS:
        message = refused(analyze(attacked, attack.encode()), 400, "bad_audio")
        assert "recording" in message
        assert analyzed(attacked, good)["duration_seconds"] == 1  # as the stand-in says
    hanging.join()  # its deadline
    wait_until(lambda: not attacked.decoders(), "no decoder is left")
    assert [worker.pid for worker in attacked.workers()] == workers
    assert analyzed(attacked, good)["duration_seconds"] == 1


def test_a_decoder_ends_when_its_client_goes(attacked: Server) -> None:
    with socket.create_connection(("127.0.0.1", attacked.port)) as client:
        client.sendall(b"POST /api/v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhang")
        wait_until(lambda: attacked.decoders(), "its decoder hangs")
    wait_until(lambda: not attacked.decoders(), "its decoder is gone")


def test_a_server_that_ends_ends_its_decoders(attacked: Server) -> None:
    hanging = threading.Thread(target=_ignore_the_end, args=(attacked,))
    hanging.start()
    wait_until(lambda: attacked.decoders(), "one decoder hangs")
    attacked.stop()  # waits until no process of it is left
    hanging.join()


def _ignore_the_end(server: Server) -> None:
    with contextlib.suppress(OSError):
        analyze(server, b"hang")


def test_the_server_has_no_ffmpeg_in_it(transcriber: Server) -> None:
    analyzed(transcriber, FILES["m4a"]())
    maps = Path(f"/proc/{transcriber.process.pid}/maps").read_text()
    assert "libavcodec" not in maps
    assert "libsndfile" not in maps


def test_the_first_text_comes_before_all_is_decoded(transcriber: Server) -> None:
    two_cities, rate = recording("two_cities.wav")
    long = np.tile(np.asarray(two_cities, np.float32), 3)[None, :]
    body = encoded(long, rate, "flac", "flac")
    base = f"http://127.0.0.1:{transcriber.port}/v1"
    with OpenAI(base_url=base, api_key="none", max_retries=0) as client:
        stream = client.audio.transcriptions.create(
            model="whisper-1", file=("a", io.BytesIO(body)), stream=True
        )
        first = next(iter(stream))
        assert first.type == "transcript.text.delta"
        assert transcriber.decoders()  # it has not come to its end
        stream.close()
    wait_until(lambda: not transcriber.decoders(), "its decoder is gone")
