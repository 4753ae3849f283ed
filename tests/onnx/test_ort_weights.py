"""The weights of an `.ort` file; and files that are cut off, damaged, or made to be a trap."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.models.moonshine.graphs import DECODER, ENCODER
from streamer.onnx import ort_weights
from streamer.onnx.ort_weights import MAX_DEPTH, Weights
from streamer.weights.manifest import require

FOLDER = require("moonshine-tiny-en")

Array = npt.NDArray[np.float32] | npt.NDArray[np.uint8] | npt.NDArray[np.int64]

BIAS = np.array([1, 2, 3], np.float32)
VALUES = np.arange(6, dtype=np.uint8).reshape(2, 3)
SCALE = np.array(0.5, np.float32)
ZERO_POINT = np.array(3, np.uint8)
MATRIX: dict[str, Array] = {"values": VALUES, "scale": SCALE, "zero": ZERO_POINT, "bias": BIAS}

Part = Callable[["File"], int]
"""Writes a table; returns where it is."""


class File:
    """Writes what the reader reads, with the package that others write such files with."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1024)

    def table(self, **fields: int | str | Part | Sequence[Part | str]) -> int:
        """Fields by their numbers, as `f8=…`."""
        places = {}
        for name, value in fields.items():
            if isinstance(value, str):
                value = self._builder.CreateString(value)
            elif callable(value):
                value = value(self)
            elif not isinstance(value, int):
                value = self._list(value)
            places[int(name[1:])] = value
        self._builder.StartObject(12)
        for number, place in places.items():
            if isinstance(fields[f"f{number}"], int):
                self._builder.PrependInt32Slot(number, place, 0)
            else:
                self._builder.PrependUOffsetTRelativeSlot(number, place, 0)
        end: int = self._builder.EndObject()
        return end

    def numbers(self, values: Array) -> int:
        place: int = self._builder.CreateNumpyVector(values)
        return place

    def whole(self, graph: Part) -> bytes:
        def model(file: File) -> int:
            return file.table(f7=graph)

        self._builder.Finish(self.table(f0="1.0", f1=model), file_identifier=b"ORTM")
        return bytes(self._builder.Output())

    def _list(self, parts: Sequence[Part | str]) -> int:
        places = [
            self._builder.CreateString(part) if isinstance(part, str) else part(self)
            for part in parts
        ]
        self._builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self._builder.PrependUOffsetTRelative(place)
        end: int = self._builder.EndVector()
        return end


def tensor(name: str, values: Array) -> Part:
    kind = {"float32": 1, "uint8": 2, "int64": 7}[values.dtype.name]
    shape = np.array(values.shape, np.int64)
    content = np.frombuffer(values.tobytes(), np.uint8)
    return lambda file: file.table(
        f0=name,
        f2=lambda file: file.numbers(shape),
        f3=kind,
        f4=lambda file: file.numbers(content),
    )


def product(name: str, inputs: Sequence[str], operator: str = "DynamicQuantizeMatMul") -> Part:
    return lambda file: file.table(f0=f"{name}/MatMul_quant", f5=operator, f8=inputs)


def branching(*branches: Part) -> Part:
    attributes = [lambda file, graph=graph: file.table(f7=graph) for graph in branches]
    return lambda file: file.table(f0="if", f5="If", f10=attributes)


def graph(tensors: Sequence[Part] = (), nodes: Sequence[Part] = ()) -> Part:
    return lambda file: file.table(f0=tensors, f2=nodes)


SMALL = File().whole(
    graph(
        [tensor(name, values) for name, values in MATRIX.items()]
        + [tensor("counts", np.arange(5))],
        [
            product("a", ["states", "values", "scale", "zero", "bias"]),
            branching(
                graph([], [lambda file: file.table(f0="other", f5="Add", f8=["states"])]),
                graph(
                    [tensor("inner", BIAS)],
                    [product("b", ["states", "values", "scale", "zero"], "MatMulIntegerToFloat")],
                ),
            ),
        ],
    )
)


@pytest.fixture
def small(tmp_path: Path) -> Weights:
    return read(tmp_path, SMALL)


def read(folder: Path, content: bytes) -> Weights:
    path = folder / "model.ort"
    path.write_bytes(content)
    return Weights(path)


def test_tensors_and_matrices_are_found_by_name(small: Weights) -> None:
    for name, expected in {**MATRIX, "inner": BIAS}.items():
        np.testing.assert_array_equal(small[name], expected, strict=True)
    for name, bias in (("a", BIAS), ("b", None)):
        found = small.matrix(name)
        np.testing.assert_array_equal(found.values, VALUES, strict=True)
        np.testing.assert_array_equal(found.scale, SCALE, strict=True)
        np.testing.assert_array_equal(found.zero_point, ZERO_POINT, strict=True)
        assert (found.bias is None) == (bias is None)
    np.testing.assert_array_equal(small.matrix("a").bias, BIAS, strict=True)


