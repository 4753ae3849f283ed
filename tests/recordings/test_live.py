"""Live streams in containers: decoded as the file is, in step with what comes, or refused."""

import asyncio
import functools
import socket
import threading
from collections.abc import Iterator
from io import BytesIO

import msgspec
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.frames import is_flac_frame
from streamer.recordings import link
from streamer.recordings import live_decoder as server_end
from streamer.recordings.decoder import Decoders
from streamer.recordings.decoding import Decoding
from streamer.recordings.errors import AudioFileError, DecoderLost
from streamer.recordings.flac_frames import FlacFrames
from streamer.recordings.live import decode_live, open_live
from streamer.recordings.live_decoder import LiveDecoder
from tests.recordings.kinds import KINDS
from tests.recordings.makers import encoded, id3, sound, wav
from tests.recordings.pipes import Pieces, samples
from tests.recordings.test_decoder import STAND_INS, children, decoders
from tools.harness.process import cpu_s, wait_until

NEVER_LIVE = ("aif", "au ", "caf", "mov", "wma", "wav rifx", "wav w64", "3gp")
INDEX_AT_THE_END = ("m4a", "m4a joined", "m4a alac", "mp4 with video", "mov", "mov s16", "3gp amr")
LIVE_KINDS = [
    kind for kind in KINDS if not kind.startswith(NEVER_LIVE) and kind not in INDEX_AT_THE_END
]


@functools.cache
def body(kind: str) -> bytes:
    return KINDS[kind].make()


@functools.cache
def decoded_at_once(kind: str) -> np.ndarray:
    return samples(Decoding(BytesIO(body(kind))))


@settings(max_examples=60)
@given(
    kind=st.sampled_from(LIVE_KINDS),
    sizes=st.lists(st.integers(1, 5_000), min_size=1, max_size=5),
)
def test_however_it_is_cut_it_is_decoded_as_the_file(kind: str, sizes: list[int]) -> None:
    live, expected = samples(open_live(Pieces(body(kind), sizes))), decoded_at_once(kind)
    # Without seeking, FFmpeg does not cut off the padding at the end of an MP3.
    padding = live.shape[1] - expected.shape[1]
    assert 0 <= padding <= (1_152 if KINDS[kind].container == "MP3" else 0)
    np.testing.assert_array_equal(live[:, : expected.shape[1]], expected)


@pytest.mark.parametrize("kind", LIVE_KINDS)
def test_every_kind(kind: str) -> None:
    decoding = open_live(Pieces(body(kind), [1_000]))
    expected = decoded_at_once(kind)
    np.testing.assert_array_equal(samples(decoding)[:, : expected.shape[1]], expected)
    assert bool(decoding.report().warnings) == KINDS[kind].warns


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (sound(1, 16_000).tobytes(), "in no container that is known; allowed: WAV"),
        (bytes(50_000), "in no container that is known"),
        (b"<!DOCTYPE html><html>" + b"x" * 50, "known, but HTML, a web page"),
        (b'{"type": "KeepAlive"}', "known, but JSON"),
        (body("aiff s16"), "this AIFF file can only be decoded when all of it is there; allowed"),
        (body("wav rifx"), "this WAV file can only be decoded when all of it is there; allowed"),
        (body("m4a"), "has its index .* at its end, and cannot be decoded while it arrives"),
        (body("ogg opus")[:60], "the OGG file"),
        (body("flac of a pipe")[:60], "the FLAC file holds no audio"),
        (b"fLaC\0\0\0\x22" + bytes(10), "its header is missing"),
        (id3(200_000), "no container that is known"),
        (wav(sound(0, 16_000), 16_000), "the WAV file holds no audio"),
    ],
)
def test_what_cannot_be_decoded_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(AudioFileError, match=says):
        samples(open_live(Pieces(data, [700])))


def test_another_kind_behind_a_container_is_an_error_and_no_silence() -> None:
    """An AIFF file would have to be kept until its end."""
    decoding = open_live(Pieces(body("webm live") + body("aiff s16"), [700]))
    found: list[np.ndarray] = []
    with pytest.raises(AudioFileError, match="this AIFF file can only"):
        found.extend(decoding.pieces())
    np.testing.assert_array_equal(np.concatenate(found, axis=1), decoded_at_once("webm live"))


# Frames of FLAC.


def flac_bodies() -> Iterator[bytes]:
    for options in ({}, {"compression_level": "0"}, {"compression_level": "12"}):
        yield encoded(sound(1, 16_000), 16_000, "flac", "flac", options)
    yield body("flac stereo")
    yield encoded(np.zeros((1, 40_000), np.float32), 16_000, "flac", "flac")


@given(
    data=st.sampled_from([*flac_bodies()]),
    sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=4),
)
def test_flac_is_cut_into_its_frames(data: bytes, sizes: list[int]) -> None:
    flac = FlacFrames(Pieces(data, sizes))
    frames = [*flac.frames()]
    assert data.endswith(b"".join(frames))
    assert all(is_flac_frame(frame[:16]) for frame in frames)
    assert frames == [*FlacFrames(BytesIO(data)).frames()]


