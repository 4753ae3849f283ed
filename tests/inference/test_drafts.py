"""What a model found for a segment so far is in its next inference, in real worker processes."""

import asyncio
from pathlib import Path

import pytest

from streamer.inference.drafts import SegmentDraft
from streamer.inference.job import InferenceFailed, Inferred, JobKind
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from tests.inference.misbehaving import DROP, FINE, FORGE, ODD, WORK
from tests.inference.test_pool import running, segment, until


def submit(
    pool: WorkerPool,
    draft: SegmentDraft | None,
    tag: int,
    what: int = FINE,
    *,
    kind: JobKind = "final",
    length: int = 100,
) -> Submission:
    audio = segment(what, tag, length)
    return pool.submit(audio, kind, session="s", channel="c", draft=draft)


async def test_a_draft_is_in_the_next_inference_and_not_in_the_output(tmp_path: Path) -> None:
    async with running(tmp_path, "Drafting", workers=1) as pool:
        assert pool.uses_drafts
        draft, other = SegmentDraft(), SegmentDraft()
        for tag, expected in ((1, ""), (2, "1"), (3, "12")):
            done = await submit(pool, draft, tag).result
            assert done.output == {"got": expected}
        assert draft.content == b"123"
        assert (await submit(pool, other, 4).result).output == {"got": ""}
        assert (await submit(pool, None, 5).result).output == {"got": ""}
        dropped = await submit(pool, draft, 6, DROP).result
        assert (dropped.output, dropped.dropped) == ({"got": "123"}, True)
        assert draft.content == b"1236"


async def test_an_inference_gets_what_is_known_when_it_begins(tmp_path: Path) -> None:
    """It was queued before the one before it had a result."""
    async with running(tmp_path, "Drafting", workers=1) as pool:
        draft = SegmentDraft()
        done = await asyncio.gather(*(submit(pool, draft, tag).result for tag in (1, 2, 3)))
        assert [each.output["got"] for each in done] == ["", "1", "12"]


async def test_an_inference_in_vain_leaves_its_draft(tmp_path: Path) -> None:
    async with running(tmp_path, "Drafting", workers=1) as pool:
        draft = SegmentDraft()
        vain = submit(pool, draft, 7, WORK, kind="early")
        await until((tmp_path / "begun").exists)
        vain.withdraw()
        done = await submit(pool, draft, 8).result
        assert done.output == {"got": "7"}


def test_the_draft_of_the_longest_audio_is_kept() -> None:
    draft = SegmentDraft()
    for content, samples in ((b"a", 5), (b"b", 9), (b"c", 7), (b"", 12), (b"d", 9)):
        draft.offer(content, samples)
    assert draft.content == b"d"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (ODD, "infer_request returned str in 'draft'; allowed: bytes, because uses_drafts is True"),
        (FORGE, "infer_request returned 65537 bytes in 'draft'; allowed: at most 65536"),
    ],
)
async def test_what_is_no_draft_fails_its_segment_and_leaves_the_last_one(
    tmp_path: Path, what: int, message: str
) -> None:
    async with running(tmp_path, "Drafting", workers=1) as pool:
        draft = SegmentDraft()
        await submit(pool, draft, 1).result
        with pytest.raises(InferenceFailed, match=message):
            await submit(pool, draft, 2, what).result
        assert draft.content == b"1"
        done: Inferred = await submit(pool, draft, 3).result
        assert done.output == {"got": "1"}


async def test_a_model_without_drafts_gets_none(tmp_path: Path) -> None:
    async with running(tmp_path, "Asked", workers=1) as pool:
        assert not pool.uses_drafts
        draft = SegmentDraft()
        await submit(pool, draft, 1).result
        assert draft.content == b""
