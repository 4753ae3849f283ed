"""The weights in an ONNX file, without the package `onnx`: a few fields of three messages.

An ONNX file is a Protocol Buffers message, a sequence of fields: a key (number and wire type), then
a varint, or a length and that number of bytes.

- Messages and their numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
- The encoding: https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

MODEL_GRAPH, GRAPH_INITIALIZER = 7, 5
TENSOR_DIMS, TENSOR_DATA_TYPE, TENSOR_NAME, TENSOR_RAW_DATA = 1, 2, 8, 9
FLOAT = 1
"""TensorProto.DataType."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types."""


def read_weights(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The float32 tensors that are stored in the model's graph, by their names.

    Raises:
        ValueError: It is not an ONNX file.
    """
    try:
        model = _by_number(memoryview(path.read_bytes()))
        graph = _by_number(model[MODEL_GRAPH][0])
        tensors = [_by_number(tensor) for tensor in graph[GRAPH_INITIALIZER]]
        return {_name(tensor): _array(tensor) for tensor in tensors if _is_float(tensor)}
    except (LookupError, ValueError) as error:
        raise ValueError(f"{path} is not an ONNX model with weights of its own") from error


_Fields = dict[int, list[memoryview]]


def _by_number(message: memoryview) -> _Fields:
    """The contents of a message's fields, by number; a varint as its bytes."""
    fields: _Fields = {}
    for number, content in _fields(message):
        fields.setdefault(number, []).append(content)
    return fields


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == VARINT:
            _, end = _varint(message, at)
        elif kind == BYTES:
            size, at = _varint(message, at)
            end = at + size
        elif kind in (FIXED32, FIXED64):
            end = at + (4 if kind == FIXED32 else 8)
        else:
            raise IndexError(f"wire type {kind}")
        if end > len(message):
            raise IndexError("the message breaks off")
        yield key >> 3, message[at:end]
        at = end


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _name(tensor: _Fields) -> str:
    return bytes(tensor[TENSOR_NAME][0]).decode()


def _is_float(tensor: _Fields) -> bool:
    return _varint(tensor[TENSOR_DATA_TYPE][0], 0)[0] == FLOAT and TENSOR_RAW_DATA in tensor


def _array(tensor: _Fields) -> npt.NDArray[np.float32]:
    shape = [_varint(size, 0)[0] for size in tensor.get(TENSOR_DIMS, [])]
    # A copy: a view would keep the whole file, and begins wherever the field does.
    return np.frombuffer(tensor[TENSOR_RAW_DATA][0], "<f4").reshape(shape).astype(np.float32)
