"""The weights in a file of ONNX Runtime's own format (`.ort`), by the names of what uses them.

The file is tables of FlatBuffers. The number of each field is its place in
https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/flatbuffers/schema/ort.fbs
"""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from flatbuffers.encode import Get
from flatbuffers.number_types import Int32Flags, Int64Flags, Uint8Flags, UOffsetTFlags
from flatbuffers.table import Table

from streamer.onnx.graph import Array

IDENTIFIER, IDENTIFIER_AT = b"ORTM", 4
SESSION_MODEL, MODEL_GRAPH, GRAPH_TENSORS, GRAPH_NODES = 1, 7, 0, 2
TENSOR_NAME, TENSOR_SHAPE, TENSOR_DATA_TYPE, TENSOR_CONTENT = 0, 2, 3, 4
NODE_NAME, NODE_OPERATOR, NODE_INPUTS, NODE_ATTRIBUTES, ATTRIBUTE_GRAPH = 0, 5, 8, 10, 7

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8}
"""By TensorProto.DataType; a model's weights have no others."""

USERS = frozenset({"DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMul", "Mul", "Add"})
"""The operators whose inputs are looked up; the first two multiply with a quantized matrix."""

BRANCHING = "If"
"""The operator whose attributes are graphs with weights of their own."""

MAX_LISTED_BYTES = 1 << 20
"""Bytes of all lists of tables and all names together; Moonshine's decoder has 80 000. In a damaged
file they may overlap, and reading them again and again could take hours."""

MAX_DEPTH = 64
"""Graphs within graphs. Moonshine's decoder has one level."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """A matrix: `scale * (values - zero_point)`."""

    values: Array
    """uint8 or int8 [inputs, outputs]."""
    scale: Array
    """float32 [] or [outputs]."""
    zero_point: Array
    """[] or [outputs], of the type of the values."""
    bias: Array | None
    """float32 [outputs], added to the product. None = no bias."""


class Weights:
    """The weights of one file.

    Args:
        path: The file.

    Raises:
        ValueError: The file is not an .ort file, or is damaged. All methods: it is of another
            model.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tensors: dict[str, Array] = {}
        self._inputs: dict[str, list[str]] = {}
        """Of each node that uses weights, by its name."""
        content = path.read_bytes()
        if content[IDENTIFIER_AT : IDENTIFIER_AT + len(IDENTIFIER)] != IDENTIFIER:
            raise ValueError(f"{path} is not a model in ONNX Runtime's own format")
        try:
            reader = _Reader(content)
            model = reader.table(reader.root(), SESSION_MODEL)
            graph = model and reader.table(model, MODEL_GRAPH)
            if graph:
                self._read(reader, graph, MAX_DEPTH)
        # TypeError is how `flatbuffers` refuses an offset that is negative or has over 32 bits.
        except (struct.error, TypeError, ValueError) as error:
            raise ValueError(f"{path} is cut off or damaged: {error}") from error

    def __getitem__(self, tensor: str) -> Array:
        """A tensor by its own name."""
        try:
            return self._tensors[tensor]
        except KeyError:
            raise self._other_model(tensor) from None

    def names(self) -> Collection[str]:
        """The names of all tensors."""
        return self._tensors.keys()

    def inputs(self, node: str) -> list[str]:
        """The names of what a product, a sum or a scaling uses. Empty = there is no such node."""
        return self._inputs.get(node, [])

    def matrix(self, node: str) -> Quantized:
        """The matrix, and the bias, of the product with this name."""
        inputs = self.inputs(f"{node}/MatMul_quant")
        tensors = [self._tensors[name] for name in inputs if name in self._tensors]
        if len(tensors) < len(("values", "scale", "zero point")):
            raise self._other_model(node)
        values, scale, zero_point, *bias = tensors
        return Quantized(values, scale, zero_point, bias[0] if bias else None)

    def _other_model(self, missing: str) -> ValueError:
        return ValueError(f"{self._path} is another model's: it has no {missing!r}")

    def _read(self, reader: "_Reader", graph: Table, depth: int) -> None:
        if not depth:
            raise ValueError(f"more than {MAX_DEPTH} graphs lie within each other")
        for tensor in reader.tables(graph, GRAPH_TENSORS):
            if dtype := DTYPES.get(reader.number(tensor, TENSOR_DATA_TYPE)):
                shape = reader.array(tensor, TENSOR_SHAPE, Int64Flags)
                values = reader.array(tensor, TENSOR_CONTENT, Uint8Flags).view(dtype)
                self._tensors[reader.text(tensor, TENSOR_NAME)] = values.reshape(shape)
        for node in reader.tables(graph, GRAPH_NODES):
            operator = reader.text(node, NODE_OPERATOR)
            if operator in USERS:
                self._inputs[reader.text(node, NODE_NAME)] = reader.texts(node, NODE_INPUTS)
            elif operator == BRANCHING:
                for attribute in reader.tables(node, NODE_ATTRIBUTES):
                    if branch := reader.table(attribute, ATTRIBUTE_GRAPH):
                        self._read(reader, branch, depth - 1)


