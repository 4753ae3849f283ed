"""The command as people run it: transcripts, pacing, interruption."""

from __future__ import annotations

import asyncio
import json
import os
import re
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.conftest import (
        FakeMicrophone,
        Peer,
        RunCommand,
        ServeScript,
        StartCommand,
    )
    from tests.end_to_end.conftest import Launch

SPEECH = struct.pack("<8000h", *range(8000))
SUMMARY = re.compile(
    r"^0\.5 s of audio in \d+\.\d\d s, real-time factor \d+\.\d+, first event after \d+\.\d\d s, "
    r"2 segments, trace 4bf92f3577b34da6a3ce929d0e0e4736$"
)


async def talk(peer: Peer) -> None:
    """Two segments, with everything that comes around them."""
    await peer.begin()
    await peer.read_audio()
    await peer.send("active", time=0.05, channel=0)
    await peer.send("interim", start_time=0.0, end_time=0.1, channel=0, text="hel")
    await peer.send("warning", code="lagging", message="a little late")
    await peer.read_to_stop()
    await peer.send("inactive", time=0.2, channel=0)
    await peer.segment(0.0, 0.25, text="hello <there>")
    await peer.segment(0.25, 0.5, text="grüße", channel=1 % peer.start["format"]["channels"])
    await peer.finish()


