"""`--as-is`: the bytes of a recording are sent, and the server decodes them."""

import asyncio
import json
from pathlib import Path

import jiwer
import pytest

from tests.client.conftest import Peer, RunCommand, ServeScript, StartCommand
from tests.end_to_end.conftest import Launch
from tests.end_to_end.streams.containers import beckett_samples, speech
from tests.recordings.makers import encoded, sound, wav
from tools.harness.sounds import beckett


async def hear(peer: Peer) -> None:
    await peer.begin()
    await peer.read_to_stop()
    await peer.segment(0.0, 1.0, text="Yes.")
    await peer.finish_as(10.0)


@pytest.mark.parametrize("by", ["file", "pipe"])
async def test_each_byte_is_sent_once_and_the_server_is_told(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path, by: str
) -> None:
    data = encoded(sound(4, 48_000, 2), 48_000, "ogg", "libopus", pipe=True)
    path = tmp_path / "talk.opus"
    path.write_bytes(data)
    server = await serve_script(hear)
    given = {"file": (path,), "pipe": ("-", "--channels", "2")}[by]
    result = await run_command(
        *given, "--as-is", "-a", server.url, stdin=data if by == "pipe" else None
    )
    assert result.code == 0, result.err
    assert server.peer.start["format"] == {"encoding": "auto", "channels": 2}
    assert bytes(server.peer.audio) == data
    assert "Yes." in result.out
    assert "10.0 s of audio" in result.last_line  # the server has counted them


async def test_what_comes_on_a_pipe_is_sent_as_it_comes(
    serve_script: ServeScript, start_command: StartCommand
) -> None:
    data = speech("WebM/Opus")
    half = len(data) // 2
    has_half = asyncio.Event()

    async def wait_for_half(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio(half)
        has_half.set()
        await peer.read_to_stop()
        await peer.finish_as(10.0)

    server = await serve_script(wait_for_half)
    command = await start_command("-", "--as-is", "-a", server.url)
    stdin = command.process.stdin
    assert stdin is not None
    stdin.write(data[:half])
    await has_half.wait()
    stdin.write(data[half:])
    stdin.close()
    result = await command.result()
    assert result.code == 0, result.err
    assert bytes(server.peer.audio) == data
    assert server.peer.start["format"] == {"encoding": "auto", "channels": 1}


async def test_in_real_time_a_message_has_a_tenth_of_a_second(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path
) -> None:
    path = tmp_path / "short.wav"
    path.write_bytes(wav(sound(1, 16_000), 16_000))
    server = await serve_script(hear)
    result = await run_command(path, "--as-is", "--real-time", "-a", server.url)
    assert result.code == 0, result.err
    assert max(server.peer.messages) == 3_204  # 100 ms, with a share of the header


@pytest.mark.parametrize("kind", ["WebM/Opus", "MP3"])
async def test_the_words_are_those_of_the_decoded_recording(
    launch: Launch, run_command: RunCommand, tmp_path: Path, kind: str
) -> None:
    transcriber = launch()
    path = tmp_path / "speech"
    path.write_bytes(speech(kind))
    address = f"ws://127.0.0.1:{transcriber.port}/api/v1/segmented"
    as_is = await run_command(path, "--as-is", "--output", "json", "-a", address)
    assert as_is.code == 0, as_is.err
    decoded = await run_command(path, "--output", "json", "-a", address)
    texts = [
        [event["text"] for event in json.loads(result.out) if event["type"] == "segment"]
        for result in (as_is, decoded)
    ]
    assert len(texts[0]) == 6
    # The client decodes to 16 bits, the server to floats: a word that is not clear may be another.
    said, expected = (" ".join(each) for each in texts)
    assert jiwer.wer(expected, said) < 0.2


async def test_what_the_server_cannot_decode_as_it_comes(
    launch: Launch, run_command: RunCommand, tmp_path: Path
) -> None:
    standin = launch({"model": {"type": "standin"}})
    path = tmp_path / "phone.m4a"  # with its index at the end
    path.write_bytes(encoded(beckett_samples(), 16_000, "mp4", "aac"))
    address = f"ws://127.0.0.1:{standin.port}/api/v1/segmented"
    result = await run_command(path, "--as-is", "-a", address)
    assert result.code in (5, 6)  # the error comes before all is sent, or behind it
    assert "has its index" in result.err
    assert "streamer-client: without --as-is, the client decodes it\n" in result.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--mic", "--as-is"), "--as-is is for recordings"),
        (("speech.wav", "--as-is", "--reconnect"), "--as-is and --reconnect are given"),
        (("-", "--as-is", "--real-time"), "needs a file"),
        (("-", "--as-is", "--rate", "8000"), "--rate is only for raw audio"),
        (("speech.wav", "--as-is", "--channels", "2"), "--channels is only for raw audio"),
        (("-", "--as-is"), "standard input is in no container that is known"),
    ],
)
async def test_what_does_not_go_together(
    run_command: RunCommand, arguments: tuple[str, ...], says: str
) -> None:
    result = await run_command(*arguments, stdin=beckett().part(0, 2.0))
    assert result.code == 2
    assert says in result.last_line
