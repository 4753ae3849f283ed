"""Reading names and types from JavaScript, in the forms in which they can be written."""

import pytest

from tests.protocol.schema.syntax import (
    Member,
    constant,
    declarations,
    enclosed,
    object_keys,
    object_members,
    split,
    strings,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a | b", ["a", "b"]),
        ("string | (() => string | null)", ["string", "(() => string | null)"]),
        ("Record<string, a | b> | null", ["Record<string, a | b>", "null"]),
        ("Promise<() => a | b> | c", ["Promise<() => a | b>", "c"]),
        ("'a|b' | \"c|d\"", ["'a|b'", '"c|d"']),
        ("{a: b | c} | d[] |", ["{a: b | c}", "d[]"]),
        ("", []),
    ],
)
def test_alternatives(text: str, parts: list[str]) -> None:
    assert split(text, "|") == parts


def test_brackets_in_quotes_are_text() -> None:
    assert enclosed("f({ a: '}', b: { c: 1 } }) }", 2) == " a: '}', b: { c: 1 } "
    assert enclosed(r"['\'', ']'] ]", 0) == r"'\'', ']'"
    assert enclosed("(a < b, c > d) )", 0) == "a < b, c > d"
    with pytest.raises(ValueError, match="do not close"):
        enclosed("{ a: '}'", 0)


def test_an_object_type() -> None:
    members = object_members("{a: 'x', b?: {c: number, d: e}; [name: string]: unknown}")
    assert members == {"a": Member("'x'", False), "b": Member("{c: number, d: e}", True)}
    assert object_members("Record<string, number>") is None
    assert object_members("{a: b} | {c: d}") is None


SOURCE = """
/** @import { Other } from './other.js' */

/**
 * What it is for.
 * @typedef {object} Thing Text with {braces}.
 * @property {number} size In metres.
 * @property {'a' | 'b'} [kind] `a` when absent.
 * @property {string} [name='x']
 * @property {{low: number,
 *   high: number} | null} range
 */

/** @typedef {'idle' | 'busy'} State */

/**
 * @template {Thing['kind']} T
 * @typedef {{of: T,
 *   state?: State}} Pair
 */
"""


def test_the_declarations_of_a_module() -> None:
    assert declarations(SOURCE) == {
        "Thing": {
            "size": Member("number", False),
            "kind": Member("'a' | 'b'", True),
            "name": Member("string", True),
            "range": Member("{low: number,\n  high: number} | null", False),
        },
        "State": "'idle' | 'busy'",
        "Pair": {"of": Member("T", False), "state": Member("State", True)},
    }


def test_literals() -> None:
    assert object_keys("a: 'x, y', b, c: f(1, 2),") == {"a": "'x, y'", "b": "", "c": "f(1, 2)"}
    source = (
        "/** @type {x} */\nconst NAMES = new Set(['a', \"b\",]);\nconst TEXTS = {\n  a: 'x',\n};"
    )
    assert strings(constant(source, "NAMES")) == {"a", "b"}
    assert object_keys(constant(source, "TEXTS")) == {"a": "'x'"}
    with pytest.raises(ValueError, match="no OTHERS"):
        constant(source, "OTHERS")