async def test_text_on_stdout_and_the_rest_on_stderr(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    server = await serve_script(talk)
    result = await run_command("-i", speech, "-a", server.url)
    assert result.code == 0
    assert result.out == (
        "[00:00.0 → 00:00.1 …] hel\n[00:00.0 → 00:00.2] hello <there>\n[00:00.2 → 00:00.5] grüße\n"
    )
    warning, summary = result.err.splitlines()
    assert warning == "warning lagging: a little late"
    assert SUMMARY.match(summary)
    assert bytes(server.peer.audio) == SPEECH
    assert server.peer.messages == [8000, 8000]
    assert server.peer.start["format"] == {
        "channels": 1,
        "sample_rate": 16000,
        "bit_depth": 16,
        "is_float": False,
    }
    assert re.fullmatch(r"[0-9a-f]{32}", server.peer.start["trace_id"])


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        ({}, None),
        ({"dropped": 0.4, "loud_unheard": 0.4}, None),
        ({"loud_unheard": 3.2}, "3.2 s were loud but not taken for speech"),
        (
            {"failed": 0.1, "dropped": 1.25, "loud_unheard": 0.1},
            "0.1 s had speech without a result; "
            "1.2 s were dropped: too short for speech, or silence to the model",
        ),
    ],
)
@pytest.mark.parametrize("output", ["text", "jsonl"])
async def test_audio_without_words_is_reported_in_one_line(
    serve_script: ServeScript,
    run_command: RunCommand,
    speech: Path,
    seconds: dict[str, float],
    line: str | None,
    output: str,
) -> None:
    async def answer(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        channels = [{"channel": 0, "received": 0.5, **seconds}]
        await peer.send("flushed", time=0.5, channel=0)
        await peer.send("stopped", audio_seconds=0.5, segments=0, session_id="s1", seconds=channels)
        await peer.connection.close(1000)

    server = await serve_script(answer)
    result = await run_command("-i", speech, "-a", server.url, "--output", output)
    assert result.code == 0
    assert result.err.splitlines()[:-1] == ([line] if line else [])
    if output == "text":
        assert result.out == ""
    else:
        kinds = [json.loads(event)["type"] for event in result.out.splitlines()]
        assert kinds == ["started", "flushed", "stopped"]


@pytest.mark.parametrize(
    ("address", "what", "silent"),
    [
        (
            "/api/v1/segmented",
            "had speech without a result",
            "were dropped: too short for speech, or silence to the model",
        ),
        ("/api/v1/simple", "of audio have no result", "were silence to the model"),
    ],
)
@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("inference_failed", "; the server's log has the file and the line of the model's error"),
        ("inference_timeout", ""),
    ],
)
async def test_audio_without_a_result_is_speech_only_where_speech_is_detected(
    serve_script: ServeScript,
    run_command: RunCommand,
    speech: Path,
    address: str,
    what: str,
    silent: str,
    code: str,
    where: str,
) -> None:
    async def answer(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await peer.send("error", code=code, message="no", fatal=False, channel=0)
        seconds = [{"channel": 0, "received": 1.5, "failed": 0.5, "dropped": 1.0}]
        await peer.send("stopped", audio_seconds=0.5, segments=0, session_id="s1", seconds=seconds)
        await peer.connection.close(1000)

    server = await serve_script(answer)
    result = await run_command(speech, "-a", f"ws://127.0.0.1:{server.port}{address}")
    assert f"0.5 s {what}{where}; 1.0 s {silent}" in result.err.splitlines()


@pytest.mark.parametrize(
    ("address", "given", "lines"),
    [
        ("simple", ["--interim-results"], ["--interim-results has no effect on /api/v1/simple: "]),
        ("simple/", ["--vad", "threshold=0.6"], ["--vad has no effect on /api/v1/simple, "]),
        (
            "simple",
            ["--vad", "threshold=0.6", "--interim-results", "--words"],
            ["--interim-results has", "--vad has", "--words has no effect on text that is not on"],
        ),
        ("segmented", ["--words"], ["--words has no effect on text that is not on a terminal: "]),
        ("segmented", ["--words", "-o", "x.txt"], ["--words has no effect on text that is not"]),
        ("segmented", ["--interim-results", "--output", "srt"], ["--interim-results has no effe"]),
        ("segmented", ["--eager", "-o", "x.srt"], ["--eager has no effect on srt: subtitles have"]),
        ("segmented", ["--words", "--output", "jsonl"], []),
        ("segmented", ["--eager"], []),
        ("segmented", ["--interim-results", "--vad", "threshold=0.6"], []),
        ("simple", ["--real-time", "--words", "--output", "json"], []),
    ],
)
async def test_an_option_without_effect_is_named(
    serve_script: ServeScript,
    run_command: RunCommand,
    speech: Path,
    tmp_path: Path,
    address: str,
    given: list[str],
    lines: list[str],
) -> None:
    server = await serve_script(talk)
    arguments = [tmp_path / part if part.startswith("x.") else part for part in given]
    url = f"ws://127.0.0.1:{server.port}/api/v1/{address}"
    result = await run_command(speech, "-a", url, *arguments)
    assert result.code == 0
    found = [line for line in result.err.splitlines() if "no effect" in line]
    assert len(found) == len(lines)
    for line, begin in zip(found, lines, strict=True):
        assert line.startswith(f"streamer-client: {begin}")


async def test_words_of_a_model_without_words_are_not_promised(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    says = "the model test gives no times of words: 'words' has no effect"

    async def classify(peer: Peer) -> None:
        await peer.begin(words=False)
        await peer.send("warning", code="no_words", message=says)
        await peer.read_to_stop()
        await peer.segment(0.0, 0.5, alarm=0.9)
        await peer.finish()

    server = await serve_script(classify)
    result = await run_command(speech, "-a", server.url, "--words")
    assert result.code == 0
    assert [line for line in result.err.splitlines() if "words" in line] == [
        f"warning no_words: {says}"
    ]


@pytest.mark.parametrize(
    ("outputs", "line"),
    [
        ([{}, {}], "2 of 2 results are empty: the model returned no fields"),
        ([{}], "1 of 1 result is empty: the model returned no fields"),
        ([{"score": 1}, {}], "1 of 2 results are empty: the model returned no fields"),
        ([{"score": 0}, {"text": ""}], None),
    ],
)
async def test_empty_results_are_told_once(
    serve_script: ServeScript,
    run_command: RunCommand,
    speech: Path,
    outputs: list[dict[str, object]],
    line: str | None,
) -> None:
    async def answer(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        for number, output in enumerate(outputs):
            await peer.segment(number / 4, (number + 1) / 4, **output)
        await peer.finish()

    server = await serve_script(answer)
    result = await run_command(speech, "-a", server.url)
    assert result.code == 0
    assert [found for found in result.err.splitlines() if "empty" in found] == [line][: bool(line)]


async def test_verbose_shows_speech_boundaries_on_stderr(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    server = await serve_script(talk)
    result = await run_command("-i", speech, "-a", server.url, "-v")
    assert "active time=0.05 channel=0\n" in result.err
    assert "inactive time=0.2 channel=0\n" in result.err
    assert "active" not in result.out


async def test_jsonl_is_every_message_exactly(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.send_raw('{"type":"segment",  "channel":0, "x":1.10, "text":"é \\u2028 𝄞"}')
        await peer.send_raw('{"type":"from_the_future","big":123456789012345678901234567890}')
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--output", "jsonl", LC_ALL="C")
    assert result.code == 0
    assert result.out == "".join(message + "\n" for message in server.peer.sent)


async def test_each_jsonl_line_is_written_at_once(
    serve_script: ServeScript, start_command: StartCommand, speech: Path
) -> None:
    seen = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await seen.wait()
        await peer.finish()

    server = await serve_script(script)
    command = await start_command("-i", speech, "-a", server.url, "--output", "jsonl")
    assert command.process.stdout is not None
    assert json.loads(await command.process.stdout.readline())["type"] == "started"
    seen.set()
    assert (await command.result()).code == 0


@pytest.mark.parametrize(
    ("output", "written"),
    [
        (
            "srt",
            "1\n00:00:00,000 --> 00:00:00,250\n[channel 1] hello <there>\n\n"
            "2\n00:00:00,250 --> 00:00:00,500\n[channel 2] grüße\n\n",
        ),
        (
            "vtt",
            "WEBVTT\n\n00:00:00.000 --> 00:00:00.250\n<v channel 1>hello &lt;there&gt;\n\n"
            "00:00:00.250 --> 00:00:00.500\n<v channel 2>grüße\n\n",
        ),
    ],
)
async def test_subtitles_of_two_channels_into_a_file(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path, output: str, written: str
) -> None:
    server = await serve_script(talk)
    stereo, subtitles = tmp_path / "stereo.wav", tmp_path / "out"
    soundfile.write(stereo, np.zeros((4000, 2), np.int16), 8000)
    result = await run_command("-i", stereo, "-a", server.url, "--output", output, "-o", subtitles)
    assert (result.code, result.out) == (0, "")
    assert subtitles.read_text("utf-8") == written


async def test_subtitles_are_in_order_of_time_whatever_comes_first(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path
) -> None:
    """And a long segment is several cues, between which the other channel may speak."""

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await peer.send("active", time=0.1, channel=0)
        await peer.send("active", time=2.0, channel=1)
        await peer.segment(2.0, 3.0, text="Really?", channel=1)
        await peer.segment(0.0, 4.0, text="This is how it all began. And it goes on.", channel=0)
        await peer.finish()

    server = await serve_script(script)
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.zeros((4000, 2), np.int16), 8000)
    result = await run_command("-i", stereo, "-a", server.url, "--output", "srt")
    assert (result.code, result.out) == (
        0,
        "1\n00:00:00,000 --> 00:00:02,537\n[channel 1] This is how it all began.\n\n"
        "2\n00:00:02,000 --> 00:00:03,000\n[channel 2] Really?\n\n"
        "3\n00:00:02,537 --> 00:00:04,000\n[channel 1] And it goes on.\n\n",
    )


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.srt", "1\n00:00:00,000 -->"),
        ("a.VTT", "WEBVTT\n"),
        ("a.jsonl", '{"type":'),
        ("a.txt", "[00:00.0 → "),
        ("a", "[00:00.0 → "),
    ],
)
async def test_the_name_of_the_file_is_its_format(
    serve_script: ServeScript, run_command: RunCommand, speech: Path, tmp_path: Path,
    name: str, begins: str,
) -> None:  # fmt: skip
    server = await serve_script(talk)
    result = await run_command(speech, "-a", server.url, "-o", tmp_path / name)
    assert (result.code, result.out) == (0, "")
    written = (tmp_path / name).read_text("utf-8").replace('{"session', '{"type')
    assert written.startswith(begins) or json.loads(written.splitlines()[0])["type"] == "started"


async def test_an_option_counts_more_than_the_name(
    serve_script: ServeScript, run_command: RunCommand, speech: Path, tmp_path: Path
) -> None:
    server = await serve_script(talk)
    for name in ("a.srt", "a.out"):
        await run_command(speech, "-a", server.url, "-o", tmp_path / name, "--output", "vtt")
        assert (tmp_path / name).read_text("utf-8").startswith("WEBVTT")


async def test_json_is_one_document(
    serve_script: ServeScript, run_command: RunCommand, speech: Path, tmp_path: Path
) -> None:
    server = await serve_script(talk)
    await run_command(speech, "-a", server.url, "-o", tmp_path / "a.json")
    events = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert [event["type"] for event in events][:2] == ["started", "active"]
    assert events[-1]["type"] == "stopped"


async def test_scores_of_a_classifier(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await peer.segment(0.0, 0.5, arousal=0.25, valence=1)
        await peer.finish()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url)
    assert result.out == "[00:00.0 → 00:00.5] arousal=0.25 valence=1\n"


async def test_everything_that_can_be_asked_for(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    server = await serve_script(talk)
    flags = ["--interim-results", "--eager", "--model", "m", "--vad", "threshold=0.6"]
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    result = await run_command(
        "-i", speech, "-a", server.url, "--chunk-size", "999", "--trace-id", trace, *flags,
        "--vad", "min_silence_ms=300",
        STREAMER_TOKEN="from-the-environment",
    )  # fmt: skip
    assert result.code == 0
    start = server.peer.start
    assert start["interim_results"] is True
    assert start["eager"] is True
    assert start["model"] == "m"
    assert start["vad"] == {"threshold": 0.6, "min_silence_ms": 300}
    assert start["trace_id"] == trace
    assert set(server.peer.messages[:-1]) == {999}
    assert bytes(server.peer.audio) == SPEECH
    assert server.peer.headers["Authorization"] == "Bearer from-the-environment"


async def test_raw_pcm_on_stdin(serve_script: ServeScript, run_command: RunCommand) -> None:
    server = await serve_script(talk)
    flags = ["-i", "-", "--rate", "8000", "--channels", "2", "--bit-depth", "32", "--float"]
    audio = os.urandom(100_003)
    result = await run_command(*flags, "-a", server.url, stdin=audio)
    assert result.code == 0
    assert bytes(server.peer.audio) == audio
    assert server.peer.start["format"] == {
        "channels": 2,
        "sample_rate": 8000,
        "bit_depth": 32,
        "is_float": True,
    }


async def test_live_stdin_is_sent_as_it_comes(
    serve_script: ServeScript, start_command: StartCommand
) -> None:
    server = await serve_script(talk)
    command = await start_command("-i", "-", "-a", server.url)
    stdin = command.process.stdin
    assert stdin is not None
    stdin.write(b"ab")
    assert command.process.stdout is not None
    assert await command.process.stdout.readline() == "[00:00.0 → 00:00.1 …] hel\n".encode()
    assert server.peer.audio == b"ab"
    assert (await command.result(b"cd")).code == 0
    assert server.peer.audio == b"abcd"


async def test_real_time_takes_as_long_as_the_audio(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()

    async def script(peer: Peer) -> None:
        await peer.begin()
        times.append(loop.time())
        await peer.read_to_stop()
        times.append(loop.time())
        await peer.finish()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--real-time")
    assert result.code == 0
    assert times[1] - times[0] >= 0.49
    assert set(server.peer.messages) == {640}
    assert bytes(server.peer.audio) == SPEECH


@pytest.mark.parametrize("piped", [False, True])
async def test_what_is_sent_at_once_is_not_slowed_down_for_its_many_messages(
    launch: Launch, run_command: RunCommand, tmp_path: Path, piped: bool
) -> None:
    """Ten times the 20 s that messages of 20 ms would be let through with at once."""
    server = launch({"model": {"type": "standin"}})
    url = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
    audio, path = np.zeros(200 * 16_000, np.int16), tmp_path / "long.wav"
    soundfile.write(path, audio, 16_000)
    source, stdin = ("-", audio.tobytes()) if piped else (path, None)
    result = await run_command("-i", source, "-a", url, "--output", "jsonl", stdin=stdin)
    assert result.code == 0
    assert [json.loads(line)["type"] for line in result.out.splitlines()] == ["started", "stopped"]


async def test_a_long_file_is_received_while_it_is_sent(
    serve_script: ServeScript, run_command: RunCommand, tmp_path: Path
) -> None:
    """The server answers every second of audio before it reads the next."""

    async def script(peer: Peer) -> None:
        await peer.begin()
        for second in range(600):
            await peer.read_audio((second + 1) * 32_000)
            await peer.segment(second, second + 1, text="x" * 500)
        await peer.read_to_stop()
        await peer.finish()

    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(600 * 16_000, np.int16), 16_000)
    server = await serve_script(script)
    result = await run_command("-i", path, "-a", server.url)
    assert result.code == 0
    assert result.out.count("\n") == 600
    assert len(server.peer.audio) == 600 * 32_000


async def test_ctrl_c_stops_in_order(
    serve_script: ServeScript, start_command: StartCommand, tmp_path: Path
) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(600 * 16_000, np.int16), 16_000)
    server = await serve_script(talk)
    command = await start_command("-i", path, "-a", server.url, "--real-time")
    await server.arrived.wait()
    await server.peer.heard.wait()
    command.interrupt()
    result = await command.result()
    assert result.code == 130
    assert server.peer.requests == ["stop"]
    assert "grüße" in result.out
    assert result.last_line == "streamer-client: interrupted"
    assert ", 2 segments, " in result.err


async def test_a_second_ctrl_c_does_not_wait_for_the_server(
    serve_script: ServeScript, start_command: StartCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await peer.connection.wait_closed()

    server = await serve_script(script)
    command = await start_command("-i", speech, "-a", server.url)
    await server.arrived.wait()
    await server.peer.stop_heard.wait()
    command.interrupt()
    result = await command.result()
    assert (result.code, result.last_line) == (130, "streamer-client: interrupted")


async def test_ctrl_c_while_connecting(start_command: StartCommand, speech: Path) -> None:
    connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        command = await start_command("-i", speech, "-a", f"ws://127.0.0.1:{port}/")
        await connected.wait()
        command.interrupt()
        result = await command.result()
    assert (result.code, result.err) == (130, "streamer-client: interrupted\n")


async def test_a_terminal_shows_interims_in_grey_and_a_bar(
    serve_script: ServeScript, start_command: StartCommand, speech: Path
) -> None:
    interim_shown = asyncio.Event()
    waiting_shown = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_to_stop()
        await peer.send("interim", start_time=0.0, end_time=0.1, channel=0, text="hel")
        await interim_shown.wait()
        await peer.segment(0.0, 0.5, text="hello \x1b[31m[bold]")
        await waiting_shown.wait()
        await peer.finish()

    server = await serve_script(script)
    terminal, other_end = os.openpty()
    command = await start_command(
        "-i", speech, "-a", server.url, "--interim-results",
        stdout=other_end, stderr=other_end, TERM="xterm-256color", COLUMNS="100",
    )  # fmt: skip
    os.close(other_end)
    screen = ""
    try:
        # Linux reports the end of a terminal as an input/output error.
        with suppress(OSError):
            while written := await asyncio.to_thread(os.read, terminal, 10_000):
                screen += written.decode(errors="replace")
                if "\x1b[90m[00:00.0 → 00:00.1 …] hel" in screen:
                    interim_shown.set()
                if "sent, waiting for the rest" in screen and "[bold]" in screen:
                    waiting_shown.set()
    finally:
        os.close(terminal)
    assert (await command.result()).code == 0
    assert "\x1b[36m[00:00.0 → 00:00.5]\x1b[0m hello  [31m[bold]\r\n" in screen
    after_the_final = screen[screen.index("[bold]") :]
    assert "hel" not in after_the_final
    assert "1 segment, trace" in after_the_final


async def test_a_terminal_shows_uncertain_words_dimmed(
    serve_script: ServeScript, start_command: StartCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin(words=True)
        await peer.read_to_stop()
        words = [
            {"text": text, "start_time": 0.0, "end_time": 0.1, "confidence": confidence}
            for text, confidence in (("of", 0.99), ("foolishnesh,", 0.31), ("it", 0.5))
        ]
        await peer.segment(0.0, 0.5, text="of foolishnesh, it", words=words)
        await peer.finish()

    server = await serve_script(script)
    terminal, other_end = os.openpty()
    command = await start_command(
        "-i", speech, "-a", server.url, "--words",
        stdout=other_end, stderr=other_end, TERM="xterm-256color", COLUMNS="100",
    )  # fmt: skip
    os.close(other_end)
    screen = ""
    try:
        with suppress(OSError):
            while written := await asyncio.to_thread(os.read, terminal, 10_000):
                screen += written.decode(errors="replace")
    finally:
        os.close(terminal)
    assert (await command.result()).code == 0
    assert server.peer.start["words"] is True
    assert "of \x1b[2mfoolishnesh,\x1b[0m it\r\n" in screen


@pytest.mark.parametrize(
    ("flags", "asked", "warned"),
    [
        (["--words"], True, True),
        (["--output", "srt"], True, False),
        (["--output", "vtt", "--words"], True, True),
        ([], None, False),
    ],
)
async def test_words_are_asked_for_by_people_and_for_subtitles(
    serve_script: ServeScript, run_command: RunCommand, speech: Path,
    flags: list[str], asked: bool | None, warned: bool,
) -> None:  # fmt: skip
    """That the model has none is only news for who has asked for them."""

    async def script(peer: Peer) -> None:
        await peer.begin(words=False)
        await peer.send("warning", code="no_words", message="the model gives no times of words")
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, *flags)
    assert result.code == 0
    assert server.peer.start.get("words") is asked
    assert ("gives no times of words" in result.err) is warned


async def test_subtitles_begin_with_their_words(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin(words=True)
        await peer.read_to_stop()
        words = [
            {"text": text, "start_time": start, "end_time": start + 0.25, "confidence": 1.0}
            for text, start in (
                ("This", 1.0),
                ("is", 1.25),
                ("it.", 1.5),
                ("And", 4.0),
                ("on.", 4.5),
            )
        ]
        await peer.segment(0.5, 6.0, text="This is it. And on.", words=words)
        await peer.finish()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--output", "srt")
    assert result.out == (
        "1\n00:00:01,000 --> 00:00:02,250\nThis is it.\n\n"
        "2\n00:00:04,000 --> 00:00:05,250\nAnd on.\n\n"
    )


async def test_a_reader_that_has_enough_ends_it_quietly(
    serve_script: ServeScript, start_command: StartCommand, speech: Path
) -> None:
    reader, writer = os.pipe()

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        os.close(reader)
        await peer.segment(0.0, 0.1, text="into the void")
        await peer.connection.wait_closed()

    server = await serve_script(script)
    command = await start_command("-i", speech, "-a", server.url, stdout=writer)
    os.close(writer)
    result = await command.result()
    assert result.code == 0
    assert result.err == ""


async def test_the_microphone_until_ctrl_c(
    serve_script: ServeScript, start_command: StartCommand, fake_microphone: FakeMicrophone
) -> None:
    server = await serve_script(talk)
    command = await start_command("--mic", "-a", server.url, modules=fake_microphone())
    await server.arrived.wait()
    await server.peer.heard.wait()
    command.interrupt()
    result = await command.result()
    assert result.code == 0
    assert set(server.peer.audio) == {ord("m")}
    assert "grüße" in result.out


async def test_help_and_version(run_command: RunCommand) -> None:
    shown = await run_command("--help")
    assert (shown.code, shown.err) == (0, "")
    assert "--interim-results" in shown.out
    assert (await run_command("--version")).out.startswith("streamer-client ")


async def test_the_load_generator_is_a_command_of_the_server(run_command: RunCommand) -> None:
    result = await run_command("load", "--audio", "speech.wav")
    assert (result.code, result.out) == (2, "")
    assert result.err == "streamer-client: this command is now `streamer load`\n"
