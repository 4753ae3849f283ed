"""What a model may return, and what it arrives as."""

import dataclasses
import datetime
import enum
import math
from collections import OrderedDict, UserDict, deque
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.inference.ipc import (
    BatchOutcome,
    Done,
    WorkerMessageReader,
    encode_message,
)
from streamer.inference.outputs import DEEPEST, plain


class Colour(enum.Enum):
    RED = 1


class Word(enum.StrEnum):
    YES = "yes"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Score:
    value: float


def arriving(output: object) -> Any:
    """After the worker's message, and after the JSON of the event."""
    sent = BatchOutcome([Done(plain(output), 0.1)], 1.0, 1.5, 0.4, 1 << 28)
    [received] = WorkerMessageReader().feed(encode_message(sent))
    assert received == sent
    assert isinstance(received, BatchOutcome)
    [outcome] = received.outcomes
    assert isinstance(outcome, Done)
    return msgspec.json.decode(msgspec.json.encode(outcome.output))


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("output", "arrives"),
    [
        ({"a": np.float32(0.5)}, {"a": 0.5}),
        ({"a": np.int64(3), "b": np.bool_(True)}, {"a": 3, "b": True}),
        ({"a": np.uint64(2**64 - 1), "b": np.str_("x")}, {"a": 2**64 - 1, "b": "x"}),
        ({"a": np.arange(4).reshape(2, 2)}, {"a": [[0, 1], [2, 3]]}),
        ({"a": np.array(2.0), "b": np.array([True])}, {"a": 2.0, "b": [True]}),
        ({"a": np.array(["x", "é"]), "b": np.longdouble(1)}, {"a": ["x", "é"], "b": 1.0}),
        ({"a": np.array([1.0, math.nan, math.inf])}, {"a": [1.0, None, None]}),
        ({"a": np.array([1, "x", None], dtype=object)}, {"a": [1, "x", None]}),
        ({"a": np.ma.masked_array([1, 2], mask=[False, True])}, {"a": [1, None]}),
        ({"a": [np.float64(1), (2, "x")]}, {"a": [1.0, [2, "x"]]}),
        ({"a": math.nan, "b": [np.float32(math.inf)]}, {"a": None, "b": [None]}),
        ({1: "x"}, {"1": "x"}),
        ({"a": {2: {np.int64(3): 4}}}, {"a": {"2": {"3": 4}}}),
        (UserDict({"a": OrderedDict(b=1)}), {"a": {"b": 1}}),
        ({"a": nested(DEEPEST - 1)}, {"a": nested(DEEPEST - 1)}),
        ({"a": Word.YES}, {"a": "yes"}),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_output_arrives_as_json_will_show_it(output: object, arrives: object) -> None:
    assert arriving(output) == arrives


GUESSES = {
    "a set": ({"tones": {"a", "b"}}, "set in 'tones'", "sorted(…) makes a list of it"),
    "a frozen set": ({"a": [1, frozenset()]}, "frozenset in 'a[1]'", "sorted(…)"),
    "bytes": ({"a": {"b": b"x"}}, "bytes in 'a.b'", ".decode() makes text of it"),
    "numpy's bytes": ({"a": np.bytes_(b"x")}, "numpy.bytes_ in 'a'", ".decode()"),
    "an array of bytes": ({"a": np.array([b"x"])}, "a numpy array of |S1 in 'a'", "allowed: text"),
    "a date": ({"a": datetime.date(2020, 1, 1)}, "datetime.date in 'a'", "use its .isoformat()"),
    "numpy's date": ({"a": np.datetime64("2020")}, "numpy.datetime64 in 'a'", "allowed: text"),
    "complex": ({"a": 1j}, "complex in 'a'", "its .real and its .imag"),
    "complex numbers": ({"a": np.array([1j])}, "a numpy array of complex128 in 'a'", "allowed"),
    "an object": ({"a": object()}, "object in 'a'", "allowed: text, numbers, True, False, None"),
    "an enumeration": ({"a": Colour.RED}, "Colour in 'a'", "give its .value"),
    "one of numbers": ({"a": Level.LOW}, "Level in 'a'", "give its .value"),
    "a dataclass": ({"a": Score(1)}, "Score in 'a'", "dataclasses.asdict(…)"),
    "an iterator": ({"a": iter(())}, "tuple_iterator in 'a'", "list(…) makes a list"),
    "a queue": ({"a": deque([1])}, "collections.deque in 'a'", "list(…) makes a list"),
    "an array within": ({"a": np.array([{1}], dtype=object)}, "set in 'a[0]'", "sorted(…)"),
    "a pair as key": ({"a": {(1, 2): 3}}, "with (1, 2), of type tuple, as a key in 'a'", "allowed"),
    "None as key": ({None: 1}, "with None, of type NoneType, as a key; allowed: text", "whole"),
    "a fraction as key": ({0.5: 1}, "with 0.5, of type float, as a key", "allowed: text"),
    "True as key": ({True: 1}, "with True, of type bool, as a key", "allowed: text"),
    "a key twice": ({1: 1, "1": 2}, "the key '1' twice", "allowed: once"),
    "half a character": ({"a": "\ud800"}, "text in 'a' with half a character", "whole characters"),
    "half a key": ({"\ud800": 1}, "text in '?' with half a character", "allowed"),
    "a long integer": ({"a": [2**70]}, "an integer of 71 bits in 'a[0]'", "allowed: 64 bits"),
    "a long negative": ({"a": -(2**63) - 1}, "an integer of 64 bits in 'a'", "allowed: 64 bits"),
    "deep": ({"a": nested(DEEPEST + 1)}, "in each other in 'a[0][0]…'", "does it contain itself"),
}


@pytest.mark.parametrize("named", GUESSES)
def test_what_has_no_form_in_json_is_refused_with_its_field(named: str) -> None:
    output, says, remedy = GUESSES[named]
    with pytest.raises((TypeError, ValueError, OverflowError)) as refused:
        plain(output, "infer_next")
    message = str(refused.value)
    assert message.startswith("infer_next returned ")
    assert says in message
    assert remedy in message
    message.encode()


def test_what_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="does it contain itself"):
        plain({"a": loop})


