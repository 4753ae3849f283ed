"""A judge with four facts: begun, ended, speaking, and what is due."""

from collections.abc import Iterable
from typing import Any

Event = dict[str, Any]


class Judge:
    """What has happened in the stream."""

    def __init__(self) -> None:
        self.begun = False
        self.ended = False
        self._speaking = False
        self._due = 0
        """Segments whose speech has ended."""
        self._end_time = 0.0
        """Of the last segment."""

    def fault(self, event: Event) -> str | None:
        """Take the next event; return what is wrong with it."""
        kind = event["type"]
        if not self.begun and kind != "started":
            return f"{kind} before started"
        if self.ended:
            return f"{kind} after stopped"
        fault: str | None = getattr(self, f"_{kind}")(event)
        return fault

    def _started(self, _: Event) -> str | None:
        if self.begun:
            return "started twice"
        self.begun = True
        return None

    def _active(self, _: Event) -> str | None:
        if self._speaking:
            return "active twice"
        self._speaking = True
        return None

    def _interim(self, _: Event) -> str | None:
        return None if self._speaking else "interim outside of speech"

    def _inactive(self, _: Event) -> str | None:
        if not self._speaking:
            return "inactive without active"
        self._speaking = False
        self._due += 1
        return None

    def _segment(self, event: Event) -> str | None:
        if not self._due:
            return "segment without speech"
        if event["start_time"] < self._end_time:
            return "segment before the end of the last one"
        self._due -= 1
        self._end_time = event["end_time"]
        return None

    def _stopped(self, _: Event) -> str | None:
        if self._speaking or self._due:
            return "stopped too early"
        self.ended = True
        return None


def first_fault(events: Iterable[Event]) -> str | None:
    """Ask the judge about one event after another."""
    judge = Judge()
    for event in events:
        if fault := judge.fault(event):
            return fault
    return None if judge.ended else "no stopped"
