"""Three states: nothing, a candidate, a segment."""

from collections.abc import Sequence
from typing import NamedTuple


class Settings(NamedTuple):
    """Durations in windows."""

    min_speech: int
    min_silence: int
    prefix: int
    suffix: int


def segments(speech: Sequence[bool], settings: Settings) -> list[tuple[int, int]]:
    """Count windows of speech, and those of silence since the last one."""
    found: list[tuple[int, int]] = []
    first: int | None = None  # of the candidate or segment that is open
    last = voiced = 0  # one past its last window of speech; how many it has

    def end(position: int) -> None:
        assert first is not None
        floor = found[-1][1] if found else 0
        found.append((max(first - settings.prefix, floor), min(last + settings.suffix, position)))

    for index, is_speech in enumerate(speech):
        if is_speech:
            if first is None:
                first, voiced = index, 0
            last, voiced = index + 1, voiced + 1
        elif first is not None:
            confirmed = voiced >= settings.min_speech
            patience = settings.min_silence if confirmed else settings.min_speech
            if index + 1 - last >= patience:
                if confirmed:
                    end(index + 1)
                first = None
    if first is not None and voiced >= settings.min_speech:
        end(len(speech))
    return found