async def a_coroutine() -> dict[str, object]:
    return {}


@pytest.mark.parametrize(
    ("output", "method", "says"),
    [
        (3, "infer", 'infer returned int; it must return a mapping such as {"score": 0.5}'),
        ("a", "infer", 'infer returned str; it must return a mapping such as {"text": "…"}'),
        ([1], "infer_batch", 'infer_batch returned list; it must return a mapping such as {"score'),
        (np.zeros(2), "infer", "infer returned a numpy array of float64; it must"),
        (a_coroutine(), "infer", "infer returned coroutine; write 'def infer', not 'async def'"),
        ((i for i in (1,)), "infer", "infer returned generator; write return, not yield: {"),
        (False, "gate", 'a mapping such as {"score": 0.5} or None'),
    ],
)
def test_what_is_no_mapping_is_answered_with_one_of_its_kind(
    output: object, method: str, says: str
) -> None:
    with pytest.raises(TypeError) as refused:
        plain(output, method)
    assert says in str(refused.value)


leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=2)
)
values = st.recursive(
    leaves,
    lambda v: st.lists(v, max_size=3) | st.sets(st.integers()) | st.dictionaries(leaves, v),
)


@given(st.dictionaries(st.text(max_size=3) | st.integers(), values, max_size=3))
def test_whatever_is_not_refused_can_be_sent(output: dict[object, object]) -> None:
    if (refusal := _refusal(output)) is not None:
        assert refusal.startswith("infer returned ")
        return
    arriving(output)


def _refusal(output: object) -> str | None:
    try:
        plain(output)
    except (TypeError, ValueError, OverflowError) as error:
        return str(error)
    return None
