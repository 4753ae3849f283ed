"""The models of `docs/your-own-model.md`, served as it says."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest
import soundfile

from tests.docs.test_docs import blocks
from tests.end_to_end.conftest import Launch
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import beckett, encode, recording
from tools.harness.streams import client, events_of, stream_audio

EXAMPLES = Path(__file__).parents[3] / "docs/examples"
RECORDING = Path(__file__).parents[3] / "models/moonshine-tiny-en/beckett.wav"
RATE = 16_000


def serve(launch: Launch, example: str) -> Server:
    return launch(None, "--config", str(EXAMPLES / example / "config.json"))


def tone(hertz: float, seconds: float, amplitude: float = 0.3) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def check_shares(segment: Event) -> None:
    shares = [segment["low"], segment["middle"], segment["high"]]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert min(shares) >= 0


async def test_the_classifier_scores_each_chunk(launch: Launch) -> None:
    server = serve(launch, "bands")
    sound = np.concatenate([tone(200, 1), tone(1_000, 1), tone(4_000, 1.55)])
    events = await stream_audio(server, encode(sound, RATE, 16), "simple")
    assert (events[0]["model"], events[0]["sample_rate"]) == ("bands", RATE)
    segments = events_of(events, "segment")
    best = [max(("low", "middle", "high"), key=segment.__getitem__) for segment in segments]
    assert best == ["low", "middle", "high", "high"]
    for segment in segments:
        check_shares(segment)


async def test_the_classifier_scores_each_segment_and_what_interims_there_are(
    launch: Launch,
) -> None:
    server = serve(launch, "bands")
    events = await stream_audio(server, beckett(), interim_results=True)
    assert len(events_of(events, "segment")) > 1
    for event in events_of(events, "segment", "interim"):
        check_shares(event)
    assert events_of(events, "error") == []


async def test_the_class_says_how_loud_it_is(launch: Launch) -> None:
    server = serve(launch, "loudness")
    sound = np.concatenate([tone(200, 1, 0.5), tone(200, 1, 0.05)])
    loud, quiet = events_of(
        await stream_audio(server, encode(sound, RATE, 16), "simple"), "segment"
    )
    assert (loud["dbfs"], loud["loud"]) == (-9.0, True)
    assert (quiet["dbfs"], quiet["loud"]) == (-29.0, False)


async def test_the_class_for_alarms_finds_its_tone_and_no_other_sound(launch: Launch) -> None:
    server = serve(launch, "alarm")
    rng = np.random.default_rng(0)
    speech, _ = recording("beckett.wav")
    beep = tone(3_000, 0.15, 0.1)
    noise = rng.normal(0, 0.01, RATE)
    short = np.concatenate([np.zeros(RATE // 2), beep, np.zeros(RATE // 2 - len(beep))])
    sounds = [
        np.zeros(RATE),
        speech[:RATE],
        tone(3_000, 1, 0.1) + noise,
        tone(1_000, 1),
        noise,
        short + noise,
        tone(3_000, 1, 1e-4),  # too quiet
        tone(3_000, 0.06),  # less than a window
    ]
    audio = encode(np.concatenate(sounds), RATE, 16)
    segments = events_of(await stream_audio(server, audio, "simple"), "segment")
    assert [segment["alarm"] > 0.5 for segment in segments] == [
        *(False, False, True, False),
        *(False, True, False, True),
    ]
    assert all(0 <= segment["alarm"] <= 1 for segment in segments)


async def test_the_class_with_words_has_them_in_the_time_of_the_stream(launch: Launch) -> None:
    server = serve(launch, "counting")
    audio = encode(np.tile(tone(200, 1, 0.5), 5), RATE, 16)
    asked, plain = [
        events_of(await stream_audio(server, audio, "simple", words=words), "segment")
        for words in (True, False)
    ]
    assert [segment["text"] for segment in asked] == ["1"] * 5
    for second, segment in enumerate(asked):
        (word,) = segment["words"]
        expected = {"text": "1", "start_time": second, "end_time": second + 1, "confidence": 1}
        assert word == expected
    assert not any("words" in segment for segment in plain)


async def test_the_stateful_model_remembers_its_channel_and_no_other(launch: Launch) -> None:
    server = serve(launch, "onset")
    left = np.concatenate([tone(200, 1, 0.05), tone(200, 1, 0.5), tone(200, 1, 0.5)])
    right = tone(200, 3, 0.1)
    audio = encode(np.stack([left, right], axis=1), RATE, 16)
    async with client(server, "simple") as socket:
        for _ in range(2):  # a second stream starts afresh
            await socket.start(audio)
            await socket.send(audio.data)
            await socket.send_request("stop")
            events = await socket.events_until("stopped")
            rises = [e["above_usual_db"] for e in events_of(events, "segment", channel=0)]
            # The usual level moves a fifth of the way to each segment's.
            assert rises == [0.0, 20.0, 16.0]
            assert [e["above_usual_db"] for e in events_of(events, "segment", channel=1)] == [
                0.0
            ] * 3


def test_the_first_lines_of_the_page_about_python_print_scores(
    launch: Launch, tmp_path: Path
) -> None:
    server = serve(launch, "alarm")
    shown, *_ = blocks(EXAMPLES.parent / "python.md", "text")
    sound = np.concatenate([tone(3_000, 1, 0.1), tone(1_000, 1)])
    soundfile.write(tmp_path / "alarm.wav", sound, RATE)
    code = shown.replace("localhost:8080", f"127.0.0.1:{server.port}")
    script = (
        "import asyncio\nfrom streamer_client import transcribe\n"
        f"async def main():\n{indent(code, '    ')}\nasyncio.run(main())\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    scores = [float(line.split()[1]) for line in run.stdout.splitlines()]
    assert [score > 0.5 for score in scores] == [True, False]


@pytest.mark.parametrize("script", ["transcribe.py", "live.py"])
def test_the_scripts_print_what_is_said(launch: Launch, script: str) -> None:
    address = f"ws://127.0.0.1:{launch({}).port}/api/v1/segmented"
    arguments = [RECORDING, address] if script == "transcribe.py" else [address]
    run = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        input=beckett().data,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"Ever tried." in run.stdout
    assert not run.stderr


@pytest.mark.parametrize(
    "command", ["transcribe.py FILE ADDRESS", "live.py ADDRESS", "openai_transcribe.py FILE"]
)
def test_a_reader_that_has_enough_ends_a_script_quietly(transcriber: Server, command: str) -> None:
    address = f"ws://127.0.0.1:{transcriber.port}/api/v1/segmented"
    script, *arguments = (
        command.replace("FILE", str(RECORDING)).replace("ADDRESS", address).split(" ")
    )
    reader, writer = os.pipe()
    os.close(reader)
    here = {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{transcriber.port}/v1",
        "OPENAI_API_KEY": "none",
    }
    run = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        input=beckett().data,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        env=os.environ | here,
        check=False,
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, b"")


SCRIPTS_WITH_PACKAGE = ["openai_transcribe.py", "openai_realtime.py", "deepgram_live.py"]


@pytest.mark.parametrize("script", SCRIPTS_WITH_PACKAGE)
def test_a_script_names_the_package_that_is_missing(tmp_path: Path, script: str) -> None:
    module, package = ("deepgram", "deepgram-sdk") if "deepgram" in script else ("openai", "openai")
    (tmp_path / f"{module}.py").write_text("raise ModuleNotFoundError('there is no such module')")
    run = subprocess.run(
        [sys.executable, EXAMPLES / script, str(RECORDING)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"this script needs {package}: {sys.executable} -m pip install ")
    assert run.stderr.count("\n") == 1
    page = "docs/http.md" if "transcribe" in script else "docs/clients.md"
    command = ".venv/bin/python" + run.stderr.partition(sys.executable)[2].strip("\n")
    assert f"`{command}`" in (EXAMPLES.parents[1] / page).read_text()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("transcribe.py /no/such.wav", "transcribe.py: /no/such.wav does not exist"),
        (f"transcribe.py {RECORDING} ws://127.0.0.1:1/api/v1/segmented", "127.0.0.1:1"),
        (f"transcribe.py {RECORDING} 127.0.0.1:1", "transcribe.py: "),
        ("live.py ws://127.0.0.1:1/api/v1/segmented", "127.0.0.1:1"),
        ("openai_transcribe.py", "usage: openai_transcribe.py RECORDING"),
        ("openai_transcribe.py /no/such.wav", "/no/such.wav is not a file; give a recording"),
        (f"openai_transcribe.py {EXAMPLES}/transcribe.py", "openai_transcribe.py: Connection"),
        ("openai_realtime.py", "usage: openai_realtime.py RECORDING.WAV"),
        ("openai_realtime.py /no/such.wav", "No such file or directory"),
        (f"openai_realtime.py {EXAMPLES}/transcribe.py", "openai_realtime.py: "),
        (f"openai_realtime.py {RECORDING}", "openai_realtime.py: "),
        ("deepgram_live.py", "usage: deepgram_live.py RECORDING.WAV [SERVER]"),
        ("deepgram_live.py /no/such.wav", "deepgram_live.py: [Errno 2] No such file or directory"),
        (f"deepgram_live.py {EXAMPLES}/transcribe.py", "deepgram_live.py: file does not start"),
        (f"deepgram_live.py {RECORDING} http://127.0.0.1:1", "deepgram_live.py: "),
        (f"deepgram_live.py {RECORDING} nonsense", "deepgram_live.py: nonsense/v1/listen"),
    ],
)
def test_a_usual_mistake_is_one_line(command: str, says: str) -> None:
    script, *arguments = command.split()
    nowhere = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OPENAI_API_KEY": "none"}
    run = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | nowhere,
    )
    assert run.returncode == 1
    assert says in run.stderr
    assert run.stderr.count("\n") == 1
