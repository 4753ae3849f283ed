"""Key terms, however they are given: a word that the model alone misspells is written as named."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from openai import OpenAI

from tests.end_to_end.http.posting import analyze, analyzed, refused, wav
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, recording, two_cities
from tools.harness.streams import client, events_of, stream_audio, transcript

TERM, MISSPELT = "noisiest", "noisyest"
LAST_S = 16
"""Seconds of the recording that hold the word, and some before and behind it."""

UNSPOKEN = ["Kubernetes", "Jean Valjean", "epoxy", "wisent", "despot", "the age of fools"]


@pytest.fixture(scope="module")
def audio() -> Audio:
    whole = two_cities()
    return replace(whole, data=whole.part(whole.seconds - LAST_S, whole.seconds))


@pytest.fixture(scope="module")
def file() -> bytes:
    samples, rate = recording("two_cities.wav")
    return wav(samples[-LAST_S * rate :], rate)


async def test_a_word_is_written_as_it_was_named(transcriber: Server, audio: Audio) -> None:
    plain = transcript(await stream_audio(transcriber, audio))
    named = transcript(await stream_audio(transcriber, audio, keyterms=[*UNSPOKEN, TERM]))
    assert MISSPELT in plain
    assert named == plain.replace(MISSPELT, TERM)


async def test_terms_that_are_not_spoken_change_nothing(transcriber: Server, audio: Audio) -> None:
    plain = await stream_audio(transcriber, audio, words=True)
    named = await stream_audio(transcriber, audio, words=True, keyterms=UNSPOKEN)
    assert events_of(named, "segment") == events_of(plain, "segment")


async def test_a_named_word_has_its_time_and_its_certainty(
    transcriber: Server, audio: Audio
) -> None:
    def words(events: list[Event]) -> list[Event]:
        return [word for segment in events_of(events, "segment") for word in segment["words"]]

    plain = words(await stream_audio(transcriber, audio, words=True))
    named = words(await stream_audio(transcriber, audio, words=True, keyterms=[TERM]))
    (before,) = [word for word in plain if word["text"] == MISSPELT]
    (after,) = [word for word in named if word["text"] == TERM]
    assert after["start_time"] == pytest.approx(before["start_time"], abs=0.2)
    assert after["end_time"] == pytest.approx(before["end_time"], abs=0.2)
    assert 0 < after["confidence"] < 1


def test_a_recording(transcriber: Server, file: bytes) -> None:
    def text(**query: object) -> str:
        segments = analyzed(transcriber, file, **query)["segments"]
        return " ".join(segment["text"] for segment in segments)

    assert MISSPELT in text()
    assert TERM in text(keyterms=TERM)
    assert TERM in text(keyterms=[*UNSPOKEN, TERM])
    assert TERM in text(**{"keyterms[]": [*UNSPOKEN, TERM]})
    message = refused(analyze(transcriber, file, keyterms=[TERM, " "]), 400, "bad_request")
    assert message.startswith("'keyterms[1]' is \" \"; allowed: text of 1 to 100 characters, ")


def transcribed(
    server: Server, file: bytes, task: str = "transcriptions", **fields: str
) -> dict[str, Any]:
    """The answer of an endpoint of OpenAI's."""
    base = f"http://127.0.0.1:{server.port}/v1"
    with OpenAI(base_url=base, api_key="none", max_retries=0) as client:
        return client.post(
            f"/audio/{task}",
            cast_to=dict[str, Any],
            body={"model": "whisper-1", **fields},
            files={"file": ("cities.wav", io.BytesIO(file))},
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )


@pytest.mark.parametrize("task", ["transcriptions", "translations"])
@pytest.mark.parametrize("field", ["prompt", "keyterms", "hotwords"])
def test_the_form_of_openai(transcriber: Server, file: bytes, field: str, task: str) -> None:
    answer = transcribed(transcriber, file, task, **{field: f"Kubernetes, {TERM}, Jean Valjean"})
    assert TERM in answer["text"]
    assert "warnings" not in answer


