"""What is wanted of a segment reaches the model, in real worker processes."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from streamer.inference.ipc import DEFAULT_REQUEST
from streamer.inference.job import InferenceFailed, Inferred
from streamer.inference.pool import WorkerPool
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec
from tests.inference.misbehaving import DROP, FINE, RAISE
from tests.inference.test_pool import pool_of, running, segment

REQUEST = SegmentRequest(
    words=True,
    key_terms=("Jean Valjean", "Æthelred"),
    interim=True,
    speech_start_s=0.25,
    draft=b"of before",
)
INTERIM = SegmentRequest(interim=True)
WORD = {"text": "yes", "start_time": 0.0, "end_time": 0.5, "confidence": 0.75}


async def asked(
    pool: WorkerPool, number: int, request: SegmentRequest, kind: int = FINE
) -> Inferred:
    audio = segment(kind, float(number))
    return await pool.submit(audio, "final", session="s", channel=object(), request=request).result


async def test_the_model_gets_the_request(tmp_path: Path) -> None:
    async with running(tmp_path, "Asked", workers=1) as pool:
        assert pool.returns_words
        assert pool.uses_key_terms
        assert pool.languages == ("la",)
        done = await asked(pool, 1, REQUEST)
        expected = dataclasses.asdict(REQUEST)
        changed = {"key_terms": [*REQUEST.key_terms], "draft": "of before"}
        assert done.output["request"] == expected | changed
        assert done.output["words"] == [WORD]


async def test_each_segment_has_its_own_request(tmp_path: Path) -> None:
    """The model takes four at once, but not with requests."""
    async with running(tmp_path, "Asked", workers=1) as pool:
        plain = dataclasses.replace(REQUEST, words=False)
        done = await asyncio.gather(*(asked(pool, 1, each) for each in [REQUEST, plain] * 3))
        assert ["words" in each.output for each in done] == [True, False] * 3
        assert {each.output.get("batch") for each in done} == {None}


async def test_a_model_without_requests_is_as_it_was(tmp_path: Path) -> None:
    async with running(tmp_path, "Batcher", workers=1) as pool:
        assert not pool.returns_words
        assert not pool.uses_key_terms
        done = await asyncio.gather(*(asked(pool, i, REQUEST) for i in range(4)))
        assert [each.output["batch"] for each in done] == [4] * 4


WRONG_WORDS = pytest.mark.parametrize(
    ("number", "message"),
    [
        (2, "'words' is \"yes\"; allowed: a list"),
        (3, "'words[1].confidence' is 1.5; allowed: a number from 0"),
        (4, "'words[0].start_time' is missing"),
        (5, "'words[0].start_time' is null; allowed: a number"),
    ],
)


@WRONG_WORDS
async def test_words_of_the_wrong_shape_are_the_models_failure(
    tmp_path: Path, number: int, message: str
) -> None:
    async with running(tmp_path, "Asked", workers=1) as pool:
        with pytest.raises(InferenceFailed) as failure:
            await asked(pool, number, REQUEST)
        assert message in str(failure.value)
        assert (await asked(pool, 0, REQUEST)).output["words"] == []


@WRONG_WORDS
async def test_words_of_the_gate_are_checked_in_the_same_way(
    tmp_path: Path, number: int, message: str
) -> None:
    async with running(tmp_path, "GateWithWords", workers=1) as pool:
        with pytest.raises(InferenceFailed) as failure:
            await asked(pool, number, REQUEST, DROP)
        assert message in str(failure.value)
        assert failure.value.where.endswith(" in gate")
        assert "misbehaving.py" in failure.value.where
        done = await asked(pool, 1, REQUEST, DROP)
        assert (done.output, done.dropped) == ({"words": [WORD]}, True)


async def test_a_model_that_raises_fails_its_segment_only(tmp_path: Path) -> None:
    async with running(tmp_path, "Asked", workers=1) as pool:
        bad, good = asked(pool, 1, DEFAULT_REQUEST, RAISE), asked(pool, 1, DEFAULT_REQUEST)
        with pytest.raises(InferenceFailed, match="told to fail") as failure:
            await bad
        assert "misbehaving.py" in failure.value.where
        assert (await good).output["tag"] == 1


@pytest.mark.parametrize("model", ["Asked", "Batcher"])
async def test_a_request_that_no_message_can_hold_fails_alone(tmp_path: Path, model: str) -> None:
    """The others of its batch have results, and the worker lives."""
    async with running(tmp_path, model, workers=1) as pool:
        fine = dataclasses.replace(REQUEST, words=False)
        bad = dataclasses.replace(fine, key_terms=("\ud800x",))
        asks = [asked(pool, number, bad if number % 2 else fine) for number in range(4)]
        answers = await asyncio.gather(*asks, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Inferred, InferenceFailed] * 2
        assert "cannot be sent to a worker" in str(answers[1])
        with pytest.raises(InferenceFailed):
            await asked(pool, 1, bad)
        assert (await asked(pool, 7, fine)).output["tag"] == 7
        assert not any(pool.counters.workers_replaced.values())


@asynccontextmanager
async def pair(folder: Path, model: str) -> AsyncIterator[WorkerPool]:
    """A pool of one worker, with a second model for interims."""
    (folder / "small").mkdir()
    here = str(Path(__file__).parent)
    spec = ModelSpec(
        f"misbehaving:{model}",
        "test",
        str(folder),
        search_path=(here,),
        interim_folder=str(folder / "small"),
    )
    async with pool_of(spec, workers=1) as pool:
        yield pool


async def test_each_model_of_a_pair_gets_its_segments_in_batches(tmp_path: Path) -> None:
    kinds = [INTERIM, DEFAULT_REQUEST, DEFAULT_REQUEST, INTERIM]
    async with pair(tmp_path, "Batcher") as pool:
        done = await asyncio.gather(*(asked(pool, i, kind) for i, kind in enumerate(kinds)))
        assert [each.output["tag"] for each in done] == [0, 1, 2, 3]
        assert [each.output["folder"] for each in done] == [
            "small" if kind.interim else tmp_path.name for kind in kinds
        ]
        assert [each.output["batch"] for each in done] == [2] * 4


async def test_a_batch_of_a_pair_that_fails_is_split_for_its_model(tmp_path: Path) -> None:
    kinds = [(FINE, INTERIM), (RAISE, DEFAULT_REQUEST), (FINE, DEFAULT_REQUEST), (FINE, INTERIM)]
    async with pair(tmp_path, "Batcher") as pool:
        results = [asked(pool, i, request, what) for i, (what, request) in enumerate(kinds)]
        done = await asyncio.gather(*results, return_exceptions=True)
        assert isinstance(done[1], InferenceFailed)
        others = [each for each in done if isinstance(each, Inferred)]
        assert [each.output["tag"] for each in others] == [0, 2, 3]
        assert [each.output["batch"] for each in others] == [2, 1, 2]


async def test_a_pair_with_requests_gets_one_segment_after_another(tmp_path: Path) -> None:
    async with pair(tmp_path, "Asked") as pool:
        kinds = [INTERIM, DEFAULT_REQUEST] * 2
        done = await asyncio.gather(*(asked(pool, 1, each) for each in kinds))
        assert [each.output["folder"] for each in done] == ["small", tmp_path.name] * 2
        assert {each.output.get("batch") for each in done} == {None}
