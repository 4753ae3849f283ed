"""Deepgram's own packages, unchanged but for the address, get the words of our own protocol."""

import re
import subprocess
from pathlib import Path

import pytest

from streamer.weights.manifest import require
from tests.end_to_end.clients.deepgram_socket import transcript
from tests.end_to_end.clients.programs import node_program, python, python_program, run
from tools.harness.process import Server
from tools.harness.sounds import BECKETT, beckett, word_error_rate
from tools.harness.streams import stream_audio
from tools.harness.streams import transcript as our_transcript

ROOT = Path(__file__).parents[3]
RECORDING = require("moonshine-tiny-en") / "beckett.wav"

MOST_ERRORS = 0.35
"""Share of the words."""

NEWEST = ("deepgram-sdk-7", "deepgram")
"""The environment, and the module by which the tests' own is recognized."""


def live(name: str) -> list[str]:
    if name == "node":
        return node_program("deepgram_live.cjs")
    if name == "4":
        return python_program(python("deepgram-sdk-4"), "deepgram_live_4.py")
    interpreter = python(*NEWEST) if name == "newest" else python("deepgram-sdk-5")
    return python_program(interpreter, "deepgram_live.py")


@pytest.mark.parametrize("name", ["newest", "5", "4", "node"])
async def test_live(transcriber: Server, name: str) -> None:
    wanted = ("punctuate=true", "interim_results=true", "vad_events=true", "utterance_end_ms=1000")
    messages = run(live(name), transcriber, RECORDING, *wanted)
    events = await stream_audio(transcriber, beckett())
    assert transcript(messages) == our_transcript(events)
    kinds = [message["type"] for message in messages]
    assert {"Results", "SpeechStarted", "UtteranceEnd"} <= set(kinds)
    if name != "4":  # which stops reading before that
        assert kinds[-1] == "Metadata"
    for message in messages:
        if message["type"] == "Results":
            (said,) = message["channel"]["alternatives"]
            assert None not in (said["transcript"], said["confidence"], said["words"])
            assert message["metadata"]["model_info"]["arch"] == "moonshine"


def test_the_example_of_the_documentation(transcriber: Server) -> None:
    script = ROOT / "docs/examples/deepgram_live.py"
    command = [python(*NEWEST), str(script), str(RECORDING)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{transcriber.port}"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = " ".join(done.stdout.split())
    assert word_error_rate(BECKETT, said) < MOST_ERRORS
    assert said.startswith("Ever tried.")


@pytest.mark.parametrize("name", ["newest", "5"])
async def test_a_recording_in_one_request(transcriber: Server, name: str) -> None:
    """With a key, and with a token that the key has bought."""
    interpreter = python(*NEWEST) if name == "newest" else python("deepgram-sdk-5")
    command = python_program(interpreter, "deepgram_file.py")
    bought, by_key, by_token = run(command, transcriber, RECORDING, "smart_format=true")
    assert bought == {"expires_in": 60}
    events = await stream_audio(transcriber, beckett())
    for answer in (by_key, by_token):
        (channel,) = answer["results"]["channels"]
        assert channel["alternatives"][0]["transcript"] == our_transcript(events)


async def test_the_vercel_ai_sdk(transcriber: Server) -> None:
    """Its address is fixed, so it gets a `fetch` of one's own, as the page says."""
    page = (ROOT / "docs/clients.md").read_text()
    assert '.replace("https://api.deepgram.com", "http://HOST")' in page
    (answer,) = run(node_program("deepgram_vercel.cjs"), transcriber, RECORDING)
    events = await stream_audio(transcriber, beckett())
    assert answer["text"] == our_transcript(events)
    assert answer["durationInSeconds"] == round(beckett().seconds, 3)
    assert [part["text"] for part in answer["segments"]][:2] == ["ever", "tried"]


def test_the_command_of_the_page(transcriber: Server) -> None:
    page = (ROOT / "docs/clients.md").read_text()
    ((command, shown),) = re.findall(r"^\$ (curl .*/v1/listen.*)\n(.*)…", page, re.MULTILINE)
    command = command.replace("localhost:8080", f"127.0.0.1:{transcriber.port}")
    printed = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert printed.stdout.startswith(shown)


async def test_flux(transcriber: Server) -> None:
    """The same text, in turns; with an end of each turn that may be taken back, if asked for."""
    command = python_program(python(*NEWEST), "deepgram_flux.py")
    connected, *turns = run(command, transcriber, RECORDING, "eager_eot_threshold=0.4")
    assert connected["type"] == "Connected"
    assert [turn["sequence_id"] for turn in turns] == [*range(1, len(turns) + 1)]
    events = await stream_audio(transcriber, beckett())
    ends = [turn for turn in turns if turn["event"] == "EndOfTurn"]
    assert " ".join(turn["transcript"] for turn in ends) == our_transcript(events)
    assert [turn["turn_index"] for turn in ends] == [*range(len(ends))]
    assert {turn["trigger"] for turn in ends} == {"model"}
    for eager in (turn for turn in turns if turn["event"] == "EagerEndOfTurn"):
        following = turns[eager["sequence_id"]]
        assert following["event"] in ("EndOfTurn", "TurnResumed")
        assert following["transcript"] == eager["transcript"]