def test_a_prompt_without_effect_is_reported(
    transcriber: Server, standin: Server, file: bytes
) -> None:
    def warnings(server: Server, prompt: str) -> list[str]:
        answer = transcribed(server, file, prompt=prompt)
        return [warning["message"] for warning in answer["warnings"]]

    assert warnings(transcriber, "This is a test of it.") == [
        "'prompt' was ignored: only names and unusual words in it count, and it has none"
    ]
    assert warnings(standin, "Kubernetes") == [
        "'prompt' was ignored: the model standin makes no use of it"
    ]


async def test_terms_of_the_whole_server(launch: Callable[..., Server], audio: Audio) -> None:
    server = launch(env={"STREAMER_MODEL__KEYTERMS": json.dumps([TERM])})
    assert TERM in transcript(await stream_audio(server, audio))
    assert TERM in transcript(await stream_audio(server, audio, keyterms=UNSPOKEN))


@pytest.mark.parametrize("letter", ["x", "ж", "東", "\N{DESERET SMALL LETTER LONG I}"])
async def test_as_many_and_as_long_as_they_may_be(standin: Server, letter: str) -> None:
    """Also in a `configure`, and where the client escapes what is not ASCII."""
    terms = [letter * 100] * 100
    escaped = letter < "\N{DESERET CAPITAL LETTER LONG I}"
    async with client(standin) as socket:
        for request in ("start", "configure"):
            head = {"format": {"sample_rate": 16_000}} if request == "start" else {}
            message = {"request": request, **head, "keyterms": terms}
            await socket.send_text(json.dumps(message, ensure_ascii=escaped))
            answer, warning = await socket.events_until("warning")
            assert answer["type"] == {"start": "started", "configure": "configured"}[request]
            assert warning["code"] == "no_keyterms"


@pytest.mark.parametrize("term", [f"“{TERM}”", f"{TERM},", f" {TERM} ", f"({TERM}.)"])
async def test_marks_around_a_term_do_not_matter(
    transcriber: Server, audio: Audio, term: str
) -> None:
    """Nor does how often it is given."""
    plain = transcript(await stream_audio(transcriber, audio))
    named = transcript(await stream_audio(transcriber, audio, keyterms=[*UNSPOKEN, term, term]))
    assert named == plain.replace(MISSPELT, TERM)


@pytest.mark.parametrize("term", [TERM.upper(), TERM.title()])
async def test_a_term_in_other_capitals_changes_nothing(
    transcriber: Server, audio: Audio, term: str
) -> None:
    plain = transcript(await stream_audio(transcriber, audio))
    assert transcript(await stream_audio(transcriber, audio, keyterms=[term])) == plain


def test_each_channel_has_the_terms(transcriber: Server) -> None:
    samples, rate = recording("two_cities.wav")
    last = samples[-LAST_S * rate :]
    both = wav(np.stack([last, np.roll(last, 700)], axis=1), rate)
    segments = analyzed(transcriber, both, keyterms=TERM)["segments"]
    for channel in (0, 1):
        assert TERM in " ".join(s["text"] for s in segments if s["channel"] == channel)


def test_models_say_whether_they_use_them(transcriber: Server, standin: Server) -> None:
    servers = (transcriber, standin)
    models = [server.get("/api/v1/info").json()["models"][0] for server in servers]
    assert [model["keyterms"] for model in models] == [True, False]


async def test_a_model_that_uses_none_says_so_once(standin: Server) -> None:
    async with client(standin) as socket:
        await socket.start(keyterms=UNSPOKEN)
        _, warning = await socket.events_until("warning")
        assert warning["code"] == "no_keyterms"
        await socket.send(beckett().data)
        await socket.send_request("stop")
        assert not events_of(await socket.events_until("stopped"), "warning")


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (["a", ""], "'keyterms[1]' is \"\"; allowed: text of 1 to 100 characters, with a letter "),
        (["a\nb"], "'keyterms[0]' is \"a\\nb\"; allowed: "),
        (["a", "b\u2028c"], "'keyterms[1]' is \"b\\u2028c\"; allowed: "),
        (["—"], "'keyterms[0]' is \"\\u2014\"; allowed: "),
        (["a"] * 101, "'keyterms' is "),
    ],
)
async def test_a_wrong_term_is_named(standin: Server, terms: list[str], says: str) -> None:
    async with client(standin) as socket:
        await socket.start(keyterms=terms)
        error = await socket.next_event()
        assert error["code"] == "bad_message"
        assert error["message"].startswith(says)
