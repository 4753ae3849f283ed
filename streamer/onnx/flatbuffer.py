"""Reads tables of FlatBuffers, as far as models need it. Pure.

A table begins with the distance back to its vtable, which says where each of its fields is; what
has a length lies elsewhere, at a distance that the field holds.
https://flatbuffers.dev/internals/
"""

import struct
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.generic)
Element = TypeVar("Element")


class Table:
    """One table.

    Its methods take the number of a field, from 0 in the order of the schema.

    Args:
        data: The whole buffer.
        at: Where the table is; without it, where the buffer says that the first one is.

    Raises:
        struct.error, ValueError: By all methods: the buffer ends before, or is something else.
    """

    def __init__(self, data: bytes, at: int | None = None) -> None:
        self._data = data
        self._at = self._followed(0) if at is None else at

    def number(self, field: int) -> int:
        """An int32, or 0."""
        place = self._place(field)
        return self._int32(place) if place else 0

    def text(self, field: int) -> str:
        """A string, or an empty one."""
        place = self._place(field)
        return self._text(place) if place else ""

    def texts(self, field: int) -> list[str]:
        """Strings."""
        return self._each(field, self._text)

    def table(self, field: int) -> "Table | None":
        """A table, if it is there."""
        place = self._place(field)
        return self._table(place) if place else None

    def tables(self, field: int) -> "list[Table]":
        """Tables."""
        return self._each(field, self._table)

    def array(self, field: int, dtype: type[Number]) -> npt.NDArray[Number]:
        """Numbers [n], which are not copied."""
        place = self._place(field)
        if not place:
            return np.zeros(0, dtype)
        begin = self._followed(place)
        return np.frombuffer(self._data, dtype, self._uint32(begin), begin + 4)

    def _each(self, field: int, read: Callable[[int], Element]) -> list[Element]:
        place = self._place(field)
        if not place:
            return []
        begin = self._followed(place)
        return [read(begin + 4 + 4 * index) for index in range(self._uint32(begin))]

    def _text(self, place: int) -> str:
        begin = self._followed(place)
        return self._data[begin + 4 : begin + 4 + self._uint32(begin)].decode()

    def _table(self, place: int) -> "Table":
        return Table(self._data, self._followed(place))

    def _place(self, field: int) -> int:
        """Where the field's value is; 0 if it is not there."""
        vtable = self._at - self._int32(self._at)
        entry = 4 + 2 * field
        (size,) = struct.unpack_from("<H", self._data, vtable)
        if entry >= size:
            return 0
        (offset,) = struct.unpack_from("<H", self._data, vtable + entry)
        return self._at + offset if offset else 0

    def _followed(self, place: int) -> int:
        return place + self._uint32(place)

    def _int32(self, place: int) -> int:
        return int(struct.unpack_from("<i", self._data, place)[0])

    def _uint32(self, place: int) -> int:
        return int(struct.unpack_from("<I", self._data, place)[0])
