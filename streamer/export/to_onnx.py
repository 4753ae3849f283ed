"""torch to ONNX, and the check that both give the same scores."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from streamer.config.file_problems import file_problem
from streamer.weights.manifest import ModelError

Floats = npt.NDArray[np.float32]

TOLERANCE = 1e-3
"""Largest difference between torch and ONNX Runtime, absolute or of the score if that is larger.

Both compute in float32, in different orders. With random weights of wav2small's size they differed
by up to 2e-4 on sound and 5e-4 on silence, whose decibels are far from all others. A network with
its features in the wrong order differs by 4 and more.
"""

LONGEST_LIST = 5
"""Names in an error message."""


class ExportError(ModelError):
    """A model could not be exported; the message is one line for the user."""


def load_weights(network: nn.Module, file: Path) -> None:
    """Load the tensors of a safetensors file into the network, and make it ready to infer.

    Raises:
        ExportError: A tensor is missing, unexpected, or of another shape; the message names it.
    """
    try:
        found: dict[str, Tensor] = load_file(file)
    except OSError as error:
        raise ExportError(file_problem(file, error)) from error
    except SafetensorError as error:
        raise ExportError(f"{file} cannot be read as safetensors: {error}") from error
    expected: dict[str, Tensor] = network.state_dict()
    # The number of training steps has no effect here, and some files leave it out.
    optional = {name for name in expected if name.endswith(".num_batches_tracked")}
    problems = [
        *_named("missing", expected.keys() - found.keys() - optional),
        *_named("unexpected", found.keys() - expected.keys()),
    ]
    for name in sorted(expected.keys() & found.keys() - optional):
        right, shape = tuple(expected[name].shape), tuple(found[name].shape)
        if shape != right:
            problems.append(f"{name} has the shape {list(shape)}, not {list(right)}")
        elif not found[name].is_floating_point() or not bool(found[name].isfinite().all()):
            problems.append(f"{name} holds something else than finite numbers")
    if problems:
        raise ExportError(f"{file} is not of this network: {'; '.join(problems)}")
    network.load_state_dict({**{name: expected[name] for name in optional}, **found})
    network.eval()


def _named(what: str, names: set[str]) -> list[str]:
    if not names:
        return []
    shown = sorted(names)[:LONGEST_LIST]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return [f"{what}: {', '.join(shown)}{more}"]


def write_onnx(network: nn.Module, shortest: int, path: Path, notes: Mapping[str, str]) -> None:
    """Write the network, which maps [batch, samples] to scores [batch, n], both dynamic.

    Args:
        network: Ready to infer.
        shortest: Samples of the shortest audio that it takes.
        path: The file to write.
        notes: Metadata of the file.
    """
    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("samples", min=shortest)}
    with _quiet():
        torch.onnx.export(
            network,
            (torch.zeros(2, 16_000),),
            path,
            input_names=["waveform"],
            output_names=["scores"],
            dynamic_shapes=(sizes,),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]  # the lines of torch's source files on this machine
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(notes))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the output of torch."""
    with (
        warnings.catch_warnings(action="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def check_parity(network: nn.Module, path: Path, shortest: int) -> float:
    """Compare torch with ONNX Runtime on several lengths; return the largest difference.

    Raises:
        ExportError: They differ by more than `TOLERANCE`.
    """
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest = 0.0
    for batch in _probes(shortest):
        with torch.no_grad():
            expected: Floats = network(torch.from_numpy(batch)).numpy()
        (found,) = session.run(None, {"waveform": batch})
        if found.shape != expected.shape or not np.isfinite(found).all():
            raise ExportError(f"ONNX Runtime gives {found} for {list(batch.shape)} samples")
        difference = float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))
        if difference > TOLERANCE:
            raise ExportError(
                f"torch and ONNX Runtime differ by {difference:.2g} for {list(batch.shape)}"
                f" samples; allowed: at most {TOLERANCE:g}. Nothing was written"
            )
        largest = max(largest, difference)
    return largest


def _probes(shortest: int) -> Iterator[Floats]:
    """Noise and a tone, quiet and loud, of several lengths; and silence.

    The tone has some noise: in the bands that a pure tone leaves empty there is only rounding.
    """
    random = np.random.default_rng(0)
    for samples in (shortest, shortest + 1, 4_000, 15_999, 16_000, 80_000):
        tone = np.sin(np.arange(samples) * 0.1)
        noise = random.standard_normal((2, samples))
        loud = 0.5 * tone + 0.01 * noise[0]
        yield np.stack([loud, 0.001 * noise[0], 0.3 * noise[1]]).astype(np.float32)
        yield (0.1 * noise[:1]).astype(np.float32)
    yield np.zeros((1, 16_000), dtype=np.float32)
