"""What a server answered, in a form that can be compared byte for byte. Pure.

Some bytes differ from run to run: ids, durations, the date. They are masked, if they have the
form that they ought to have. The events of a channel come in two sequences, speech and results,
whose interleaving depends on how fast the model was; each is compared by itself.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

ABSENT = "(nothing)"
MASK = "…"

_IDS = re.compile(
    r'"(?:session_id":"(?P<session>[0-9a-f]{16})|trace_id":"(?P<trace>[0-9a-f]{32})'
    r'|ticket":"(?P<ticket>[\w-]{20,}))"'
)
_DURATIONS = re.compile(
    r'"(inference_ms|total_ms|inference_seconds|interim_seconds)":'
    r"\d+(?:\.\d+)?(?:e-\d+)?(?=[,}])"
)

_TIMED_WARNINGS = frozenset({"lagging", "interim_shed"})
"""Codes of warnings that depend on how busy the machine is."""


@dataclass(frozen=True)
class Answer:
    """Everything that came back: sequences of lines by name, in the order of their comparison.

    Attributes:
        parts: Lines that have to be equal, one after another.
    """

    parts: Mapping[str, tuple[str, ...]]

    @property
    def lines(self) -> int:
        """Number of lines of all parts."""
        return sum(map(len, self.parts.values()))


@dataclass(frozen=True)
class Difference:
    """The first line that is not the same on both sides."""

    part: str
    index: int
    this: str
    other: str


def first_difference(this: Answer, other: Answer) -> Difference | None:
    """Compare two answers; None = equal."""
    for part in dict.fromkeys((*this.parts, *other.parts)):
        lines = zip_longest(this.parts.get(part, ()), other.parts.get(part, ()), fillvalue=ABSENT)
        for index, (a, b) in enumerate(lines):
            if a != b and not (part == "close" and _adds_a_reason(a, b)):
                return Difference(part, index, a, b)
    return None


def _adds_a_reason(this: str, other: str) -> bool:
    """Whether both sides close with the same code, and only this one with a reason in words."""
    (code, _, _), (other_code, _, other_reason) = this.partition(" "), other.partition(" ")
    return code == other_code and other_reason in ("", "b''")


def masked(text: str, given: Collection[str] = ()) -> str:
    """The text without ids and durations.

    Args:
        text: JSON as a server writes it.
        given: Ids that the client chose; these are left in, because the server has to keep them.
    """

    def hide(found: re.Match[str]) -> str:
        (value,) = filter(None, found.groups())
        return found[0] if value in given else found[0].replace(value, MASK)

    return _DURATIONS.sub(rf'"\1":{MASK}', _IDS.sub(hide, text))


def stream_answer(frames: Iterable[str], closed: str, given: Collection[str] = ()) -> Answer:
    """What came on a WebSocket.

    Args:
        frames: The payloads of its text frames, in order.
        closed: Code and reason of its end.
        given: Ids that the client chose.
    """
    parts: dict[str, list[str]] = {"stream": []}
    for frame in frames:
        event = json.loads(frame)
        kind, channel = event["type"], event.get("channel")
        if kind == "warning" and event["code"] in _TIMED_WARNINGS:
            continue
        if channel is None:
            name = "stream"
        else:
            name = f"channel {channel}, {'results' if 'start_time' in event else 'speech'}"
        parts.setdefault(name, []).append(masked(frame, given))
    parts["close"] = [closed]
    return Answer({name: tuple(lines) for name, lines in parts.items()})


def http_answer(
    status: str, headers: Sequence[tuple[str, str]], body: bytes, given: Collection[str] = ()
) -> Answer:
    """What came as the answer to a request.

    Args:
        status: Code and phrase.
        headers: In order.
        body: Without its transfer encoding.
        given: Ids that the client chose.
    """
    lines = []
    for name, value in headers:
        if name.lower() == "date":
            value = MASK
        elif name.lower() == "content-length" and value == str(len(body)):
            value = "(that of the body)"
        lines.append(f"{name}: {value}")
    text = masked(body.decode(errors="backslashreplace"), given)
    return Answer({"status": (status,), "headers": tuple(lines), "body": tuple(text.splitlines())})


def metric_names(exposition: str) -> tuple[str, ...]:
    """The type of each metric and the labels of its samples, sorted: values and order vary."""
    found = set()
    for line in exposition.splitlines():
        if line.startswith("# TYPE "):
            found.add(line)
        elif line and not line.startswith("#"):
            name, _, labels = line.partition("{")
            keys = re.findall(r'(\w+)="', labels.partition("}")[0])
            found.add(f"{name.split(' ')[0]}{{{','.join(keys)}}}")
    return tuple(sorted(found))
