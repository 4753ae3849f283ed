"""The affect network: from safetensors to ONNX, against a NumPy of its own. Needs the extra export.

The published weights cannot be had in a test, so these are random, under the published names.
"""

import contextlib
import importlib.util
import io
import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

from streamer.cli.command_line import CommandLine
from streamer.cli.models import add_parser
from streamer.models.classifier.classifier import Classifier

EXTRA = ("torch", "onnxscript", "safetensors")
pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, EXTRA)),
    reason="needs the extra `export`: pip install -r requirements/export.txt",
)

Arrays = dict[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float32]
LAYERS = [f"vgg7.l{number}" for number in range(1, 8)]


def slaney_mel(bins: int = 33, bands: int = 26, rate: int = 16_000) -> npt.NDArray[np.float64]:
    """Triangles of equal area, [bins, bands]. The scale is linear to 1 kHz, then logarithmic."""
    step = np.log(6.4) / 27
    mel = np.linspace(0, 15 + np.log(rate / 2 / 1000) / step, bands + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(step * (mel - 15)))
    hertz = np.linspace(0, rate / 2, bins)[:, np.newaxis]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle))
    return np.asarray(np.maximum(0, triangles) * 2 / (high - low))


def random_tensors(seed: int = 0) -> Arrays:
    """All tensors under their published names: the front end as published, the rest random."""
    random = np.random.default_rng(seed)
    time = np.arange(64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * time / 64)  # periodic Hann
    waves = np.exp(-2j * np.pi * np.outer(np.arange(33), time) / 64) * window

    def normal(*shape: int, scale: float) -> npt.NDArray[np.float64]:
        return random.standard_normal(shape) * scale

    tensors: Arrays = {
        "vgg7.spectrogram_extractor.conv_real.weight": waves.real[:, np.newaxis],
        "vgg7.spectrogram_extractor.conv_imag.weight": waves.imag[:, np.newaxis],
        "vgg7.logmel_extractor.melW": slaney_mel(),
        "vgg7.logmel_extractor.amin": np.array([1e-10]),
        "adv.weight": normal(3, 338, scale=0.001),
        "adv.bias": normal(3, scale=0.5),
    }
    for layer in LAYERS:
        inputs = 1 if layer == "vgg7.l1" else 13
        tensors[f"{layer}.conv.weight"] = normal(13, inputs, 3, 3, scale=(2 / (inputs * 9)) ** 0.5)
        tensors[f"{layer}.norm.weight"] = 1 + normal(13, scale=0.2)
        tensors[f"{layer}.norm.bias"] = normal(13, scale=0.3)
        tensors[f"{layer}.norm.running_mean"] = normal(13, scale=0.3)
        tensors[f"{layer}.norm.running_var"] = 0.5 + random.random(13)
    # The first layer sees decibels, not numbers around 1.
    tensors["vgg7.l1.norm.running_var"] *= 100
    for head in ("vgg7.lin", "vgg7.sof"):
        tensors[f"{head}.weight"] = normal(13, 13, 1, 1, scale=0.6)
        tensors[f"{head}.bias"] = normal(13, scale=0.3)
    found = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    counts = {f"{layer}.norm.num_batches_tracked": np.array(7, dtype=np.int64) for layer in LAYERS}
    return {**found, **counts}


def convolve(x: Any, weight: Any) -> Any:
    """3×3 with a border of zeros, as sums of shifted copies. [channels, frames, mels]"""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    frames, mels = x.shape[1:]
    return sum(
        np.einsum("oi,ift->oft", weight[:, :, i, j], padded[:, i : i + frames, j : j + mels])
        for i, j in itertools.product(range(3), range(3))
    )


