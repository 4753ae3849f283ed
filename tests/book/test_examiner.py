"""Check of the exercise `examiner`."""

import struct
from collections.abc import Callable

import pytest

from tests.book.exercise import load

answer = load("examiner")


class Right:
    """Keeps half a sample."""

    def __init__(self) -> None:
        self.rest = b""

    def decode(self, data: bytes) -> list[int]:
        block = self.rest + data
        used = len(block) // 2 * 2
        self.rest = block[used:]
        return list(struct.unpack(f"<{used // 2}h", block[:used]))


class AlsoRight:
    """Byte by byte."""

    def __init__(self) -> None:
        self.low: int | None = None

    def decode(self, data: bytes) -> list[int]:
        found = []
        for byte in data:
            if self.low is None:
                self.low = byte
            else:
                value = self.low + 256 * byte
                found.append(value - 65_536 if value >= 32_768 else value)
                self.low = None
        return found


class Drops(Right):
    """Half a sample at the end of a piece."""

    def decode(self, data: bytes) -> list[int]:
        self.rest = b""
        return super().decode(data)


class Unsigned(Right):
    def decode(self, data: bytes) -> list[int]:
        return [value % 65_536 for value in super().decode(data)]


class Late(Right):
    """One sample behind."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[int] = []

    def decode(self, data: bytes) -> list[int]:
        self.held += super().decode(data)
        found, self.held = self.held[:-1], self.held[-1:]
        return found


class Shared(Right):
    """The rest of one decoder goes to the other."""

    kept = b""

    def __init__(self) -> None:
        type(self).kept = b""

    @property
    def rest(self) -> bytes:
        return type(self).kept

    @rest.setter
    def rest(self, value: bytes) -> None:
        type(self).kept = value


class ForgetsOnEmpty(Right):
    """An empty piece loses what is kept."""

    def decode(self, data: bytes) -> list[int]:
        if not data:
            self.rest = b""
        return super().decode(data)


class SmallPieces(Right):
    """Pieces of one byte are taken for whole samples if a byte is kept and the piece is last."""

    def decode(self, data: bytes) -> list[int]:
        if len(data) == 1 and self.rest:
            value = struct.unpack("<h", data + self.rest)[0]
            self.rest = b""
            return [value]
        return super().decode(data)


@pytest.mark.parametrize("decoder", [Right, AlsoRight])
def test_right_decoders_are_accepted(decoder: Callable[[], object]) -> None:
    answer.examine(decoder)


@pytest.mark.parametrize("decoder", [Drops, Unsigned, Late, Shared, ForgetsOnEmpty, SmallPieces])
def test_wrong_decoders_are_rejected(decoder: Callable[[], object]) -> None:
    answer.examine(Right)
    with pytest.raises(Exception):  # noqa: B017, PT011 – of any kind
        answer.examine(decoder)
