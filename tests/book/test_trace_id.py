"""Check of the exercise `trace_id`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("trace_id")

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize("text", [
    f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"01-{TRACE}-{SPAN}-01",
    f"cc-{TRACE}-{SPAN}-01-what the future will be like",
])  # fmt: skip
def test_valid(text: str) -> None:
    assert answer.parse(text) == (TRACE, SPAN)


def invalid(text: str) -> bool:
    """Whether it is refused, by a function that accepts what is valid."""
    return answer.parse(f"00-{TRACE}-{SPAN}-01") is not None and answer.parse(text) is None


@pytest.mark.parametrize("text", [
    "", TRACE, f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-more",
    f"01-{TRACE}-{SPAN}-01more", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01", f" 00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01\n",
    f"00-{TRACE}-{SPAN}-01\nlevel=error", f"00-{TRACE[:-1]}٣-{SPAN}-01", f"0-{TRACE}-{SPAN}-01",
])  # fmt: skip
def test_invalid(text: str) -> None:
    assert invalid(text)


@given(st.text())
def test_any_other_text_is_invalid(text: str) -> None:
    assert invalid(text)
