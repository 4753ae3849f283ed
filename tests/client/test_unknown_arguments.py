"""Arguments that the functions do not have: the error names the one that was meant."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from streamer_client import connect, transcribe
from streamer_client.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS = "ws://127.0.0.1:1/api/v1/segmented"


def calls() -> list[Callable[..., object]]:
    stream = Stream(None, 1)  # type: ignore[arg-type]  # it is never used
    return [
        lambda **given: connect(ADDRESS, **given),
        lambda **given: transcribe("x.wav", ADDRESS, **given),
        lambda **given: stream.configure(**given),
    ]


@pytest.mark.parametrize("call", calls(), ids=["connect", "transcribe", "configure"])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("interim", "() has no argument 'interim'; did you mean interim_results?"),
        ("interims", "did you mean interim_results?"),
        ("interimResults", "did you mean interim_results?"),
        ("word", "did you mean words?"),
        ("timestamps", "did you mean words?"),
        ("key_terms", "did you mean keyterms?"),
        ("keywords", "did you mean keyterms?"),
        ("min_silence_ms", "did you mean vad={'min_silence_ms': …}?"),
        ("threshold", "did you mean vad={'threshold': …}?"),
        ("suffix_padding_ms", "; allowed: "),
        ("language", "each model has its own language: choose one with model"),
        ("nothing_like_it", "() has no argument 'nothing_like_it'; allowed: "),
    ],
)
def test_a_name_with_a_slip(call: Callable[..., object], given: str, says: str) -> None:
    with pytest.raises(TypeError) as refused:
        call(**{given: True})
    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("uri", "did you mean url?"),
        ("address", "did you mean url?"),
        ("timeout", "did you mean timeout_s?"),
        ("rate", "did you mean sample_rate?"),
        ("samplerate", "did you mean sample_rate?"),
        ("api_key", "did you mean token?"),
    ],
)
def test_arguments_of_connect(given: str, says: str) -> None:
    with pytest.raises(TypeError) as refused:
        connect(**{given: "s3cret"})  # type: ignore[arg-type]
    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_other_mistakes_in_calls_are_those_of_python() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        connect(ADDRESS, 16_000)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="path"):
        transcribe()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="url"):
        connect(ADDRESS, url=ADDRESS)  # type: ignore[misc]


@pytest.mark.parametrize("function", [connect, transcribe, Stream.configure])
def test_the_functions_show_their_arguments(function: Callable[..., Any]) -> None:
    parameters = inspect.signature(function).parameters
    assert "interim_results" in parameters
    assert not [p for p in parameters.values() if p.kind == p.VAR_KEYWORD]
    assert function.__doc__
