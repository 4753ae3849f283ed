"""Recorded speech in, its words out: however it is sent, and in whatever format."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from streamer.weights.manifest import require
from tests.end_to_end.conftest import Launch
from tools.harness.json_socket import Event
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import (
    BECKETT,
    TWO_CITIES,
    beckett,
    encode,
    recording,
    two_cities,
    two_cities_by_telephone,
    word_error_rate,
)
from tools.harness.streams import check_stream, events_of, findings, stream_audio, transcript

ALLOWED = 0.15
ALLOWED_OF_BECKETT = 2 / 12
"""Two of its twelve words: cut at its pauses, "fail" alone is heard as "fare" or "fell"."""


async def test_a_recording_at_48_khz_gives_its_words(transcriber: Server) -> None:
    events = await stream_audio(transcriber, two_cities())
    assert word_error_rate(TWO_CITIES, transcript(events)) <= ALLOWED


async def test_a_recording_at_16_khz_gives_its_words(transcriber: Server) -> None:
    events = await stream_audio(transcriber, beckett())
    assert word_error_rate(BECKETT, transcript(events)) <= ALLOWED_OF_BECKETT
    assert len(events_of(events, "segment")) == 6


async def test_a_telephone_recording_gives_its_words(transcriber: Server) -> None:
    events = await stream_audio(transcriber, two_cities_by_telephone())
    assert word_error_rate(TWO_CITIES, transcript(events)) <= ALLOWED


async def test_the_webrtc_engine_gives_its_words(launch: Launch) -> None:
    server = launch({"vad": {"engine": "webrtc"}})
    events = await stream_audio(server, two_cities())
    assert events[0]["vad"]["engine"] == "webrtc"
    assert word_error_rate(TWO_CITIES, transcript(events)) <= 0.25


async def test_two_channels_are_heard_apart(transcriber: Server) -> None:
    samples, rate = recording("two_cities.wav")
    delayed = np.concatenate([np.zeros(rate), samples])
    stereo = encode(np.stack([np.append(samples, np.zeros(rate)), delayed], axis=1), rate)
    events = await stream_audio(transcriber, stereo)
    for channel in (0, 1):
        assert word_error_rate(TWO_CITIES, transcript(events, channel)) <= ALLOWED
    begins = [events_of(events, "active", channel=channel)[0]["time"] for channel in (0, 1)]
    assert begins[1] - begins[0] == pytest.approx(1, abs=0.1)


async def test_messages_of_seven_bytes_change_nothing(launch: Launch) -> None:
    server = launch(env={"STREAMER_LIMITS__MAX_MESSAGES_PER_SECOND": "0"})
    whole = await stream_audio(server, two_cities())
    assert findings(await stream_audio(server, two_cities(), sizes=(7,))) == findings(whole)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_cuts_change_nothing(transcriber: Server, seed: int) -> None:
    whole = await stream_audio(transcriber, two_cities())
    chance = random.Random(seed)
    sizes = [round(2 ** chance.uniform(0, 18)) for _ in range(500)]
    assert findings(await stream_audio(transcriber, two_cities(), sizes=sizes)) == findings(whole)


async def test_the_command_in_real_time_gives_its_words(transcriber: Server) -> None:
    sample = require("moonshine-tiny-en") / "beckett.wav"
    started_s = time.monotonic()
    events = _listen(transcriber, sample, "--real-time", "--interim-results", "--words")
    assert time.monotonic() - started_s >= beckett().seconds
    check_stream(events)
    assert word_error_rate(BECKETT, transcript(events)) <= ALLOWED_OF_BECKETT
    assert len(events_of(events, "interim")) >= 3
    assert not any("words" in event for event in events_of(events, "interim"))
    assert findings(events) == findings(await stream_audio(transcriber, beckett(), words=True))


async def test_the_command_gives_what_the_socket_gives(transcriber: Server) -> None:
    events = _listen(transcriber, require("moonshine-tiny-en") / "two_cities.wav")
    assert findings(events) == findings(await stream_audio(transcriber, two_cities()))


def _listen(server: Server, sample: Path, *flags: str) -> list[Event]:
    """What the `streamer-client` command prints as JSON lines."""
    command = Path(sys.executable).with_name("streamer-client")
    url = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
    run = subprocess.run(
        [str(command), "-i", str(sample), "-a", url, "--output", "jsonl", *flags],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]
