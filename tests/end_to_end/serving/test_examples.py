"""The models of `docs/your-own-model.md`, served as it says."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.process import Server
from tools.harness.sounds import beckett, encode
from tools.harness.streams import Event, client, events_of, stream_audio

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
    ("command", "says"),
    [
        ("transcribe.py /no/such.wav", "transcribe.py: /no/such.wav does not exist"),
        (f"transcribe.py {RECORDING} ws://127.0.0.1:1/api/v1/segmented", "127.0.0.1:1"),
        (f"transcribe.py {RECORDING} 127.0.0.1:1", "transcribe.py: "),
        ("live.py ws://127.0.0.1:1/api/v1/segmented", "127.0.0.1:1"),
        ("openai_transcribe.py", "usage: openai_transcribe.py RECORDING"),
        ("openai_transcribe.py /no/such.wav", "No such file or directory"),
        (f"openai_transcribe.py {EXAMPLES}/transcribe.py", "openai_transcribe.py: Connection"),
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
