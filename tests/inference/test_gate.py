"""A model's gate, in real worker processes: what it drops is answered without inference."""

import asyncio
from pathlib import Path

import pytest

from streamer.inference.job import InferenceFailed
from tests.inference.misbehaving import DROP, FINE, RAISE_IN_GATE
from tests.inference.test_pool import infer, running, segment


async def test_a_dropped_segment_gets_the_output_of_the_gate(tmp_path: Path) -> None:
    async with running(tmp_path, "Gated", workers=1) as pool:
        dropped, inferred = await asyncio.gather(infer(pool, DROP, 7), infer(pool, FINE, 7))
        assert (dropped.output, dropped.dropped) == ({"dropped": 7.0}, True)
        assert (inferred.output["tag"], inferred.dropped) == (7, False)


async def test_a_model_may_drop_a_segment_after_inference(tmp_path: Path) -> None:
    async with running(tmp_path, "Doubting", workers=1) as pool:
        dropped, inferred = await asyncio.gather(infer(pool, DROP, 7), infer(pool, FINE, 7))
        assert (dropped.output, dropped.dropped) == ({"dropped": 7.0}, True)
        assert (inferred.output["tag"], inferred.dropped) == (7, False)


async def test_only_the_others_of_a_batch_are_inferred_in_order(tmp_path: Path) -> None:
    async with running(tmp_path, "Gated", workers=1) as pool:
        kinds = (FINE, DROP, FINE, DROP)
        done = await asyncio.gather(*(infer(pool, what, i) for i, what in enumerate(kinds)))
        assert [result.dropped for result in done] == [False, True, False, True]
        assert [result.output.get("tag") for result in done] == [0, None, 2, None]
        assert [result.output.get("batch") for result in done] == [2, None, 2, None]


async def test_a_gate_that_raises_fails_its_segment_only(tmp_path: Path) -> None:
    async with running(tmp_path, "Gated", workers=1) as pool:
        bad, good = infer(pool, RAISE_IN_GATE), infer(pool, FINE, 3)
        with pytest.raises(InferenceFailed, match="told to fail in the gate") as failure:
            await bad
        assert "misbehaving.py" in failure.value.where
        assert (await good).output["tag"] == 3


async def test_a_dropped_segment_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    async with running(None, "GatedRunning") as pool:
        state, sums = None, []
        for what in (FINE, DROP, FINE, DROP):
            audio = segment(what, 2.0)
            done = await pool.submit(audio, "final", session=1, channel=1, state=state).result
            state = done.state
            sums.append(done.output.get("sum"))
        assert sums == [2.0, None, 4.0, None]


async def test_what_is_dropped_is_no_measure_of_inference(tmp_path: Path) -> None:
    async with running(tmp_path, "Gated", workers=1) as pool:
        expected_s = pool.queue.lead_seconds(1.0)
        for _ in range(5):
            await infer(pool, DROP)
        assert pool.queue.lead_seconds(1.0) == expected_s
        await infer(pool, FINE)
        assert pool.queue.lead_seconds(1.0) != expected_s
