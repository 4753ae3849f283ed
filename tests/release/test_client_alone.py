"""The client's own distribution, in an environment with nothing else."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.recordings.makers import encoded, faststart
from tools.harness.process import TIMEOUT_S, Server
from tools.release.client_size import MOST_MB
from tools.release.environment import OWN, make_environment, megabytes

RATE = 16_000
SECONDS = 2


@pytest.fixture(scope="module")
def environment(client_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the environment."""
    folder = tmp_path_factory.mktemp("client") / "environment"
    make_environment(folder, [str(client_wheel)])
    return folder


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tone in several formats."""
    folder = tmp_path_factory.mktemp("recordings")
    tone = (np.sin(np.arange(RATE * SECONDS) * 0.2)[np.newaxis] / 4).astype(np.float32)
    for name, container, codec in (
        ("tone.wav", "wav", "pcm_s16le"),
        ("tone.flac", "flac", "flac"),
        ("tone.mp3", "mp3", "libmp3lame"),
        ("last.m4a", "mp4", "aac"),
        ("tone.aiff", "aiff", "pcm_s16be"),
    ):
        (folder / name).write_bytes(encoded(tone, RATE, container, codec))
    (folder / "first.m4a").write_bytes(faststart((folder / "last.m4a").read_bytes(), folder))
    return folder


@pytest.fixture
def server(standin: Server) -> str:
    """The address of everything in chunks."""
    return f"ws://127.0.0.1:{standin.port}/api/v1/simple"


def run(
    environment: Path, *arguments: str, program: str = "streamer-client", given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [environment / "bin" / program, *arguments],
        input=given,
        cwd=environment,  # where no other copy of the code is found
        env={"PATH": ""},
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def test_it_is_small_and_has_nothing_heavy(environment: Path) -> None:
    sizes = megabytes(environment)
    assert set(OWN) <= sizes.keys()
    assert not {"numpy", "av", "onnxruntime", "soxr", "uvicorn", "msgspec"} & sizes.keys()
    assert sum(sizes.values()) <= MOST_MB, sizes


def test_its_version_is_that_of_the_release(environment: Path, made: Path) -> None:
    assert run(environment, "--version").stdout.decode() == f"streamer-client {made.name}\n"


def test_it_has_no_server(environment: Path) -> None:
    assert not (environment / "bin/streamer").exists()
    done = run(environment, "-m", "streamer", program="python")
    assert done.returncode == 1
    assert b"streamer" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["tone.wav", "tone.flac", "tone.mp3", "first.m4a"])
@pytest.mark.parametrize("piped", [False, True])
def test_it_sends_recordings(
    environment: Path, recordings: Path, server: str, name: str, piped: bool
) -> None:
    path = recordings / name
    given = path.read_bytes() if piped else b""
    done = run(environment, "-" if piped else str(path), "-a", server, given=given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"count=") >= 4 * SECONDS
    is_left = b"no decoder is installed here, so the server decodes it" in done.stderr
    assert is_left is (name != "tone.wav")


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("last.m4a", "an MP4 file with its index at the end needs a decoder here"),
        ("tone.aiff", "AIFF needs a decoder here"),
    ],
)
def test_what_the_server_cannot_decode_is_refused_with_what_does(
    environment: Path, recordings: Path, server: str, name: str, reason: str, piped: bool
) -> None:
    path = recordings / name
    given = path.read_bytes() if piped else b""
    done = run(environment, "-" if piped else str(path), "-a", server, given=given)
    assert done.returncode == 2
    shown = done.stderr.decode()
    assert reason in shown
    assert shown.endswith(f"{environment}/bin/python -m pip install av numpy soxr\n")
    assert "Traceback" not in shown


@pytest.mark.parametrize("option", ["--real-time", "--reconnect"])
def test_options_that_need_samples_are_refused(
    environment: Path, recordings: Path, server: str, option: str
) -> None:
    done = run(environment, str(recordings / "tone.mp3"), option, "-a", server)
    assert done.returncode == 2
    assert f"{option} needs a decoder here" in done.stderr.decode()


def test_raw_samples_go_as_they_are(environment: Path, server: str) -> None:
    silence = bytes(RATE * SECONDS * 2)
    done = run(environment, "-", "--rate", str(RATE), "-a", server, given=silence)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"count=") >= 4 * SECONDS


PROGRAM = """
import asyncio, sys
from streamer_client import transcribe

async def main(path, address):
    async for event in transcribe(path, address):
        if event.type == "segment":
            print("segment", event.start_time)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("name", ["tone.wav", "tone.mp3"])
def test_a_program_transcribes(environment: Path, recordings: Path, server: str, name: str) -> None:
    done = run(environment, "-c", PROGRAM, str(recordings / name), server, program="python")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"segment") >= 4 * SECONDS


def test_the_servers_environment_decodes_as_before() -> None:
    """With a decoder, nothing is left to the server."""
    from streamer_client.undecoded import decoder_is_installed

    assert decoder_is_installed()
