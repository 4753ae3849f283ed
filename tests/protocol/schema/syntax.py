"""As much of the syntax of JavaScript and of JSDoc as reading names and types takes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}


def split(text: str, separators: str) -> list[str]:
    """The parts between separators that stand in no brackets; empty parts are left out."""
    parts, begin = [], 0
    for at, character, depth in _unquoted(text):
        if depth == 0 and character in separators:
            parts.append(text[begin:at].strip())
            begin = at + 1
    return [part for part in (*parts, text[begin:].strip()) if part]


def enclosed(text: str, begin: int) -> str:
    """The text in the brackets that open at `begin`."""
    for at, character, depth in _unquoted(text[begin:]):
        if depth == 0 and character in CLOSING.values():
            return text[begin + 1 : begin + at]
    raise ValueError(f"these brackets do not close: {text[begin : begin + 60]!r}")


def _unquoted(text: str) -> Iterator[tuple[int, str, int]]:
    """The characters outside of quotes, with the depth of the brackets around them."""
    expected: list[str] = []
    quote = ""
    for at, character in enumerate(text):
        before = text[at - 1 : at]
        if quote:
            quote = "" if character == quote and before != "\\" else quote
            continue
        if character in "'\"`":
            quote = character
        elif expected and character == expected[-1] and before + character != "=>":
            expected.pop()
        is_comparison = character == "<" and not before.isalnum()
        yield at, character, len(expected)
        if character in CLOSING and not is_comparison:
            expected.append(CLOSING[character])


@dataclass(frozen=True)
class Member:
    """A member of an object type."""

    type: str
    optional: bool


Members = Mapping[str, Member]
Declarations = Mapping[str, str | Members]
"""By name of a `@typedef`: its members if it is an object, else the text of its type."""


def declarations(source: str) -> Declarations:
    """The types that the comments of a module define."""
    found: dict[str, str | Members] = {}
    for comment in re.findall(r"/\*\*(.*?)\*/", source, re.DOTALL):
        text = re.sub(r"^ *\* ?", "", comment, flags=re.MULTILINE)
        members: dict[str, Member] = {}
        for tag in re.finditer(r"@(typedef|property)\s*(?=\{)", text):
            type_ = enclosed(text, tag.end())
            after = text[tag.end() + len(type_) + 2 :]
            name = re.match(r"\s*(\[?)(\w+)", after)
            if name is None:
                raise ValueError(f"a type without a name: {type_}")
            if tag[1] == "property":
                members[name[2]] = Member(type_, optional=bool(name[1]))
            else:
                found[name[2]] = members if type_ == "object" else object_members(type_) or type_
    return found


def object_members(type_: str) -> Members | None:
    """The members of `{name: type, name?: type}`; None = another type.

    An index signature, `[name: string]: type`, is no member.
    """
    type_ = type_.strip()
    if not type_.startswith("{") or len(enclosed(type_, 0)) != len(type_) - 2:
        return None
    members: dict[str, Member] = {}
    for part in split(type_[1:-1], ",;"):
        if not part.startswith("["):
            name = re.match(r"(\w+)(\??)\s*:", part)
            if name is None:
                raise ValueError(f"this is no member of an object: {part}")
            members[name[1]] = Member(part[name.end() :].strip(), optional=bool(name[2]))
    return members


def object_keys(text: str) -> dict[str, str]:
    """The keys of an object literal, and their values; the text is without the braces."""
    pairs = (part.partition(":") for part in split(text, ","))
    return {key.strip(): value.strip() for key, _, value in pairs}


def constant(source: str, name: str) -> str:
    """The text in the first brackets of `const name = …`, the braces or square brackets."""
    begin = re.search(rf"^const {name} = [^\[{{;]*(?=[\[{{])", source, re.MULTILINE)
    if begin is None:
        raise ValueError(f"there is no {name}")
    return enclosed(source, begin.end())


def strings(text: str) -> set[str]:
    """The strings of an array."""
    return {part.strip("'\"") for part in split(text, ",")}
