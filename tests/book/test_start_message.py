"""Check of the exercise `start_message`."""

from typing import Any

import pytest

from tests.book.exercise import load

answer = load("start_message")

GOOD = {"request": "start", "sample_rate": 16_000}


def refused(**changes: Any) -> str:
    with pytest.raises(answer.BadMessage) as error:
        answer.check_start(GOOD | changes)
    return str(error.value)


def test_defaults_are_filled_in() -> None:
    message = dict(GOOD)
    assert answer.check_start(message) == {
        "request": "start", "sample_rate": 16_000, "channels": 1, "interim_results": False,
    }  # fmt: skip
    assert message == GOOD, "the message must not change"


def test_what_is_given_is_kept() -> None:
    given = {"request": "start", "sample_rate": 8_000, "channels": 8, "interim_results": True}
    assert answer.check_start(given) == given


@pytest.mark.parametrize("name", ["request", "sample_rate"])
def test_a_required_field_is_missing(name: str) -> None:
    message = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(answer.BadMessage) as error:
        answer.check_start(message)
    assert str(error.value) == f"'{name}' is missing; it is required"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("request", "begin", '"begin"'),
        ("sample_rate", 7_999, "7999"),
        ("sample_rate", "16000", '"16000"'),
        ("sample_rate", None, "null"),
        ("channels", 0, "0"),
        ("channels", 9, "9"),
        ("channels", True, "true"),
        ("interim_results", 1, "1"),
        ("interim_results", "yes", '"yes"'),
    ],
)
def test_a_value_is_not_allowed(name: str, value: object, shown: str) -> None:
    allowed = {
        "request": "start",
        "sample_rate": "8000 to 192000",
        "channels": "1 to 8",
        "interim_results": "true or false",
    }
    assert refused(**{name: value}) == f"'{name}' is {shown}; allowed: {allowed[name]}"


def test_an_unknown_field_is_named_after_all_others_are_right() -> None:
    text = "unknown field 'chanels'; allowed: request, sample_rate, channels, interim_results"
    assert refused(chanels=2) == text
    assert refused(chanels=2, channels=9).startswith("'channels' is 9")