def reference(tensors: Arrays, waveform: Floats) -> npt.NDArray[np.float64]:
    """The network in NumPy and float64, for one waveform, written from its description."""
    t = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    x = waveform.astype(np.float64)
    x = (x - x.mean()) / np.sqrt(x.var() + 1e-7)
    frames = np.stack([x[start : start + 64] for start in range(0, len(x) - 63, 32)])
    windowed = frames * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64))
    power = np.abs(np.fft.rfft(windowed)) ** 2
    y = 10 * np.log10(np.maximum(power @ slaney_mel(), 1e-10))[np.newaxis]
    for number, layer in enumerate(LAYERS, 1):
        y = convolve(y, t[f"{layer}.conv.weight"])
        mean, variance, scale, shift = (
            t[f"{layer}.norm.{part}"][:, np.newaxis, np.newaxis]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        y = np.maximum(0, (y - mean) / np.sqrt(variance + 1e-5) * scale + shift)
        if number == 3:
            padded = np.pad(y, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
            views = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
            y = views[:, ::2, ::2].max(axis=(3, 4))
    lin, sof = (
        np.einsum("oi,ift->oft", t[f"vgg7.{head}.weight"][:, :, 0, 0], y)
        + t[f"vgg7.{head}.bias"][:, np.newaxis, np.newaxis]
        for head in ("lin", "sof")
    )
    powers = np.exp(sof - sof.max(axis=1, keepdims=True))
    pooled = (lin * powers / powers.sum(axis=1, keepdims=True)).sum(axis=1)
    joined = np.concatenate([pooled, pooled @ pooled.T], axis=1).ravel()
    return np.asarray(t["adv.weight"] @ joined + t["adv.bias"])


class Outcome(NamedTuple):
    code: int
    out: str
    err: str
    folder: Path


def export(tensors: Arrays, home: Path, *arguments: str) -> Outcome:
    """Run `streamer models export wav2small` on tensors in a folder, with `home/models` for all."""
    from safetensors.numpy import save_file

    published = home / "published"
    published.mkdir(exist_ok=True)
    save_file(tensors, published / "model.safetensors")
    parser = CommandLine()
    add_parser(parser.add_subparsers())
    line = ["models", "export", "wav2small", "--from", str(published), *arguments]
    args = parser.parse_args(line)
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as environment,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        environment.setenv("STREAMER_MODELS", str(home / "models"))
        code = args.run(args)
    return Outcome(code, out.getvalue(), err.getvalue(), home / "models" / "wav2small")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Of an export that goes well; it takes seconds, so there is one."""
    without_counts = {k: v for k, v in random_tensors().items() if "num_batches" not in k}
    return export(without_counts, tmp_path_factory.mktemp("export"))


@pytest.fixture
def exported(outcome: Outcome) -> Path:
    assert outcome.code == 0, outcome.err
    return outcome.folder


def speechlike(count: int, seed: int = 0) -> Floats:
    random = np.random.default_rng(seed)
    time = np.arange(count) / 16_000
    voice = np.sin(2 * np.pi * 140 * time) + 0.4 * np.sin(2 * np.pi * 900 * time)
    sound = voice * np.sin(np.pi * 3 * time) ** 2 + 0.05 * random.standard_normal(count)
    return np.asarray(0.2 * sound, dtype=np.float32)


def run(folder: Path, batch: Floats) -> Floats:
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    (scores,) = session.run(["scores"], {"waveform": batch})
    return np.asarray(scores, dtype=np.float32)


@pytest.mark.parametrize("samples", [64, 95, 96, 4_000, 16_000, 40_001])
def test_the_exported_network_is_the_described_one(exported: Path, samples: int) -> None:
    waveform = speechlike(samples)
    expected = reference(random_tensors(), waveform)
    assert np.ptp(expected) > 0.1
    assert run(exported, waveform[np.newaxis])[0] == pytest.approx(expected, abs=1e-3)


def test_the_scores_depend_on_the_audio(exported: Path) -> None:
    voice = speechlike(16_000)[np.newaxis]
    noise = np.random.default_rng(1).standard_normal((1, 16_000)).astype(np.float32)
    scores = np.concatenate([run(exported, audio) for audio in (voice, voice[:, :8_000], noise)])
    assert np.ptp(scores, axis=0).min() > 0.1  # far more than the tolerances here


def test_a_batch_is_its_waveforms(exported: Path) -> None:
    batch = np.stack([speechlike(8_000, seed) * 0.5**seed for seed in range(5)])
    alone = np.concatenate([run(exported, row[np.newaxis]) for row in batch])
    assert run(exported, batch) == pytest.approx(alone, abs=1e-5)


def test_level_and_offset_do_not_matter(exported: Path) -> None:
    waveform = speechlike(16_000)[np.newaxis]
    expected = run(exported, waveform)
    for changed in (2 * waveform, 0.5 * waveform, -0.3 * waveform, waveform + np.float32(0.1)):
        assert run(exported, changed) == pytest.approx(expected, abs=5e-3)


def test_silence_has_finite_scores(exported: Path) -> None:
    assert np.isfinite(run(exported, np.zeros((2, 16_000), dtype=np.float32))).all()


def test_the_folder_serves_as_a_classifier(exported: Path) -> None:
    model = Classifier(exported)
    model.warm_up()
    waveform = speechlike(20_000)
    output = model.infer(waveform)
    assert list(output) == ["arousal", "dominance", "valence"]
    expected = reference(random_tensors(), waveform)
    assert list(output.values()) == pytest.approx(list(expected), abs=1e-3)


def test_the_file_says_what_it_is_and_nothing_of_the_machine(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported / "model.onnx")
    notes = session.get_modelmeta().custom_metadata_map
    assert notes["model"] == "wav2small"
    assert notes["licence"] == "CC BY-NC-SA 4.0"
    assert notes["weights"].startswith("sha256 ")
    content = (exported / "model.onnx").read_bytes()
    assert b"site-packages" not in content
    assert b".py" not in content


def test_export_says_what_it_did(outcome: Outcome) -> None:
    assert outcome.code == 0
    assert f"wav2small: {outcome.folder / 'model.onnx'} written" in outcome.out
    assert "torch and ONNX Runtime agree to" in outcome.out
    assert "licence CC BY-NC-SA 4.0" in outcome.out
    assert "as perceived" in outcome.out
    assert outcome.err == ""
    assert {path.name for path in outcome.folder.iterdir()} == {
        "LICENSE", "model.onnx", "model.onnx.sha256",
    }  # fmt: skip
    assert [path.name for path in outcome.folder.parent.iterdir()] == ["wav2small"]


@pytest.fixture
def again(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a further export write what the first one wrote, which is quick; the rest is real."""
    from streamer.export import to_onnx

    def copy(_network: object, _shortest: int, path: Path, _notes: Mapping[str, str]) -> None:
        shutil.copyfile(exported / "model.onnx", path)

    monkeypatch.setattr(to_onnx, "write_onnx", copy)
    return exported


def test_elsewhere_the_folder_is_a_model_of_its_own(again: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "affect"
    assert export(random_tensors(), tmp_path, "--to", str(folder)).code == 0
    assert {path.name for path in folder.iterdir()} == {
        "LICENSE", "model.json", "model.onnx", "model.onnx.sha256",
    }  # fmt: skip
    assert list(Classifier(folder).infer(speechlike(8_000))) == ["arousal", "dominance", "valence"]
    assert not (tmp_path / "models").exists()


def changed(name: str, tensor: npt.NDArray[Any] | None) -> Arrays:
    tensors = random_tensors()
    del tensors[name]
    return tensors if tensor is None else {**tensors, name: tensor}


BIAS = "adv.bias"


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (changed("vgg7.l4.conv.weight", None), "missing: vgg7.l4.conv.weight"),
        (random_tensors() | {"adv.extra": np.ones(3)}, "unexpected: adv.extra"),
        (changed(BIAS, np.ones(4, dtype=np.float32)), "adv.bias has the shape [4], not [3]"),
        (changed(BIAS, np.array([1, np.nan, 2])), "adv.bias holds something else than finite"),
        ({"a": np.ones(3)}, "missing: adv.bias, adv.weight, vgg7.l1.conv.weight"),
    ],
)
def test_tensors_that_are_not_the_networks_are_named_and_nothing_is_written(
    tmp_path: Path, tensors: Arrays, words: str
) -> None:
    outcome = export(tensors, tmp_path)
    assert outcome.code == 1
    assert outcome.out == ""
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "models").exists()


def test_what_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"x" * 100)
    arguments = ("--from", str(tmp_path / "bad.safetensors"))
    outcome = export({"a": np.ones(1)}, tmp_path, *arguments)
    assert outcome.code == 1
    assert "cannot be read as safetensors" in outcome.err


def test_a_network_that_onnx_runtime_sees_otherwise_is_not_written(
    again: Path, tmp_path: Path
) -> None:
    tensors = random_tensors()
    tensors[BIAS] = tensors[BIAS] + np.float32(0.01)
    outcome = export(tensors, tmp_path)
    assert outcome.code == 1
    assert "torch and ONNX Runtime differ by 0.0" in outcome.err
    assert not (tmp_path / "models").exists()
