"""torch to ONNX, and the proof that both say the same."""

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

from streamer.weights.manifest import ModelError

Floats = npt.NDArray[np.float32]

TOLERANCE = 1e-3
"""Largest difference between torch and ONNX Runtime, absolute or of the score if that is larger.

Both compute in float32, in another order. Random weights of wav2small's size differed by up to 2e-4
on sound and 5e-4 on silence, whose decibels are far from all others; one with its features in
another order differs by 4 and more.
"""

LONGEST_LIST = 5


class ExportError(ModelError):
    """A model could not be exported; the message is one line for the user."""


def load_weights(network: nn.Module, file: Path) -> None:
    """Put the tensors of a safetensors file into the network, which is then ready to infer.

    Raises:
        ExportError: A tensor is missing, unexpected, or of another shape; the message names it.
    """
    try:
        found: dict[str, Tensor] = load_file(file)
    except (SafetensorError, OSError) as error:
        raise ExportError(f"{file} cannot be read as safetensors: {error}") from error
    wanted: dict[str, Tensor] = network.state_dict()
    # Counts the steps of training, and changes nothing here: some files leave it out.
    optional = {name for name in wanted if name.endswith(".num_batches_tracked")}
    problems = [
        *_named("missing", wanted.keys() - found.keys() - optional),
        *_named("unexpected", found.keys() - wanted.keys()),
    ]
    for name in sorted(wanted.keys() & found.keys() - optional):
        expected, shape = tuple(wanted[name].shape), tuple(found[name].shape)
        if shape != expected:
            problems.append(f"{name} has the shape {list(shape)}, not {list(expected)}")
        elif not found[name].is_floating_point() or not bool(found[name].isfinite().all()):
            problems.append(f"{name} holds something else than finite numbers")
    if problems:
        raise ExportError(f"{file} is not of this network: {'; '.join(problems)}")
    network.load_state_dict({**{name: wanted[name] for name in optional}, **found})
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
        shortest: Samples that it needs at least.
        path: The file.
        notes: Written into the file's metadata.
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
        del node.metadata_props[:]  # where in this machine's files torch was when it made the node
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(notes))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch says about itself on the way."""
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
    """Noise and a tone, quiet and loud, of every kind of length; and silence.

    The tone has some noise: in the bands that a pure one leaves empty there is only rounding.
    """
    random = np.random.default_rng(0)
    for samples in (shortest, shortest + 1, 4_000, 15_999, 16_000, 80_000):
        tone = np.sin(np.arange(samples) * 0.1)
        noise = random.standard_normal((2, samples))
        loud = 0.5 * tone + 0.01 * noise[0]
        yield np.stack([loud, 0.001 * noise[0], 0.3 * noise[1]]).astype(np.float32)
        yield (0.1 * noise[:1]).astype(np.float32)
    yield np.zeros((1, 16_000), dtype=np.float32)