class _NumberFlags(Protocol):
    """A type of numbers, as `flatbuffers.number_types` describes it."""

    name: ClassVar[str]
    """NumPy's name of it."""


class _Reader:
    """Fields of tables, by their numbers in the schema, as code made by `flatc` reads them.

    `flatbuffers` trusts the offsets in the file. Python's own checks let nothing be read outside
    of it; here is bounded how much is read.

    Raises:
        struct.error, TypeError, ValueError: By all methods: the file is cut off or damaged.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._bytes_left = MAX_LISTED_BYTES

    def root(self) -> Table:
        """The first table."""
        return Table(self._content, Get(UOffsetTFlags.packer_type, self._content, 0))

    def number(self, table: Table, field: int) -> int:
        """An int32; 0 if the field is not there."""
        number: int = table.GetSlot(_slot(field), 0, Int32Flags)
        return number

    def text(self, table: Table, field: int) -> str:
        """A string; empty if the field is not there."""
        offset = table.Offset(_slot(field))
        return self._text(table, table.Pos + offset) if offset else ""

    def texts(self, table: Table, field: int) -> list[str]:
        """Strings; none if the field is not there."""
        begin, distances = self._list(table, field)
        return [self._text(table, begin + 4 * index) for index in range(len(distances))]

    def table(self, table: Table, field: int) -> Table | None:
        """A table, if the field is there."""
        offset = table.Offset(_slot(field))
        return Table(self._content, table.Indirect(table.Pos + offset)) if offset else None

    def tables(self, table: Table, field: int) -> Iterator[Table]:
        """Tables; none if the field is not there."""
        begin, distances = self._list(table, field)
        places = begin + 4 * np.arange(len(distances)) + distances
        return (Table(self._content, place) for place in places.tolist())

    def array(self, table: Table, field: int, flags: type[_NumberFlags]) -> Array:
        """Numbers [n], which are not copied; none if the field is not there."""
        offset = table.Offset(_slot(field))
        if not offset:
            return np.zeros(0, flags.name)
        numbers: Array = table.GetVectorAsNumpy(flags, offset)
        return numbers

    def _list(self, table: Table, field: int) -> tuple[int, npt.NDArray[np.uint32]]:
        """Where a list of tables or strings begins, and how far behind its entry each lies."""
        offset = table.Offset(_slot(field))
        if not offset:
            return 0, np.zeros(0, np.uint32)
        distances: npt.NDArray[np.uint32] = table.GetVectorAsNumpy(UOffsetTFlags, offset)
        self._count(distances.nbytes)
        return table.Vector(offset), distances

    def _text(self, table: Table, place: int) -> str:
        text: bytes = table.String(place)
        self._count(len(text))
        return text.decode()

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise ValueError(f"its lists and names have more than {MAX_LISTED_BYTES} bytes")


def _slot(field: int) -> int:
    """Where a field's offset is in the vtable, after the sizes of vtable and table."""
    return 4 + 2 * field