def test_bytes_like_a_header_within_a_frame_are_none() -> None:
    """Audio may hold any bytes; the number in them does not follow."""
    data = body("flac stereo")
    frames = [*FlacFrames(BytesIO(data)).frames()]
    begin = len(data) - sum(map(len, frames))
    inner = frames[3][:40] + frames[1][:16] + frames[3][56:]
    changed = [*frames[:3], inner, *frames[4:]]
    found = [*FlacFrames(BytesIO(data[:begin] + b"".join(changed))).frames()]
    assert found == changed


def test_a_frame_of_flac_comes_when_the_next_one_begins() -> None:
    data = body("flac stereo")
    frames = [*FlacFrames(BytesIO(data)).frames()]
    begin = len(data) - sum(map(len, frames))
    taken = 0

    class Counted:
        def read(self, count: int, /) -> bytes:
            nonlocal taken
            taken += 1
            return data[taken - 1 : taken]

    found = FlacFrames(Counted()).frames()
    for frame in frames[:-1]:
        assert next(found) == frame
        begin += len(frame)
        assert taken <= begin + 16, "the header of the next frame"


# A decoder, as its process runs it.


class InStep:
    """`decode_live` in a thread, with the server's part played here."""

    def __init__(self) -> None:
        self._bytes, theirs = socket.socketpair()
        self._answers, answers = socket.socketpair()
        self._thread = threading.Thread(target=self._run, args=(theirs, answers))
        self._thread.start()
        self._sent = 0
        self.messages: list[tuple[bytes, bytes]] = []

    def _run(self, incoming: socket.socket, answers: socket.socket) -> None:
        with incoming, answers:
            decode_live(incoming, answers)

    def send(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Send bytes; returns what is said until more are needed, or to the end."""
        self._bytes.sendall(data)
        self._sent += len(data)
        begin = len(self.messages)
        while True:
            kind, text = self.receive()
            if kind == link.NEEDED and link.TAKEN.unpack(text) == (self._sent,):
                return self.messages[begin:]
            self.messages.append((kind, text))
            if kind in (link.REPORT, link.REFUSAL):
                return self.messages[begin:]

    def end(self) -> None:
        self._bytes.shutdown(socket.SHUT_WR)
        while not self.messages or self.messages[-1][0] not in (link.REPORT, link.REFUSAL):
            self.messages.append(self.receive())
        self._thread.join()
        self._bytes.close()
        self._answers.close()

    def receive(self) -> tuple[bytes, bytes]:
        kind, size = link.PREFIX.unpack(self._exactly(link.PREFIX.size))
        return kind, self._exactly(size)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            received = self._answers.recv(count - len(data))
            assert received
            data += received
        return data


@pytest.mark.parametrize(
    ("kind", "most_s"),
    [
        ("webm live", 0.09),
        ("ogg opus", 1.1),  # pages of a second, by its encoder
        ("mp3 16 kHz", 0.25),
        ("mp3 cbr", 0.1),
        ("aac adts", 0.1),
        ("wav s16", 0.001),
        ("m4a fragmented", 0.6),
    ],
)
def test_audio_comes_with_its_bytes(kind: str, most_s: float) -> None:
    """All samples of what was sent are there when more is asked for, but for a block."""
    data, rate = body(kind), decoded_at_once(kind).shape[1] / KINDS[kind].seconds
    one, steps, lags, decoded_s = InStep(), 200, [], 0.0
    for step in range(steps):
        part = data[len(data) * step // steps : len(data) * (step + 1) // steps]
        for said, block in one.send(part):
            decoded_s += len(block) / 4 / rate if said == link.BLOCK else 0.0
        lags.append((step + 1) / steps * KINDS[kind].seconds - decoded_s)
    one.end()
    # The bit rate may vary, and a header comes first.
    assert np.median(lags[steps // 4 :]) <= most_s


def test_a_long_frame_comes_in_blocks_of_a_second() -> None:
    """A few bytes of FLAC may be eight seconds."""
    one = InStep()
    one.send(body("wav s16")[:44])
    blocks = [text for kind, text in one.send(body("wav s16")[44:]) if kind == link.BLOCK]
    one.end()
    assert max(map(len, blocks)) == 4 * 16_000
    assert sum(map(len, blocks)) == 4 * 16_000 * KINDS["wav s16"].seconds


def test_a_refusal_comes_behind_what_was_decoded() -> None:
    one = InStep()
    one.send(body("webm live") + body("aiff s16"))
    one.end()
    header, *blocks, refusal = (kind for kind, _ in one.messages if kind != link.NEEDED)
    assert header == link.HEADER
    assert {*blocks} == {link.BLOCK}
    assert refusal == link.REFUSAL
    assert "AIFF" in msgspec.json.decode(one.messages[-1][1])["message"]


# The process.


class Taken:
    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []

    async def __call__(self, rows: np.ndarray) -> None:
        self.rows.append(rows)

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate(self.rows, axis=1)


async def pushed(made: Decoders, data: bytes, size: int = 1_000) -> tuple[LiveDecoder, Taken]:
    live, taken = made.open_live(), Taken()
    try:
        for start in range(0, len(data), size):
            await live.push(data[start : start + size], taken)
        await live.finish(taken)
    finally:
        live.close()
    return live, taken


@pytest.mark.parametrize("kind", ["webm live", "ogg chained other codecs", "wav 5.1"])
async def test_a_stream_comes_through_the_process_unchanged(kind: str) -> None:
    async with decoders() as made:
        live, taken = await pushed(made, body(kind))
        assert made.live == 0
    np.testing.assert_array_equal(taken.samples, decoded_at_once(kind))
    assert live.header is not None
    assert live.header.container == KINDS[kind].container
    assert live.warnings == ()


async def test_damage_is_reported_when_it_is_found_and_at_the_end() -> None:
    data = bytearray(body("webm live"))
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    async with decoders() as made:
        live, taken = made.open_live(), Taken()
        found = []
        for part in (data[:middle], data[middle:]):
            await live.push(bytes(part), taken)
            found.append((live.is_damaged, live.warnings))
        assert found == [(False, ()), (True, ())]
        await live.finish(taken)
        live.close()
    assert "WebM file" in live.warnings[0]
    assert taken.samples.shape[1] > 0.5 * decoded_at_once("webm live").shape[1]


class Enough(Exception):
    """No more samples are taken."""


async def test_nothing_is_decoded_ahead_of_what_is_taken() -> None:
    """Ten minutes of silence are a few kilobytes: they wait like audio that was sent."""
    quiet = encoded(np.zeros((1, 8_000 * 600), np.float32), 8_000, "flac", "flac")
    assert len(quiet) < 150_000
    async with decoders() as made:
        live, seen = made.open_live(), 0

        async def take(rows: np.ndarray) -> None:
            nonlocal seen
            seen += rows.shape[1]
            if seen > 8_000 * 20:
                raise Enough

        with pytest.raises(Enough):
            await live.push(quiet, take)
        (worker,) = [one for one in children() if one.ppid() in pids(made)]
        wait_until(lambda: worker.status() == psutil.STATUS_SLEEPING, "it waits")
        used_s = cpu_s(worker)
        await asyncio.sleep(0.2)
        assert cpu_s(worker) == used_s
        live.close()


@pytest.mark.parametrize(
    ("limit", "data"),
    [
        ("MAX_HEAD_BYTES", id3(200_000_000)[:10] + bytes(120_000)),
        ("MAX_BARREN_BYTES", body("mp3 16 kHz") + id3(200_000_000)[:10] + bytes(120_000)),
    ],
)
async def test_what_never_becomes_audio_is_not_taken_for_ever(
    monkeypatch: pytest.MonkeyPatch, limit: str, data: bytes
) -> None:
    monkeypatch.setattr(server_end, limit, 100_000)
    async with decoders() as made:
        with pytest.raises(AudioFileError, match="no audio has come within 100000 bytes"):
            await pushed(made, data)


async def test_an_empty_stream_has_no_audio_and_no_error() -> None:
    async with decoders() as made:
        _, taken = await pushed(made, b"")
        assert not taken.rows


async def test_a_killed_decoder_is_the_end_of_one_stream_only() -> None:
    async with decoders() as made:
        one, other = made.open_live(), made.open_live()
        ours, theirs = Taken(), Taken()
        data = body("webm live")
        await one.push(data[:2_000], ours)
        (process,) = [child for child in children() if child.ppid() in pids(made)][:1]
        await other.push(data[:2_000], theirs)
        process.kill()
        with pytest.raises(AudioFileError, match="its decoder was stopped"):
            await one.push(data[2_000:], ours)
        await other.push(data[2_000:], theirs)
        await other.finish(theirs)
        for each in (one, other):
            each.close()
    np.testing.assert_array_equal(theirs.samples, decoded_at_once("webm live"))


def pids(made: Decoders) -> set[int]:
    assert made._launcher is not None
    return {made._launcher.pid}


async def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_end, "ANSWER_DEADLINE_S", 3.0)
    async with decoders(STAND_INS) as made:
        with pytest.raises(AudioFileError, match="no progress for 3 s"):
            await pushed(made, b"hang")
        wait_until(lambda: len(children()) == 1, "only the launcher is left")


@pytest.mark.parametrize(
    ("order", "says"),
    [(b"crash", "crashed"), (b"exit", "exit code 3"), (b"garbage", "its decoder failed; ")],
)
async def test_what_a_decoder_does_wrong(order: bytes, says: str) -> None:
    async with decoders(STAND_INS) as made:
        with pytest.raises(AudioFileError, match=says):
            await pushed(made, order)
        assert made.live == 0


async def test_a_lost_launcher_is_no_fault_of_the_stream() -> None:
    async with decoders() as made:
        live = made.open_live()
        await live.push(body("webm live")[:1_000], Taken())
        assert made._launcher is not None
        made._launcher.kill()
        with pytest.raises(DecoderLost):
            await live.push(body("webm live")[1_000:], Taken())
        live.close()
        await pushed(made, body("webm live"))
