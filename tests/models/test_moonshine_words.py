"""Words and confidence out of the real network."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.model import SegmentRequest
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import MANIFEST, BadManifest, require
from tools.harness.sounds import recording

RATE = 16_000
WORDS = SegmentRequest(words=True)


@pytest.fixture(scope="module")
def model() -> Moonshine:
    return Moonshine(require("moonshine-tiny-en"))


@pytest.fixture(scope="module")
def speech() -> Floats:
    samples, rate = recording("beckett.wav")
    assert rate == RATE
    return samples.astype(np.float32)


def words_of(output: Any, audio_s: float) -> list[dict[str, Any]]:
    """The words of an output that has the right shape."""
    words: list[dict[str, Any]] = output["words"]
    assert " ".join(word["text"] for word in words) == output["text"]
    for word in words:
        assert 0 <= word["start_time"] <= word["end_time"] <= audio_s
        assert 0 <= word["confidence"] <= 1
    assert all(one["end_time"] <= other["start_time"] for one, other in pairwise(words))
    return words


def test_words_are_where_they_were_said(model: Moonshine, speech: Floats) -> None:
    """Between the pauses of the recording; without them, nothing else is different."""
    output = model.infer_request(speech, WORDS)
    words = words_of(output, len(speech) / RATE)
    level = np.array([np.square(speech[at : at + 800]).mean() for at in range(0, len(speech), 800)])
    for word in words:
        within = level[int(word["start_time"] / 0.05) : int(word["end_time"] / 0.05) + 1]
        assert within.max() > 1e-4, word
    plain = model.infer_request(speech, SegmentRequest())
    assert plain == {key: value for key, value in output.items() if key != "words"}
    assert {**model.infer(speech), "draft": plain["draft"]} == plain


def test_the_confidence_of_a_segment_is_the_mean_of_its_words(
    model: Moonshine, speech: Floats
) -> None:
    output: Any = model.infer_request(speech, WORDS)
    mean = np.mean([word["confidence"] for word in output["words"]])
    assert output["confidence"] == pytest.approx(mean, abs=1e-4)
    noisy = speech + np.random.default_rng(5).normal(0, 0.05, len(speech)).astype(np.float32)
    worse: Any = model.infer_request(noisy, SegmentRequest())
    assert worse["confidence"] < output["confidence"] - 0.1


def test_an_interim_has_neither_words_nor_confidence(model: Moonshine, speech: Floats) -> None:
    output = model.infer_request(speech, SegmentRequest(interim=True))
    output.pop("draft", None)  # which is for the next inference
    assert output == {"text": model.infer(speech)["text"]}


@pytest.mark.parametrize("request_", [SegmentRequest(), SegmentRequest(interim=True)])
def test_words_cost_nothing_where_they_are_not_requested(
    request_: SegmentRequest, model: Moonshine, speech: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network returns no queries, and nothing is aligned."""
    session, returned = model.decoder.network._session, set[str]()

    class Noting:
        def run(self, outputs: list[str], inputs: Any) -> Any:
            returned.update(outputs)
            return session.run(outputs, inputs)

    monkeypatch.setattr(model.decoder.network, "_session", Noting())
    monkeypatch.setattr("streamer.models.moonshine.words.align", pytest.fail)
    assert model.infer_request(speech[: 2 * RATE], request_)["text"]
    assert "logits" in returned
    assert {name for name in returned if name.startswith("query")} == set()


def test_no_word_begins_before_speech_was_found(model: Moonshine, speech: Floats) -> None:
    silent = np.concatenate([np.zeros(2 * RATE, np.float32), speech[: 2 * RATE]])
    output = model.infer_request(silent, SegmentRequest(words=True, speech_start_s=2.3))
    words = words_of(output, 4.0)
    assert 2.3 <= words[0]["start_time"] < 2.6


