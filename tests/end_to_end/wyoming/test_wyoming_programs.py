"""The wyoming package, unchanged, replays what Home Assistant does."""

import json
import subprocess
from pathlib import Path
from typing import Any

from streamer.weights.manifest import require
from tests.end_to_end.clients.programs import python
from tests.end_to_end.conftest import Launch
from tests.end_to_end.wyoming.wyoming_socket import port_of, with_port
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import beckett
from tools.harness.streams import events_of, stream_audio, transcript

RECORDING = require("moonshine-tiny-en") / "beckett.wav"
PROGRAM = Path(__file__).parent / "home_assistant.py"


def home_assistant(server: Server, *options: str) -> list[dict[str, Any]]:
    """The events that it gets."""
    where = ["127.0.0.1", str(port_of(server)), str(RECORDING)]
    done = subprocess.run(
        [python("wyoming"), str(PROGRAM), *where, *options],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_home_assistant_ends_the_command(launch: Launch) -> None:
    """All versions do so, unless the server says that it does."""
    server = launch(with_port({}))
    info, pong, *answer = home_assistant(server, "language=en")
    (program,) = info["asr"]
    assert program["requires_external_vad"]
    assert [model["languages"] for model in program["models"]] == [["en"]]
    assert pong == {"type": "pong", "text": "there?"}
    events = await stream_audio(server, beckett())
    kinds = [event["type"] for event in answer]
    texts = [kind for kind in kinds if not kind.startswith("voice-")]
    assert texts == ["transcript-start", *["transcript-chunk"] * 6, "transcript"]
    assert kinds.count("voice-started") == kinds.count("voice-stopped") == 6
    assert answer[-1] == {"type": "transcript", "text": transcript(events), "language": "en"}


async def test_the_server_ends_the_command(launch: Launch) -> None:
    """From 2026.11 on: the first words that silence follows are the command."""
    server = launch(with_port({}, ends_commands=True))
    info, _, *answer = home_assistant(server, "language=en", "live")
    assert not info["asr"][0]["requires_external_vad"]
    first, *_ = events_of(await stream_audio(server, beckett()), "segment")
    assert answer[-1] == {"type": "transcript", "text": first["text"], "language": "en"}
    wait_until(lambda: '"dialect": "wyoming"' in server.log(), "its stream is reported")
    assert "broken off" not in server.log()
