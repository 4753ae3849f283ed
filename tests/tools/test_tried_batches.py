"""Several segments in a pass, and early finals in vain: what the two benchmarks compare."""

import random
from typing import Any

import numpy as np
import pytest

from streamer.models.moonshine.transcriber import Moonshine, max_tokens
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import WINDOW
from streamer.weights.manifest import require

pytest.importorskip("matplotlib")

from tools.bench import early_finals, networks, reference
from tools.bench.alternatives.shared_passes import SharedDecoder
from tools.bench.curve import ScoredChannel


@pytest.fixture(scope="module")
def model() -> Moonshine:
    return Moonshine(require(reference.MODEL))


def test_segments_in_a_pass_get_the_tokens_that_they_get_alone(model: Moonshine) -> None:
    found = [*networks.segments(), np.zeros(16_000, np.float32)]
    alone = [model.tokens(samples) for samples in found]
    audio = [model.encoder_caches(samples) for samples in found]
    decoder = SharedDecoder(require(reference.MODEL), 4)
    chance = random.Random(0)
    for _ in range(4):
        together = chance.sample(range(len(found)), chance.randint(2, 4))
        passes = decoder.passes
        tokens = decoder.tokens(
            [audio[at] for at in together], [max_tokens(found[at]) for at in together]
        )
        assert tokens == [alone[at] for at in together]
        assert decoder.passes - passes == 1 + max(map(len, tokens))  # one more for the last end


def channel(*seconds: float) -> ScoredChannel:
    """Speech and silence of these lengths in turn."""
    windows = [round(each * 16_000 / WINDOW) for each in seconds]
    probabilities = [
        0.9 if turn % 2 == 0 else 0.0 for turn, count in enumerate(windows) for _ in range(count)
    ]
    samples = np.arange(len(probabilities) * WINDOW, dtype=np.float32)
    return ScoredChannel(samples, probabilities)


@pytest.mark.parametrize(
    ("pauses", "in_vain"),
    [
        pytest.param([1.0], 0, id="the segment ends"),
        pytest.param([0.3, 1.0], 0, id="speech resumes before an early final begins"),
        pytest.param([0.56, 1.0], 1, id="after"),
        pytest.param([0.56, 0.56, 1.0], 2, id="twice"),
    ],
)
def test_an_early_final_is_in_vain_if_speech_resumes(pauses: list[float], in_vain: int) -> None:
    speech = channel(*(each for pause in pauses for each in (2.0, pause)))
    (whole,) = early_finals.wholes(speech, factor=0.01)
    assert len(whole.vain) == in_vain
    for each in whole.vain:
        assert len(each.samples) < len(whole.samples)
        assert 0 < each.cpu_s < 0.2
        assert (each.samples == whole.samples[: len(each.samples)]).all()


def test_what_an_early_final_in_vain_found_saves_passes(model: Moonshine) -> None:
    samples: Floats = networks.segments()[0]
    begun = early_finals.Vain(samples[: len(samples) * 3 // 4], cpu_s=60)
    found = [early_finals.Whole(samples, [begun])]
    loops: dict[str, list[early_finals.Spent]] = {
        way: [early_finals.infer(model, found, **options)]
        for way, options in early_finals.WAYS.items()
    }
    alone, without, drafted = (loops[way][0] for way in ("alone", "no drafts", "drafts"))
    assert alone.passes < drafted.passes < without.passes
    assert alone.texts == without.texts == drafted.texts
    assert not model.unwanted()
    row: dict[str, Any] = early_finals.row("m", found, loops)
    assert (row["finals"], row["in vain"]) == (1, 1)


def test_an_early_final_ends_when_speech_resumes(model: Moonshine) -> None:
    begun = early_finals.Vain(networks.segments()[0], cpu_s=0)
    passes = model.decoder.network.runs
    assert early_finals.until_unwanted(model, begun, b"") == b""
    assert model.decoder.network.runs == passes


def test_new_work_is_what_drafts_do_not_bring_back() -> None:
    whole = early_finals.Whole(np.zeros(160_000, np.float32), [])
    loops = {
        "alone": [early_finals.Spent([], 0.08, 0, 80)],
        "no drafts": [early_finals.Spent([], 0.125, 0.05, 120)],
        "drafts": [early_finals.Spent([], 0.1, 0.05, 90)],
    }
    row = early_finals.row("m", [whole], loops)
    assert (row["in vain, %"], row["new work in vain, %"]) == (40, 20)
    assert row["drafts, ms/s"] == 10
