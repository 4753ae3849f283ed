"""A change of the JavaScript client or of `docs/protocol.md` is found, wherever it is."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.protocol.schema import page
from tests.protocol.schema.places import PAGE, problems, sources

GIVEN = sources()


def renamed(text: str, block: str, within: str, name: str) -> list[tuple[str, str]]:
    """The names in a part of a text, and the text with another name in the place of each.

    Args:
        text: All of it.
        block: The part of it that `within` searches; it is there once.
        within: A pattern, the first group of which holds names.
        name: A pattern, the first group of which is a name.
    """
    assert text.count(block) == 1
    begin = text.index(block)
    spans = [
        (begin + place.start(1) + match.start(1), match[1])
        for place in re.finditer(within, block, re.MULTILINE)
        for match in re.finditer(name, place[1])
    ]
    return [(each, text[:at] + "renamed" + text[at + len(each) :]) for at, each in spans]


def changes(*groups: list[tuple[str, str]]) -> pytest.MarkDecorator:
    pairs = [pair for group in groups for pair in group]
    ids = [f"{number}-{name}" for number, (name, _) in enumerate(pairs)]
    return pytest.mark.parametrize(("name", "text"), pairs, ids=ids)


SERVER_TYPES_JS = GIVEN.messages_js.partition("/**\n * @typedef {object} Lost")[0]


@changes(
    renamed(
        GIVEN.messages_js, SERVER_TYPES_JS,
        within=r"^ \* @property \{.*\} (.*)", name=r"^\[?(?!type\b)(\w+)",
    ),
    renamed(
        GIVEN.messages_js, SERVER_TYPES_JS,
        within=r"(\{\{[^@]+\})", name=r"(?<=[{ ])(?!(?:type|text|words|confidence)\b)(\w+)\??:",
    ),
)  # fmt: skip
def test_a_field_that_is_another_one_in_the_declarations(name: str, text: str) -> None:
    found = problems(replace(GIVEN, messages_js=text))
    assert any(f": `{name}` is missing in messages.js" in problem for problem in found)
    assert any(": `renamed` is too much in messages.js" in problem for problem in found)


def block(head: tuple[str, ...]) -> str:
    """The table of the page with this head."""
    begin = GIVEN.page.index(f"| {' | '.join(head)} |")
    return GIVEN.page[begin : GIVEN.page.index("\n\n", begin)]


@changes(
    renamed(
        GIVEN.page, block(page.EVENTS),
        within=r"^\| `[\w.]+` \| (.*?) \|", name=r"`(\w+)(?:: \w+)?`",
    ),
    renamed(
        GIVEN.page, block(page.START),
        within=r"^\| (`.*?`) \|", name=r"(\w+)`",
    ),
)  # fmt: skip
def test_a_field_that_is_another_one_in_the_page(name: str, text: str) -> None:
    found = problems(replace(GIVEN, page=text))
    assert any(f": `{name}` is missing in {PAGE}" in problem for problem in found)
    assert any(f": `renamed` is too much in {PAGE}" in problem for problem in found)


@changes(
    renamed(GIVEN.page, block(page.ERRORS), within=r"^\| (`\w+`) \|", name=r"(\w+)"),
    renamed(GIVEN.page, block(page.EVENTS), within=r"^\| (`[\w.]+`) \|", name=r"`([\w.]+)`"),
)
def test_a_row_that_is_another_one_in_the_page(name: str, text: str) -> None:
    found = problems(replace(GIVEN, page=text))
    assert any(problem.startswith(f"`{name}` is missing in ") for problem in found)
    assert any(problem.startswith("`renamed` is too much in ") for problem in found)


@pytest.mark.parametrize(
    ("source", "old", "new", "problem"),
    [
        (
            "messages_js",
            "@property {number} time",
            "@property {string} time",
            "configured: `time` is string in messages.js, and number in the server",
        ),
        (
            "messages_js",
            "{number} [channel]",
            "{number} channel",
            "error: `channel` is required in messages.js, and optional in the server",
        ),
        (
            "messages_js",
            "'pcm' | 'mulaw' | 'alaw'",
            "'pcm' | 'mulaw'",
            "start.format: `encoding` is auto or mulaw or pcm in messages.js, "
            "and alaw or auto or mulaw or pcm in the server",
        ),
        (
            "messages_js",
            "| null} vad",
            "} vad",
            "started: `vad` is object in messages.js, and null or object in the server",
        ),
        (
            "messages_js",
            "is_final: true",
            "is_final: false",
            "segment: `is_final` is False in messages.js, and True in the server",
        ),
        (
            "messages_js",
            "@property {'active'} type",
            "@property {'awake'} type",
            "`active` is missing in messages.js",
        ),
        ("messages_js", "GoingAway |", "", "`going_away` is missing in messages.js"),
        ("messages_js", "} Interim", "} Other", "`interim` is missing in messages.js"),
        (
            "options_js",
            " * @property {VadOptions} [vad]\n",
            "",
            "start: `vad` is missing in ClientOptions of options.js",
        ),
        (
            "options_js",
            "{boolean} [interimResults]",
            "{number} [interimResults]",
            "start: `interim_results` is number in ClientOptions of options.js, "
            "and boolean in the server",
        ),
        (
            "modules_js",
            "      token: this.#connection.token,\n",
            "",
            "start: `token` is missing in sendRequest()",
        ),
        (
            "modules_js",
            "request: 'stop', disconnect",
            "request: 'stop', disconnect, now: true",
            "stop: `now` is too much in sendRequest()",
        ),
        (
            "modules_js",
            "{ request: 'keep_alive' }",
            "keepAlive",
            "`keep_alive` is missing in sendRequest()",
        ),
        (
            "modules_js",
            "new Set(['bad_format', 'bad_message'])",
            "new Set(['bad_format', 'bad_mesage'])",
            "`bad_mesage` is too much in START_REFUSALS of protocol.js",
        ),
        (
            "explanations_js",
            "  worker_lost:",
            "  worker_gone:",
            "`worker_lost` is missing in ERRORS of explanations.js",
        ),
        (
            "explanations_js",
            "  lagging:",
            "  late:",
            "`late` is too much in WARNINGS of explanations.js",
        ),
        (
            "page",
            ", and about a segment also",
            ",",
            f"error: `channel` is required in {PAGE}, and optional in the server",
        ),
        (
            "page",
            "`is_final: true`",
            "`is_final: false`",
            f"segment: `is_final` is False in {PAGE}, and True in the server",
        ),
        (
            "page",
            "| required; 8 000",
            "| 8 000",
            f"start.format: `sample_rate` is optional in {PAGE}, and required in the server",
        ),
        (
            "page",
            '{"request": "stop", "disconnect": true}',
            '{"request": "stop", "disconnect": "yes"}',
            f"stop: `disconnect` is string in {PAGE}, and boolean in the server",
        ),
        (
            "page",
            "| `bad_samples` |",
            "| `bad_sample` |",
            f"`bad_samples` is missing in the warnings of {PAGE}",
        ),
    ],
)
def test_a_change_of_one_text(source: str, old: str, new: str, problem: str) -> None:
    text: str = getattr(GIVEN, source)
    assert old in text
    changed: dict[str, Any] = {source: text.replace(old, new, 1)}
    found = problems(replace(GIVEN, **changed))
    assert problem in found
