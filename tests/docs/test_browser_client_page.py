"""The page of the client for browsers lists what its code has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "streamer/web/streamer-client"
PAGE = (CLIENT / "README.md").read_text()
MESSAGES = (CLIENT / "messages.js").read_text()
OPTIONS = (CLIENT / "options.js").read_text()


def comment_of(name: str, source: str) -> str:
    """The comment that declares a type."""
    comments = re.findall(r"/\*\*(.*?)\*/", source, re.DOTALL)
    (found,) = [c for c in comments if re.search(rf"@typedef [^@]*\}} {name}(?:\s|$)", c)]
    return re.sub(r"\n \*", "\n", found)


def fields_of(name: str, source: str = MESSAGES) -> list[str]:
    """The fields of a type, in their order."""
    comment = comment_of(name, source)
    listed = re.findall(r"@property \{.*?\} \[?(\w+)\]?(?: |$)", comment, re.MULTILINE | re.DOTALL)
    return listed or re.findall(
        r"[{,]\s*(\w+)\??:", comment.replace("[field: string]: unknown", "")
    )


def events() -> dict[str, set[str]]:
    """By type of event: its fields."""
    found: dict[str, set[str]] = {}
    union = re.search(r"\{([^}]*)\} ClientEvent", comment_of("ClientEvent", MESSAGES))
    assert union is not None
    for name in re.findall(r"\w+", union[1]):
        kind = re.search(r"\{'(\w+)'\} type|type: '(\w+)'", comment_of(name, MESSAGES))
        assert kind is not None, name
        found[kind[1] or kind[2]] = set(fields_of(name)) - {"type"}
    return found


def rows(heading: str) -> dict[str, list[str]]:
    """The table whose first heading this is: its other cells by the names in the first cell."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None, heading
    listed: dict[str, list[str]] = {}
    for line in table[1].splitlines():
        first, *others = [cell.strip() for cell in line.strip("|").split(" | ")]
        listed |= dict.fromkeys(re.findall(r"`(\w+)`", first), others)
    return listed


def test_every_event_is_listed_with_its_fields() -> None:
    declared = events()
    assert len(declared) >= 14
    listed = rows("type")
    assert listed.keys() == declared.keys()
    for kind, fields in declared.items():
        assert set(re.findall(r"`(\w+)`", listed[kind][0])) == fields, kind


def test_every_state_is_listed_in_order() -> None:
    declared = re.findall(r"'(\w+)'", comment_of("State", MESSAGES))
    assert list(rows("state")) == declared
    assert declared[0] == "idle"


@pytest.mark.parametrize(
    ("heading", "name", "source"),
    [
        ("option", "ClientOptions", OPTIONS),
        ("of the microphone", "MicrophoneOptions", OPTIONS),
        ("of the format", "AudioFormat", MESSAGES),
    ],
)
def test_every_option_and_field_is_listed(heading: str, name: str, source: str) -> None:
    assert set(rows(heading)) == set(fields_of(name, source))


@pytest.mark.parametrize("value", ["disconnected", "outrun"])
def test_each_reason_for_a_loss_is_listed(value: str) -> None:
    assert f"'{value}'" in comment_of("Lost", MESSAGES)
    assert f"`{value}`" in PAGE


@pytest.mark.parametrize(
    "page", ["streamer/web/streamer-client/README.md", "docs/browser.md", "docs/your-own-model.md"]
)
def test_it_is_told_what_processing_does_to_an_alarm(page: str) -> None:
    text = " ".join((ROOT / page).read_text().split())
    assert "processing" in text
    assert re.search(
        r"noise suppression removes steady sounds, such as (the tone of )?an alarm", text
    )
