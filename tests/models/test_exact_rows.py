"""A token of the decoder gets the same bits whatever else is in its pass, on real audio."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.model import SegmentRequest
from streamer.models.moonshine import graphs, transcriber
from streamer.models.moonshine.decoding import START_TOKEN
from streamer.models.moonshine.exact_rows import rows_are_exact
from streamer.models.moonshine.passes import DecoderNetwork
from streamer.models.moonshine.steps import Pass, Step
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Array, Floats
from streamer.onnx.runtime import OnnxSession, open_network, supports_int8_products
from streamer.weights.manifest import require

RATE = Moonshine.sample_rate
RECORDINGS = (("two_cities", 0, 4), ("two_cities", 10, 22), ("beckett", 0, 8))
"""Names, and seconds from the beginning to those of the end."""


def spoken(name: str, begin_s: int, end_s: int) -> Floats:
    path = require("moonshine-tiny-en") / f"{name}.wav"
    rate = soundfile.info(path).samplerate
    samples, _ = soundfile.read(path, start=begin_s * rate, stop=end_s * rate, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


class Reader:
    """Reads the texts of the recordings with one model's decoder."""

    def __init__(self, folder: Path, *, signed: bool) -> None:
        sizes, layers = graphs.sizes(folder), [1, 3]
        decoder = graphs.decoder(folder, signed=signed, query_layers=layers)
        self.network = DecoderNetwork(open_network(decoder), sizes, layers)
        model = Moonshine(folder)
        audio = [spoken(*recording) for recording in RECORDINGS]
        self.audio = [model.encoder_caches(samples) for samples in audio]
        self.texts = [[START_TOKEN, *model.tokens(samples)] for samples in audio]
        self.alone = [self.read(number, range(len(self.texts[number]) + 1)) for number in range(3)]

    def read(self, number: int, places: Sequence[int]) -> list[Pass]:
        """The passes over a text that is divided at these places."""
        tokens, before, passes = self.texts[number], self.network.start, list[Pass]()
        for begin, end in pairwise(places):
            passes.append(
                self.network.run(self.audio[number], tokens[begin:end], before, queries=True)
            )
            before = Step(passes[-1], end - begin - 1)
        return passes


@pytest.fixture(
    scope="module",
    params=[("tiny", True), ("tiny", False), ("base", True), ("base", False)],
    ids=lambda param: f"{param[0]}-{'signed' if param[1] else 'unsigned'}",
)
def reader(request: pytest.FixtureRequest) -> Reader:
    name, signed = request.param
    if signed and not supports_int8_products():
        pytest.skip("this processor does not add products of int8 without saturation")
    reader = Reader(require(f"moonshine-{name}-en"), signed=signed)
    if not rows_are_exact(reader.network):
        pytest.skip("on this machine, a token's scores depend on its pass")
    return reader


@settings(max_examples=10)
@given(number=st.integers(0, 2), lengths=st.lists(st.integers(1, 20), min_size=1))
def test_a_token_has_the_same_bits_in_every_pass(
    reader: Reader, number: int, lengths: list[int]
) -> None:
    most = len(reader.texts[number])
    places = [place for place in accumulate(lengths, initial=0) if place < most]
    passes, alone = reader.read(number, [*places, most]), reader.alone[number]
    found, expected = tensors(passes), tensors(alone)
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, expected[name], name)


def tensors(passes: Sequence[Pass]) -> dict[str, Floats]:
    """All that was returned for a text."""
    queries = {
        f"queries {layer}": np.concatenate([each.queries[layer] for each in passes], axis=1)
        for layer in range(len(passes[0].queries))
    }
    caches = {f"cache {number}": cache for number, cache in enumerate(passes[-1].caches)}
    return {"logits": np.concatenate([each.logits for each in passes]), **queries, **caches}


class Coarse:
    """A session in which a pass of several tokens rounds differently."""

    def __init__(self, session: OnnxSession) -> None:
        self._session = session
        self.most = 0
        """Tokens in a pass."""

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, Array]) -> Sequence[Array]:
        logits, *rest = self._session.run(outputs, inputs)
        if "tokens" not in inputs:
            return [logits, *rest]
        count = inputs["tokens"].shape[1]
        self.most = max(self.most, count)
        return [np.multiply(logits, 1 + 1e-6 * (count > 3), dtype=np.float32), *rest]

    def get_inputs(self) -> Sequence[Any]:
        return self._session.get_inputs()

    def get_outputs(self) -> Sequence[Any]:
        return self._session.get_outputs()


def test_where_rounding_depends_on_the_pass_each_token_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sessions: list[Coarse] = []

    def coarse(model: bytes | Path, threads: int = 1) -> OnnxSession:
        sessions.append(Coarse(open_network(model, threads)))
        return sessions[-1]

    monkeypatch.setattr(transcriber, "open_network", coarse)
    model = Moonshine(require("moonshine-tiny-en"))
    assert not model.uses_drafts
    for session in sessions:
        session.most = 0
    samples = spoken("two_cities", 0, 4)
    terms = ("wisdom", "best of times", "Kubernetes")
    output = model.infer_request(samples, SegmentRequest(words=True, key_terms=terms))
    assert "draft" not in output
    assert "best of times" in str(output["text"])
    assert {session.most for session in sessions} == {0, 1}
