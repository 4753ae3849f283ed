"""What messages mean: how much audio a commit has, and what a change of the settings begins."""

import base64
import itertools
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streamer.config.schema import Config
from streamer.dialects.openai_realtime.dialect import RealtimeDialect
from streamer.dialects.openai_realtime.replies import CommitAsked
from streamer.protocol.inputs import (
    ConfigureRequested,
    FlushRequested,
    Input,
    ReplyRequested,
    StartRequested,
)
from streamer.protocol.requests import BadRequest
from streamer.services import Services

MANUAL: dict[str, Any] = {"turn_detection": None}
SPOKEN: dict[str, Any] = {"turn_detection": {"type": "server_vad"}}
TELEPHONE = {"format": {"type": "audio/pcmu"}}
SECOND = 48_000
"""Bytes, as sessions begin."""


RATES: dict[str, int | None] = {"one": 16_000, "same": 16_000, "slow": 8_000, "loading": None}
"""Of the models, in Hz."""


class _Pools:
    names = tuple(RATES)

    def __getitem__(self, model: str | None) -> Any:
        return SimpleNamespace(languages=(), sample_rate=RATES[model or "one"])


class Client:
    """Sends to a dialect, and keeps what its messages mean."""

    def __init__(self) -> None:
        services = SimpleNamespace(config=Config(), pools=_Pools(), access=None)
        numbers = itertools.count()
        new_id = lambda: str(next(numbers))  # noqa: E731
        self._dialect = RealtimeDialect(cast("Services", services), new_id, lambda: 0.0)
        self.inputs: list[Input] = []

    def send(self, kind: str, **fields: Any) -> None:
        self.inputs += self._dialect.read(json.dumps({"type": kind, **fields}))

    def append(self, size: int) -> None:
        audio = base64.b64encode(bytes(size)).decode()
        self.send("input_audio_buffer.append", audio=audio)

    def update(self, **audio_input: Any) -> None:
        self.send("session.update", session={"audio": {"input": audio_input}})

    def commit(self) -> None:
        self.send("input_audio_buffer.commit")

    @property
    def commits(self) -> list[float]:
        """Seconds of each commit, which a flush follows."""
        found = []
        for given, following in itertools.pairwise(self.inputs):
            if isinstance(given, ReplyRequested) and isinstance(given.content, CommitAsked):
                assert isinstance(following, FlushRequested)
                found.append(given.content.seconds)
        return found


def test_what_was_before_the_client_commits_is_not_in_its_item() -> None:
    client = Client()
    client.append(7 * SECOND)
    client.update(**MANUAL)
    with pytest.raises(BadRequest, match="has 0 ms of audio; allowed: at least 100 ms"):
        client.commit()
    client.append(2 * SECOND)
    client.update(**MANUAL)
    client.commit()
    assert client.commits == [2.0]


def test_seconds_of_two_encodings_are_added() -> None:
    client = Client()
    client.update(**MANUAL)
    client.append(3 * SECOND)
    client.update(**TELEPHONE)
    client.append(4_000)
    client.commit()
    client.append(8_000)
    client.update(**SPOKEN, format={"type": "audio/pcm"})
    assert client.commits == [3.5, 1.0]


def test_what_was_cleared_is_not_counted_in_any_encoding() -> None:
    client = Client()
    client.update(**MANUAL)
    client.append(3 * SECOND)
    client.update(**TELEPHONE)
    client.send("input_audio_buffer.clear")
    with pytest.raises(BadRequest, match="has 0 ms of audio"):
        client.commit()


def test_an_item_that_is_not_committed_ends_after_half_an_hour() -> None:
    client = Client()
    client.update(**TELEPHONE, **MANUAL)
    for _ in range(2 * 30 + 1):
        client.append(480_000)
    assert client.commits == [1_800.0, 1_800.0]
    client.update(**SPOKEN)
    assert client.commits == [1_800.0, 1_800.0, 60.0]
    for _ in range(31):
        client.append(480_000)
    assert len(client.commits) == 3


@pytest.mark.parametrize("model", ["slow", "loading"])
def test_a_model_of_another_rate_begins_a_stream(model: str) -> None:
    client = Client()
    client.append(SECOND)
    client.update(transcription={"model": model})
    started = client.inputs[-2]
    assert isinstance(started, StartRequested)
    assert started.start.model == model
    client.update(turn_detection={"silence_duration_ms": 700})
    assert isinstance(client.inputs[-2], ConfigureRequested)


def test_a_model_of_the_same_rate_does_not() -> None:
    client = Client()
    client.append(SECOND)
    client.update(transcription={"model": "same"})
    asked = client.inputs[-2]
    assert isinstance(asked, ConfigureRequested)
    assert asked.configure.model == "same"
