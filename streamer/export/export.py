"""From published weights to an ONNX file in its place; on failure nothing is written."""

import importlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

import streamer
from streamer.export.hub import download
from streamer.weights.fetch import scratch_folder
from streamer.weights.manifest import (
    MANIFEST,
    RECORD,
    ModelError,
    ModelFolder,
    hash_file,
    models_dir,
    shipped_dir,
)
from streamer.weights.manifest_schema import HubSource, Manifest
from streamer.weights.progress_bar import slow_progress

if TYPE_CHECKING:
    from torch import nn

NETWORKS: Mapping[str, str] = {"wav2small": "streamer.export.wav2small:Wav2Small"}
"""The networks that are re-implemented here, by the model's name."""

LICENCE = "LICENSE"


class CannotExport(ModelError):
    """The model is not one to export, or a tool or file is missing; the message is one line."""


@dataclass(frozen=True)
class Exported:
    """The file that was written, and its largest difference from torch."""

    path: Path
    size_bytes: int
    largest_difference: float

    def __str__(self) -> str:
        return (
            f"{self.path} written, {self.size_bytes / 1e3:.0f} kB; torch and ONNX Runtime agree to"
            f" {self.largest_difference:.1g}"
        )


def export(
    model: ModelFolder,
    console: Console,
    *,
    weights: Path | None = None,
    to: Path | None = None,
    revision: str | None = None,
) -> Exported:
    """Make the ONNX file of a model from its published weights.

    Args:
        model: A model whose source is the hub.
        console: For progress.
        weights: A folder that holds the published file. None = download it.
        to: The folder for the ONNX file. None = the model's own folder.
        revision: Of the hub's repository. None = the manifest's.

    Raises:
        ModelError: The message is one line for the user; nothing was written.
    """
    manifest, source = model.manifest, model.manifest.source
    if (
        not isinstance(source, HubSource)
        or manifest.name not in NETWORKS
        or not manifest.classifier
    ):
        raise CannotExport(f"{manifest.name} is not made by export; allowed: {', '.join(NETWORKS)}")
    if revision is not None:
        source = HubSource(repository=source.repository, revision=revision, file=source.file)
    folder = to or model.folder
    with scratch_folder(folder) as scratch:
        published, origin = _published(source, weights, scratch, console)
        (network_file,) = manifest.weights
        made = scratch / network_file
        with console.status(f"exporting {manifest.name}"):
            difference = _make(manifest, published, made, origin)
        _put(made, folder, manifest)
    path = folder / made.name
    return Exported(path, path.stat().st_size, difference)


def _published(
    source: HubSource, weights: Path | None, scratch: Path, console: Console
) -> tuple[Path, str]:
    """The published file, and its origin in words."""
    if weights is not None:
        path = weights / source.file if weights.is_dir() else weights
        if not path.is_file():
            raise CannotExport(f"{path} is not there: --from names the folder of {source.file}")
        return path, "a local folder"
    path = scratch / source.file
    with slow_progress(console, f"downloading {source.repository}", 0) as advance:
        commit = download(source, path, advance)
    return path, f"{source.repository} at {source.revision}, commit {commit}"


def _make(manifest: Manifest, published: Path, made: Path, origin: str) -> float:
    try:
        from streamer.export import to_onnx
    except ImportError as error:
        raise CannotExport(
            f"export needs more than serving does ({error}): "
            "run `pip install 'streamer-server[export]'`"
        ) from error
    module_name, _, class_name = NETWORKS[manifest.name].partition(":")
    module = importlib.import_module(module_name)
    network: nn.Module = getattr(module, class_name)()
    to_onnx.load_weights(network, published)
    notes = {
        "model": manifest.name,
        "licence": manifest.licence,
        "weights": f"sha256 {hash_file(published)}, from {origin}",
        "exported_by": f"streamer {streamer.__version__}",
    }
    to_onnx.write_onnx(network, module.SHORTEST_SAMPLES, made, notes)
    return to_onnx.check_parity(network, made, module.SHORTEST_SAMPLES)


def _put(made: Path, folder: Path, manifest: Manifest) -> None:
    """Move the file to its place, with its hash, its licence and, if need be, its manifest."""
    record = made.with_name(made.name + RECORD)
    record.write_text(f"{hash_file(made)}  {made.name}\n")
    shipped = shipped_dir() / manifest.name
    beside = [LICENCE]
    if folder.resolve() != (models_dir() / manifest.name).resolve():
        beside.append(MANIFEST)  # in its own folder the shipped one is found, which may be newer
    for name in beside:
        if not (folder / name).exists() and (shipped / name).is_file():
            shutil.copyfile(shipped / name, folder / name)
    with made.open("rb") as written:
        os.fsync(written.fileno())
    made.replace(folder / made.name)
    record.replace(folder / record.name)