@pytest.mark.parametrize("speech_start_s", [-1.0, 0.0, 1.99, 2.0, 50.0])
def test_speech_found_anywhere_else_is_no_trouble(
    model: Moonshine, speech: Floats, speech_start_s: float
) -> None:
    request = SegmentRequest(words=True, speech_start_s=speech_start_s)
    words_of(model.infer_request(speech[: 2 * RATE], request), 2.0)


def test_a_repetition_that_is_cut_has_the_times_of_the_whole(
    model: Moonshine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two words for half a minute: the audio is inferred in pieces, whose times follow on."""
    samples, _ = recording("beckett.wav")
    again = samples[round(4.9 * RATE) : round(5.75 * RATE)].astype(np.float32)
    audio = np.tile(again, 30)
    pieces: list[float] = []
    decode = model._decode

    def noted(piece: Floats, *args: Any, **kwargs: Any) -> Any:
        pieces.append(len(piece) / RATE)
        return decode(piece, *args, **kwargs)

    monkeypatch.setattr(model, "_decode", noted)
    output = model.infer_request(audio, WORDS)
    assert len(pieces) > 1, "the decoder did not repeat itself: another phrase is needed"
    words = words_of(output, len(audio) / RATE)
    assert len(words) > 40
    starts = np.array([word["start_time"] for word in words])
    assert starts[-1] > len(audio) / RATE - 2
    assert np.diff(starts).max() < 2.0, "a piece without its place leaves a gap"


def test_what_is_no_word_has_none(model: Moonshine) -> None:
    """Of what the network says of a tone, nothing is left, or it has the right shape."""
    tone = 0.1 * np.sin(np.arange(2 * RATE) * 0.3).astype(np.float32)
    output = model.infer_request(tone, WORDS)
    if output["text"]:
        words_of(output, 2.0)
    else:
        assert "words" not in output
        assert "confidence" not in output


@pytest.mark.parametrize("samples", [1, 100, 1_600, 4_000])
def test_the_shortest_audio(model: Moonshine, speech: Floats, samples: int) -> None:
    output = model.infer_request(speech[6_000 : 6_000 + samples], WORDS)
    if output["text"]:
        words_of(output, samples / RATE)


def test_a_folder_that_says_nothing_of_words_has_none(
    tmp_path_factory: pytest.TempPathFactory, speech: Floats
) -> None:
    folder = tmp_path_factory.mktemp("unnamed")
    for file in require("moonshine-tiny-en").iterdir():
        if file.suffix in (".ort", ".bin"):
            (folder / file.name).symlink_to(file.resolve())
    model = Moonshine(folder)
    assert not model.returns_words
    assert model.infer(speech[:RATE])["confidence"]


HEADS = "[layer, head], a layer from 0 to 5 and a head from 0 to 7"


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ([[0, 20]], f"'words.heads[0]' is [0, 20]; allowed: {HEADS}"),
        ([[0, 0], [6, 0]], f"'words.heads[1]' is [6, 0]; allowed: {HEADS}"),
        ([[0, 8]], f"'words.heads[0]' is [0, 8]; allowed: {HEADS}"),
        ([[0, -1]], "'words.heads[0][1]' is -1; allowed: a whole number at least 0"),
        ([[1]], "'words.heads[0]' is [1]; allowed: a list of 2"),
        ([], "'words.heads' is []; allowed: a list of at least 1"),
    ],
)
def test_heads_that_the_decoder_has_not_are_told(
    tmp_path: Path, heads: list[list[int]], message: str
) -> None:
    source = require("moonshine-tiny-en")
    for path in source.iterdir():
        (tmp_path / path.name).symlink_to(path)
    told = json.loads((source / MANIFEST).read_text())
    told["words"]["heads"] = heads
    (tmp_path / MANIFEST).unlink()
    (tmp_path / MANIFEST).write_text(json.dumps(told))
    with pytest.raises(BadManifest, match=re.escape(f"{tmp_path / MANIFEST}: {message}")):
        Moonshine(tmp_path, gate=False)
