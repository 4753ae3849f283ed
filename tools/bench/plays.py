"""Recordings played to models: as whole files, with noise, and through the socket of a server.

Each play is written to a file as it is made, so that tables can be made again without playing.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from streamer.model import SegmentRequest
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.factory import SILERO_FOLDER
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import require
from streamer_client import transcribe
from tools.bench import noise
from tools.bench.reference import LATER_MS, ReferenceRecording, read
from tools.bench.serving import server

RATE = Moonshine.sample_rate

WHOLE, SOCKET = "whole", "socket"
"""Ways in which a recording is played."""


@dataclass(frozen=True)
class Setup:
    """What is played to.

    Attributes:
        name: In the tables.
        model: Makes finals, and the texts of whole files.
        interim_model: Makes interims. With it, recordings are played through the socket only,
            because the texts of whole files are those of the model for finals.
    """

    name: str
    model: str
    interim_model: str | None = None

    def config(self) -> dict[str, object]:
        """For a server with it."""
        model: dict[str, object] = {"type": "moonshine", "path": self.model}
        if self.interim_model:
            model["interim_model"] = self.interim_model
        return {"model": model}


@dataclass(frozen=True)
class Play:
    """A recording in one round, and what came of it.

    Attributes:
        setup: Name of it.
        turn: Number of the round, from 0.
        name: Of the recording.
        group: Of the recording.
        transcript: What is spoken.
        texts: Of the finals through the socket (`SOCKET`), of the whole file (`WHOLE`), and of the
            whole file with noise ("20 dB"); those that were inferred.
        words: Of the whole file, with times and confidence.
    """

    setup: str
    turn: int
    name: str
    group: str
    transcript: str
    texts: Mapping[str, str]
    words: Sequence[Mapping[str, Any]] = field(default_factory=list)


class Player:
    """Plays recordings to one setup.

    Args:
        setup: What is played to.
        url: Of a server with it.
    """

    def __init__(self, setup: Setup, url: str) -> None:
        self.setup = setup
        self._url = url
        self._model = None if setup.interim_model else Moonshine(require(setup.model))
        (weights,) = require(SILERO_FOLDER).glob("*.onnx")
        self._network = SileroNetwork(weights)

    def play(self, recording: ReferenceRecording, turn: int) -> Play:
        """A recording in one round, whole and through the socket."""
        samples, rate = read(recording.path, turn * LATER_MS)
        interims = self._model is None
        streamed = asyncio.run(transcript(samples, rate, self._url, interims=interims))
        if self._model is None:
            return self._play(recording, turn, {SOCKET: streamed})
        speech = soxr.resample(samples, rate, RATE)
        whole, words = self._with_words(speech, self._model)
        return self._play(recording, turn, {WHOLE: whole, SOCKET: streamed}, words)

    def play_in_noise(
        self, recording: ReferenceRecording, turn: int, noises: Sequence[Floats], place: int
    ) -> Play:
        """A whole recording with noise; `place` chooses it."""
        assert self._model is not None
        samples, rate = read(recording.path, turn * LATER_MS)
        speech = soxr.resample(samples, rate, RATE)
        texts = {}
        for db in noise.LEVELS_DB:
            mixed = noise.mixed(speech, noises, place, db)
            texts[f"{db} dB"] = str(self._model.infer(mixed)["text"])
        return self._play(recording, turn, texts)

    def _play(
        self,
        recording: ReferenceRecording,
        turn: int,
        texts: Mapping[str, str],
        words: Sequence[Mapping[str, Any]] | None = None,
    ) -> Play:
        name, group = recording.path.name, recording.group
        return Play(self.setup.name, turn, name, group, recording.transcript, texts, words or [])

    def _with_words(
        self, speech: Floats, model: Moonshine
    ) -> tuple[str, Sequence[Mapping[str, Any]]]:
        start_s = speech_start_s(self._network, speech)
        output: dict[str, Any] = model.infer_request(
            speech, SegmentRequest(words=True, speech_start_s=start_s)
        )
        return output["text"], output.get("words", ())


@dataclass(frozen=True)
class Rounds:
    """How often recordings are played.

    Attributes:
        plain: To setups with one model.
        pairs: To setups with a second model for interims; their finals are those of one model.
        noisy: With noise, as whole files.
        noises: The noise.
    """

    plain: int
    pairs: int = 0
    noisy: int = 0
    noises: Sequence[Floats] = ()

    def total(self, setups: Sequence[Setup]) -> int:
        """How often a recording is played."""
        pairs = sum(setup.interim_model is not None for setup in setups)
        return (len(setups) - pairs) * (self.plain + self.noisy) + pairs * self.pairs


def played(
    setups: Sequence[Setup],
    recordings: Sequence[ReferenceRecording],
    rounds: Rounds,
    file: Path,
) -> Iterator[Play]:
    """Play all recordings to all setups, round by round, and write each play to a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lines = stack.enter_context(file.open("w"))
        players = [
            Player(setup, stack.enter_context(server(config=setup.config()))[0]) for setup in setups
        ]
        for play in _in_turn(players, recordings, rounds):
            print(json.dumps(asdict(play)), file=lines, flush=True)
            yield play


def _in_turn(
    players: Sequence[Player], recordings: Sequence[ReferenceRecording], rounds: Rounds
) -> Iterator[Play]:
    single = [player for player in players if not player.setup.interim_model]
    pairs = [player for player in players if player.setup.interim_model]
    for group, count in ((single, rounds.plain), (pairs, rounds.pairs)):
        for turn in range(count):
            for player, recording in product(group, recordings):
                yield player.play(recording, turn)
    for turn in range(rounds.noisy):
        for player, (place, recording) in product(single, enumerate(recordings)):
            yield player.play_in_noise(recording, turn, rounds.noises, place + turn)


def plays(file: Path) -> list[Play]:
    """Those that were written to a file."""
    return [Play(**json.loads(line)) for line in file.read_text().splitlines()]


async def transcript(samples: Floats, rate: int, url: str, *, interims: bool = False) -> str:
    """The finals of audio through the socket."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        soundfile.write(path, samples, rate, subtype="FLOAT")
        events = transcribe(path, url, interim_results=interims)
        return " ".join([event.text or "" async for event in events if event.type == "segment"])


def speech_start_s(network: SileroNetwork, samples: Floats) -> float:
    """Where the detector finds speech in float32 [n], as the default segmenter would."""
    audio = np.pad(samples, (CONTEXT, -len(samples) % WINDOW))
    probabilities, _ = network.follow(audio, network.start())
    found = [number for number, each in enumerate(probabilities) if each >= 0.5]
    return found[0] * WINDOW / RATE if found else 0.0
