"""The settings of one socket: what an update changes, and what it leaves as it is."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from streamer.config.schema import Config
from streamer.dialects.openai_realtime.messages import SessionUpdate
from streamer.dialects.openai_realtime.session import Session
from streamer.http.prompts import key_terms_of
from streamer.services import Services


class _Pools:
    names = ("one", "two")

    def __getitem__(self, model: str | None) -> Any:
        return SimpleNamespace(languages=())


def session() -> Session:
    services = SimpleNamespace(config=Config(), pools=_Pools())
    return Session(cast("Services", services), "id", 0.0)


def update(session: Session, **audio_input: Any) -> None:
    session.update(SessionUpdate(session={"audio": {"input": audio_input}}))


def terms(session: Session) -> list[str]:
    return [*session.start.keyterms]


def test_a_prompt_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    name = "streamer.dialects.openai_realtime.start.key_terms_of"
    monkeypatch.setattr(name, lambda prompt: [*key_terms_of(prompt), *read])
    one = session()
    update(one, transcription={"prompt": "Jean Valjean"})
    assert terms(one) == ["Jean Valjean"]
    read.append("read again")
    update(one, turn_detection={"silence_duration_ms": 700})
    assert terms(one) == ["Jean Valjean"]
    assert one.start.vad.min_silence_ms == 700
    update(one, transcription={"keywords": ["etcd"]})
    assert terms(one) == ["etcd", "Jean Valjean", "read again"]
    update(one, transcription={"prompt": None, "keywords": None})
    assert "etcd" not in terms(one)
    update(one, transcription=None)
    assert "Jean Valjean" not in terms(one)