@pytest.mark.parametrize("name", ["counts", "nothing"])
def test_only_weights_are_there(small: Weights, name: str) -> None:
    with pytest.raises(ValueError, match=f"model.ort is another model's: it has no '{name}'"):
        small[name]
    with pytest.raises(ValueError, match="is another model's: it has no 'other'"):
        small.matrix("other")


def test_a_file_that_is_not_the_models_is_told(tmp_path: Path) -> None:
    whole = (FOLDER / ENCODER).read_bytes()
    for content, why in {
        b"": "not a model in ONNX Runtime's own format",
        b"not a model, but long enough to be looked into": "not a model in ONNX Runtime's own",
        whole[:8]: "cut off or damaged",
        whole[:-1_000]: "cut off or damaged",
        whole[: len(whole) // 2]: "cut off or damaged",
    }.items():
        with pytest.raises(ValueError, match=rf"model\.ort is {why}"):
            read(tmp_path, content)
    with pytest.raises(
        ValueError, match=r"encoder_model\.ort is another model's: it has no '/proj_out'"
    ):
        Weights(FOLDER / ENCODER).matrix("/proj_out")
    with pytest.raises(ValueError, match="is another model's: it has no 'weight'"):
        Weights(FOLDER / ENCODER)["weight"]


def refusal(folder: Path, content: bytes) -> str:
    """Why a damaged file is refused; empty where the reader does not need what is damaged."""
    try:
        read(folder, content)
    except ValueError as error:
        return str(error)
    return ""


def is_fine(refused: str) -> bool:
    return not refused or "model.ort is " in refused


def test_wherever_a_file_breaks_off_it_is_an_error_or_complete(tmp_path: Path) -> None:
    refusals = [refusal(tmp_path, SMALL[:size]) for size in range(len(SMALL))]
    assert all(map(is_fine, refusals))
    assert all(refusals[: len(SMALL) * 3 // 4])


def test_a_bit_that_has_changed_is_an_error_or_harmless(tmp_path: Path) -> None:
    refusals = []
    for place in range(len(SMALL)):
        content = bytearray(SMALL)
        content[place] ^= 1 << place % 8
        refusals.append(refusal(tmp_path, bytes(content)))
    assert all(map(is_fine, refusals))
    assert sum("cut off or damaged" in refused for refused in refusals) > len(SMALL) // 8


@given(st.lists(st.tuples(st.integers(0, len(SMALL) // 4 - 1), st.integers(0, 2**32 - 1))))
def test_wrong_offsets_are_errors_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[int, int]]
) -> None:
    content = bytearray(SMALL)
    for word, value in words:
        struct.pack_into("<I", content, 4 * word, value)
    assert is_fine(refusal(tmp_path_factory.mktemp("wrong"), bytes(content)))


@settings(max_examples=30)
@given(
    name=st.sampled_from([ENCODER, DECODER]),
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=20),
)
def test_a_damaged_model_is_an_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    cut: float,
    flips: list[tuple[float, int]],
) -> None:
    content = bytearray((FOLDER / name).read_bytes())
    del content[int(cut * len(content)) :]
    for place, bit in flips if content else []:
        content[int(place * len(content))] ^= 1 << bit
    folder = tmp_path_factory.mktemp("damaged")
    assert is_fine(refusal(folder, bytes(content)))
    (folder / "model.ort").unlink()  # it is large


def test_graphs_that_lie_deep_within_each_other_are_an_error(tmp_path: Path) -> None:
    nested = graph()
    for _ in range(MAX_DEPTH):
        nested = graph([], [branching(nested)])
    with pytest.raises(ValueError, match="cut off or damaged: more than 64 graphs"):
        read(tmp_path, File().whole(nested))


def test_lists_that_are_read_again_and_again_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each graph leads to the next one twice: 2**40 graphs in some kilobytes."""

    def twice(part: Part) -> Part:
        places: list[int] = []

        def once(file: File) -> int:
            places.extend([] if places else [part(file)])
            return places[0]

        return branching(once, once)

    trap = graph()
    for _ in range(40):
        trap = graph([], [twice(trap)])
    monkeypatch.setattr(ort_weights, "MAX_LISTED_BYTES", 10_000)
    with pytest.raises(ValueError, match="its lists and names have more than 10000 bytes"):
        read(tmp_path, File().whole(trap))
