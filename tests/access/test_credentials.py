"""Where clients show their tokens, and how they spell that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.credentials import answered, shown, shown_in_header


@pytest.mark.parametrize(
    ("header", "credential"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Token abc", "abc"),
        ("token abc", "abc"),
        ("TOKEN abc", "abc"),
        ("abc", "abc"),
        (" abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("token ", None),
        ("Bearer abc def", None),
        ("", None),
        (None, None),
    ],
)
def test_in_the_header(header: str | None, credential: str | None) -> None:
    assert shown_in_header(header) == credential
    headers = {} if header is None else {"authorization": header}
    assert shown(headers, [], []) == credential


@pytest.mark.parametrize(
    ("subprotocols", "credential"),
    [
        (["streamer.v1", "token.abc"], "abc"),
        (["token", "abc"], "abc"),
        (["bearer", "abc"], "abc"),
        (["Bearer", "abc", "x-session-id", "1"], "abc"),
        (["x-session-id", "1", "token", "abc"], "abc"),
        (["realtime", "openai-insecure-api-key.abc"], "abc"),
        (["openai-insecure-api-key.abc", "realtime", "openai-beta.realtime-v1"], "abc"),
        (["token", "bearer", "abc"], "abc"),
        (["Bearer", "Token", "abc"], "abc"),
        (["token", "bearer"], None),
        (["realtime"], None),
        (["token"], None),
        (["token."], None),
        (["token", ""], None),
        ([], None),
    ],
)
def test_in_subprotocols(subprotocols: list[str], credential: str | None) -> None:
    assert shown({}, subprotocols, []) == credential


def test_in_the_query() -> None:
    assert shown({}, [], [("model", "x"), ("token", ""), ("token", "abc")]) == "abc"
    assert shown({}, [], [("tokens", "abc")]) is None


def test_the_header_comes_before_subprotocols_and_these_before_the_query() -> None:
    header, subprotocols, query = {"authorization": "Bearer a"}, ["token", "b"], [("token", "c")]
    assert shown(header, subprotocols, query) == "a"
    assert shown({"authorization": "Basic a"}, subprotocols, query) == "b"
    assert shown({}, ["realtime"], query) == "c"


def test_the_first_subprotocol_that_is_known_is_answered() -> None:
    assert answered(["x", "bearer", "token"], {"token", "bearer"}) == "bearer"
    assert answered(["x"], {"token"}) is None


@given(st.text(max_size=20), st.lists(st.text(max_size=8), max_size=4))
def test_whatever_is_sent_a_credential_is_never_empty(header: str, subprotocols: list[str]) -> None:
    assert shown({"authorization": header}, subprotocols, []) != ""
