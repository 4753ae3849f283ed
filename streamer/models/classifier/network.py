"""An ONNX file that maps float32 [batch, samples] to scores [batch, n], checked to be one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from streamer.models.classifier.windows import WindowCutter
from streamer.onnx.graph import Floats
from streamer.onnx.runtime import OnnxSession, open_network
from streamer.weights.manifest_schema import ClassifierSettings


class UnfitNetwork(ValueError):
    """The ONNX file does not match its `model.json`; the message lists every difference."""


class DeclaredTensor(NamedTuple):
    """An input or output as the file declares it. A length that is not fixed is a name or None."""

    name: str
    dtype: str
    shape: Sequence[int | str | None]

    def __str__(self) -> str:
        lengths = ", ".join("any" if length is None else str(length) for length in self.shape)
        return f"{self.name!r}, {self.dtype} [{lengths}]"


class WaveformNetwork:
    """One ONNX Runtime session.

    Args:
        path: The ONNX file.
        settings: The section `classifier` of its `model.json`.
        windows: The lengths of the windows that it will get.
        threads: Threads within one inference.

    Raises:
        UnfitNetwork: The file cannot be read, or does not match the settings.
    """

    def __init__(
        self, path: Path, settings: ClassifierSettings, windows: WindowCutter, threads: int
    ) -> None:
        if not path.is_file():
            raise UnfitNetwork(f"{path} is not there; 'classifier.file' names it")
        import onnxruntime  # noqa: F401 - if it is missing, the file is not to blame

        try:
            self._session = open_network(path, threads)
        except Exception as error:  # ONNX Runtime has a class for each reason, with no base
            raise UnfitNetwork(f"{path} cannot be read as ONNX: {error}") from error
        inputs, outputs = _declared_by(self._session)
        if found := list(problems(inputs, outputs, settings, windows)):
            raise UnfitNetwork(f"{path} does not fit its model.json: {'; '.join(found)}")
        self._input = inputs[0].name
        self._output = settings.output or outputs[0].name
        self._scores = len(settings.scores)

    def __call__(self, batch: Floats) -> Floats:
        """Scores, float32 [batch, n], of waveforms, float32 [batch, samples].

        Raises:
            UnfitNetwork: The output has another shape.
        """
        (scores,) = self._session.run([self._output], {self._input: batch})
        if scores.shape != (len(batch), self._scores):
            raise UnfitNetwork(
                f"output {self._output!r} has the shape {list(scores.shape)} for {len(batch)} "
                f"waveforms; wanted [{len(batch)}, {self._scores}], a score for each name in "
                "'classifier.scores'"
            )
        return np.asarray(scores, dtype=np.float32)


def declared_tensors(path: Path) -> tuple[list[DeclaredTensor], list[DeclaredTensor]]:
    """The inputs and the outputs of an ONNX file.

    Raises:
        Exception: ONNX Runtime cannot read it; it has a class for each reason, with no base.
    """
    return _declared_by(open_network(path))


def _declared_by(session: OnnxSession) -> tuple[list[DeclaredTensor], list[DeclaredTensor]]:
    inputs = [_declared(value) for value in session.get_inputs()]
    return inputs, [_declared(value) for value in session.get_outputs()]


def problems(
    inputs: Sequence[DeclaredTensor],
    outputs: Sequence[DeclaredTensor],
    settings: ClassifierSettings,
    windows: WindowCutter,
) -> Iterator[str]:
    """Each problem of a file's inputs and outputs in a sentence: what was found, what is needed."""
    if len(inputs) == 1:
        yield from _problems_of_input(inputs[0], settings, windows)
    else:
        listed = " and ".join(map(str, inputs)) or "none"
        yield f"it has {len(inputs)} inputs ({listed}); wanted one, float32 [batch, samples]"
    names = ", ".join(repr(output.name) for output in outputs)
    chosen = [output for output in outputs if settings.output in (None, output.name)]
    if not chosen:
        yield f"it has no output {settings.output!r}; 'classifier.output' may be one of {names}"
    elif len(chosen) > 1:
        yield f"it has several outputs; name one of {names} in 'classifier.output'"
    else:
        yield from _problems_of_output(chosen[0], settings)


def _problems_of_input(
    found: DeclaredTensor, settings: ClassifierSettings, windows: WindowCutter
) -> Iterator[str]:
    if found.dtype != "float32" or len(found.shape) != 2:
        yield f"its input is {found}; wanted float32 [batch, samples]"
        return
    batch, samples = found.shape
    if isinstance(batch, int) and batch != 1:
        yield f"its input takes exactly {batch} waveforms at once; wanted any number, or 1"
    if batch == 1 and settings.max_batch_size > 1:
        yield (
            "its input takes one waveform at once, and 'classifier.max_batch_size' is "
            f"{settings.max_batch_size}; wanted a batch of any size, or 1 as max_batch_size"
        )
    if isinstance(samples, int) and not windows.shortest == windows.longest == samples:
        longest = "no limit" if windows.longest is None else windows.longest
        yield (
            f"its input takes exactly {samples} samples, and windows have from {windows.shortest} "
            f"samples to {longest}; wanted min_seconds and max_seconds both to be {samples} samples"
        )


def _problems_of_output(found: DeclaredTensor, settings: ClassifierSettings) -> Iterator[str]:
    names = ", ".join(settings.scores)
    if found.dtype != "float32" or len(found.shape) != 2:
        yield f"its output is {found}; wanted float32 [batch, {len(settings.scores)}]"
    elif isinstance(found.shape[1], int) and found.shape[1] != len(settings.scores):
        yield (
            f"its output {found.name!r} has {found.shape[1]} scores; "
            f"'classifier.scores' names {len(settings.scores)}: {names}"
        )


def _declared(value: object) -> DeclaredTensor:
    """An input or output of ONNX Runtime, which calls float32 `tensor(float)`."""
    name, kind, shape = (getattr(value, field) for field in ("name", "type", "shape"))
    dtype = kind.removeprefix("tensor(").removesuffix(")")
    return DeclaredTensor(name, {"float": "float32", "double": "float64"}.get(dtype, dtype), shape)
