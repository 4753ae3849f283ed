"""Any ONNX file from waveform to scores, as its `model.json` says."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from streamer.config.models import ModelConfig
from streamer.config.schema import Config
from streamer.config.sources import SettingsError
from streamer.models.classifier.classifier import Classifier
from streamer.models.classifier.network import UnfitNetwork
from streamer.models.registry import make_model
from streamer.models.resolve import model_specs
from streamer.weights import BadManifest, MissingModel
from tests.models.conftest import FLOAT, Make, nodes_for_statistics

Floats = npt.NDArray[np.float32]


def ramp(count: int) -> Floats:
    return np.linspace(0, 1, count, dtype=np.float32)


def scores(model: Classifier, samples: Floats) -> list[float]:
    output = model.infer(samples)
    assert list(output) == ["mean", "peak"]
    assert all(type(value) is float for value in output.values())
    return [float(str(value)) for value in output.values()]


def test_a_folder_of_ones_own_needs_two_files_and_no_more(classifier: Make) -> None:
    folder = classifier(rate=8_000)
    config = Config(model=ModelConfig(type="classifier", path=folder.name))
    (spec,) = model_specs(config, folder.parent)
    assert spec.name == "mine"
    model = make_model(spec)
    assert model.sample_rate == 8_000
    assert (model.max_batch_size, model.max_batch_wait_ms) == (1, 0.0)
    model.warm_up()
    assert model.infer(ramp(11)) == {"mean": 0.5, "peak": 1.0}


def test_a_configuration_can_lie_in_the_folder_itself(classifier: Make) -> None:
    folder = classifier()
    config = Config(model=ModelConfig(type="classifier", path="."))
    assert model_specs(config, folder)[0].name == "mine"


def test_a_classifier_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'model.path' is missing; type classifier needs one"):
        model_specs(Config(model=ModelConfig(type="classifier")), tmp_path)


def test_what_is_to_be_exported_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_MODELS", str(tmp_path))
    config = Config(model=ModelConfig(type="classifier", path="wav2small"))
    with pytest.raises(MissingModel, match="run `streamer models export wav2small`"):
        model_specs(config, tmp_path)


def test_short_segments_are_padded(classifier: Make) -> None:
    model = Classifier(classifier(min_seconds=0.1))
    ones = np.ones(25, dtype=np.float32)
    assert scores(model, ones) == [0.25, 1.0]
    assert scores(model, ones[:0]) == [0.0, 0.0]
    model = Classifier(classifier(min_seconds=0.1, padding="repeat"))
    assert scores(model, ones) == [1.0, 1.0]


@pytest.mark.parametrize("size", [1, 2, 16])
def test_long_segments_are_cut_and_put_together(classifier: Make, size: int) -> None:
    segment = np.repeat(np.array([1, 5, 3], dtype=np.float32), 10)[:25]
    # Windows of 10 from 0, 10 and, the last, 15: means 1, 5, 4; peaks 1, 5, 5.
    lengths = {"max_seconds": 0.01, "max_batch_size": size}
    assert scores(Classifier(classifier(**lengths)), segment) == pytest.approx([10 / 3, 11 / 3])
    assert scores(Classifier(classifier(**lengths, aggregate="max")), segment) == [5, 5]
    # From 0, 5, 10 and 15: means 1, 3, 5, 4.
    lengths["hop_seconds"] = 0.005
    assert scores(Classifier(classifier(**lengths)), segment)[0] == pytest.approx(13 / 4)


def test_activations_turn_each_windows_output_into_scores(classifier: Make) -> None:
    segment = np.array([-2, 0, 0, 2], dtype=np.float32)
    sigmoid = scores(Classifier(classifier(activation="sigmoid")), segment)
    assert sigmoid == pytest.approx([0.5, 1 / (1 + np.exp(-2))], abs=1e-6)
    softmax = scores(Classifier(classifier(activation="softmax")), segment)
    assert softmax == pytest.approx([1 / (1 + np.exp(2)), 1 / (1 + np.exp(-2))], abs=1e-6)
    loud = np.full(4, 1e4, dtype=np.float32)
    assert scores(Classifier(classifier(activation="sigmoid")), loud) == [1, 1]
    assert scores(Classifier(classifier(activation="softmax")), loud) == [0.5, 0.5]
    two = np.repeat(np.array([10, 0], dtype=np.float32), 10)
    found = scores(Classifier(classifier(activation="sigmoid", max_seconds=0.01)), two)
    assert found[0] == pytest.approx((1 / (1 + np.exp(-10)) + 0.5) / 2, abs=1e-6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(lengths=st.lists(st.integers(0, 60), min_size=1, max_size=9), size=st.integers(1, 8))
def test_a_batch_gives_what_each_segment_gives_alone(
    classifier: Make, lengths: list[int], size: int
) -> None:
    limits = {"min_seconds": 0.005, "max_seconds": 0.02, "hop_seconds": 0.01}
    model = Classifier(classifier(max_batch_size=size, **limits))
    random = np.random.default_rng(sum(lengths))
    batch = [random.standard_normal(length).astype(np.float32) for length in lengths]
    together = [list(output.values()) for output in model.infer_batch(batch)]
    for found, segment in zip(together, batch, strict=True):
        assert found == pytest.approx(scores(model, segment), abs=2e-6)


def test_a_score_that_is_no_number_is_an_error_of_that_segment(classifier: Make) -> None:
    nodes = [
        helper.make_node("ReduceMax", ["waveform", "time"], ["peak"]),
        helper.make_node("Log", ["peak"], ["scores"]),
    ]
    network = {"nodes": nodes, "outputs": {"scores": (FLOAT, ["batch", 1])}}
    model = Classifier(classifier(network, scores=["level"]))
    model.warm_up()  # on silence: that alone keeps nobody from serving
    assert model.infer(np.ones(4, dtype=np.float32)) == {"level": 0.0}
    with pytest.raises(ValueError, match=r"scores must be finite numbers; got {'level': -inf}"):
        model.infer(np.zeros(4, dtype=np.float32))
    with pytest.raises(ValueError, match="nan"):
        model.infer(-np.ones(4, dtype=np.float32))


def test_a_file_of_fixed_size_gets_exactly_that(classifier: Make) -> None:
    network = {"inputs": {"waveform": (FLOAT, [1, 100])}, "outputs": {"scores": (FLOAT, [1, 2])}}
    model = Classifier(classifier(network, min_seconds=0.1, max_seconds=0.1))
    model.warm_up()
    assert scores(model, np.ones(50, dtype=np.float32)) == [0.5, 1]
    assert scores(model, np.ones(250, dtype=np.float32)) == [1, 1]


def test_one_of_several_outputs_is_chosen(classifier: Make) -> None:
    network = {"outputs": {"mean": (FLOAT, ["batch", 1]), "scores": (FLOAT, ["batch", 2])}}
    model = Classifier(classifier(network, output="scores"))
    assert scores(model, ramp(11)) == [0.5, 1.0]


def waveform(dtype: int, *shape: int | str) -> dict[str, Any]:
    cast = helper.make_node("Cast", ["audio"], ["waveform"], to=FLOAT)
    flat = helper.make_node("Flatten", ["waveform"], ["flat"])
    return {
        "inputs": {"audio": (dtype, shape)},
        "nodes": [cast, flat, helper.make_node("Concat", ["flat", "flat"], ["scores"], axis=1)],
        "outputs": {"scores": (FLOAT, ["batch", None])},
    }


TWO_INPUTS = {
    "inputs": {"waveform": (FLOAT, ["batch", "samples"]), "rate": (onnx.TensorProto.INT64, [1])}
}


@pytest.mark.parametrize(
    ("network", "settings", "words"),
    [
        (
            TWO_INPUTS,
            {},
            "it has 2 inputs ('waveform', float32 [batch, samples] and 'rate', int64 [1]); "
            "wanted one, float32 [batch, samples]",
        ),
        (
            waveform(onnx.TensorProto.FLOAT16, "batch", "samples"),
            {},
            "its input is 'audio', float16 [batch, samples]; wanted float32 [batch, samples]",
        ),
        (
            waveform(FLOAT, "batch", 1, "samples"),
            {},
            "its input is 'audio', float32 [batch, 1, samples]; wanted float32 [batch, samples]",
        ),
        (
            waveform(FLOAT, 4, "samples"),
            {},
            "its input takes exactly 4 waveforms at once; wanted any number, or 1",
        ),
        (
            waveform(FLOAT, 1, "samples"),
            {"max_batch_size": 8},
            "takes one waveform at once, and 'classifier.max_batch_size' is 8",
        ),
        (
            waveform(FLOAT, "batch", 16_000),
            {"min_seconds": 0.5},
            "its input takes exactly 16000 samples, and windows have from 500 samples to no limit; "
            "wanted min_seconds and max_seconds both to be 16000 samples",
        ),
        (
            {},
            {"scores": ["arousal", "dominance", "valence"]},
            "its output 'scores' has 2 scores; "
            "'classifier.scores' names 3: arousal, dominance, valence",
        ),
        (
            {"outputs": {"mean": (FLOAT, ["b", 1]), "scores": (FLOAT, ["b", 2])}},
            {},
            "it has several outputs; name one of 'mean', 'scores' in 'classifier.output'",
        ),
        (
            {},
            {"output": "logits"},
            "no output 'logits'; 'classifier.output' may be one of 'scores'",
        ),
        (
            {
                "nodes": [
                    *nodes_for_statistics(),
                    helper.make_node("ArgMax", ["scores"], ["best"], axis=1),
                ],
                "outputs": {"best": (onnx.TensorProto.INT64, ["batch", 1])},
            },
            {},
            "its output is 'best', int64 [batch, 1]; wanted float32 [batch, 2]",
        ),
        ({}, {"file": "other.onnx"}, "other.onnx is not there; 'classifier.file' names it"),
    ],
)
def test_a_file_that_does_not_fit_is_explained(
    classifier: Make, network: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    folder = classifier(network, **settings)
    with pytest.raises(UnfitNetwork, match=re.escape(words)) as caught:
        Classifier(folder)
    assert str(folder / "model.onnx") in str(caught.value) or "other" in words


def test_every_difference_is_told_at_once(classifier: Make) -> None:
    folder = classifier(waveform(FLOAT, 4, 100), output="logits")
    with pytest.raises(UnfitNetwork) as caught:
        Classifier(folder)
    assert str(caught.value).count(";") >= 3


def test_scores_that_only_running_shows_to_be_others_are_explained(classifier: Make) -> None:
    model = Classifier(classifier(waveform(FLOAT, "batch", "samples")))
    with pytest.raises(UnfitNetwork, match=r"has the shape \[1, 2000\] .* wanted \[1, 2\]"):
        model.warm_up()


def test_what_is_no_onnx_is_explained(classifier: Make) -> None:
    folder = classifier()
    (folder / "model.onnx").write_bytes(b"not at all")
    with pytest.raises(UnfitNetwork, match=r"model\.onnx cannot be read as ONNX"):
        Classifier(folder)


def test_a_manifest_must_be_a_classifiers(classifier: Make) -> None:
    folder = classifier()
    text = json.loads((folder / "model.json").read_text())
    del text["classifier"]
    (folder / "model.json").write_text(json.dumps(text))
    with pytest.raises(BadManifest, match=r"model\.json: 'classifier' is missing; it is required"):
        Classifier(folder)
    (folder / "model.json").unlink()
    with pytest.raises(BadManifest, match=r"model\.json does not exist"):
        Classifier(folder)
