"""Words with times and certainty: the path through attention, and what is made of it."""

import itertools
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streamer.inference.timed_words import disorder, placed
from streamer.models.moonshine.alignment import Frames, align, best_path, scores
from streamer.models.moonshine.decoding import CrossAttention, Decoded
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.models.moonshine.words import FRAME_S, Piece, place, timed_words
from streamer.onnx.graph import Floats
from streamer.weights.manifest_schema import WordTimes

VALUES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 8), st.integers(1, 12)),
    elements=st.integers(-8, 8).map(float),
)


def best_sum(values: Floats) -> float:
    """The sum of the best path, by the textbook's double loop."""
    best = np.full(values.shape, -np.inf)
    for row, column in itertools.product(*map(range, values.shape)):
        before = [0.0] if row == 0 else [best[row - 1, column]]
        if column:
            before += [best[row, column - 1], *([best[row - 1, column - 1]] if row else [])]
        best[row, column] = values[row, column] + max(before)
    return float(best[-1].max())


@given(VALUES)
def test_the_path_is_a_best_one(values: Floats) -> None:
    path = best_path(values)
    assert len(path) == len(values)
    assert all(0 <= one.first <= one.last < values.shape[1] for one in path)
    for one, following in itertools.pairwise(path):
        assert following.first in (one.last, one.last + 1)
    total = sum(row[one.first : one.last + 1].sum() for row, one in zip(values, path, strict=True))
    assert total == best_sum(values)


def test_no_tokens_have_no_path() -> None:
    assert best_path(np.zeros((0, 5), np.float32)) == []


@pytest.mark.parametrize("values_at_once", [1, 400, 1 << 19])
def test_scores_are_normalized_attention(
    values_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether heads are processed one by one, two at once or all together."""
    monkeypatch.setattr("streamer.models.moonshine.alignment.VALUES_AT_ONCE", values_at_once)
    random = np.random.default_rng(7)
    queries, keys = (random.normal(size=(3, n, 6)).astype(np.float32) * 2 for n in (5, 40))
    weights = np.exp(queries @ keys.transpose(0, 2, 1) / np.sqrt(6))
    weights /= weights.sum(axis=2, keepdims=True)
    normalized = weights - weights.mean(axis=2, keepdims=True)
    normalized /= weights.std(axis=2, keepdims=True)
    np.testing.assert_allclose(scores(queries, keys), normalized.mean(axis=0), atol=1e-4)


def test_heads_that_attend_to_all_frames_alike_have_no_say() -> None:
    assert np.isfinite(
        scores(np.zeros((2, 3, 6), np.float32), np.ones((2, 9, 6), np.float32))
    ).all()


def attending_to(frames: Sequence[int], count: int) -> tuple[Floats, Floats]:
    """Queries and keys of two heads, whose token i attends to `frames[i]` of `count`."""
    keys = np.eye(count, dtype=np.float32) * 40
    return np.stack([keys[list(frames)] / 4] * 2), np.stack([keys] * 2)


def test_tokens_are_where_they_attend_to() -> None:
    path = align(*attending_to([2, 5, 9], 12))
    assert [one.first <= frame <= one.last for one, frame in zip(path, [2, 5, 9], strict=True)]
    assert path[0].first == 2
    assert path[-1].last == 9


def test_no_token_is_before_the_first_frame() -> None:
    """A head that looks at the beginning for want of anything better."""
    path = align(*attending_to([0, 5, 9], 12), first_frame=4)
    assert path[0].first == 4


@pytest.mark.parametrize("first_frame", [-3, 11, 12, 1000])
def test_one_frame_is_left_at_least(first_frame: int) -> None:
    path = align(*attending_to([2, 5], 12), first_frame=first_frame)
    assert all(0 <= one.first <= one.last <= 11 for one in path)


PIECES: list[str | bytes] = [
    "▁it",
    "▁was",
    ",",
    "▁sea",
    "son",
    ".",
    "▁",
    "-",
    b"\xc3",
    b"\xa9",
    "</s>",
    "▁a▁b",
]
TOKENIZER = Tokenizer([piece.encode() if isinstance(piece, str) else piece for piece in PIECES])
TOKENS = st.lists(st.integers(0, len(PIECES) - 1), max_size=30)
SECONDS = st.floats(0, 5)


@given(
    TOKENS,
    st.lists(st.integers(0, 200), min_size=60, max_size=60),
    st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    st.tuples(SECONDS, SECONDS).map(sorted),
    st.lists(st.floats(-20, 0.01), min_size=30, max_size=30),
)
def test_times_are_in_order_within_the_speech_and_never_overlap(
    tokens: list[int],
    bounds: list[int],
    offsets_s: tuple[float, float],
    speech_s: list[float],
    log_probabilities: list[float],
) -> None:
    bounds.sort()
    frames = [Frames(*pair) for pair in zip(bounds[::2], bounds[1::2], strict=True)]
    first_s, last_s = speech_s
    words = place(
        TOKENIZER,
        tokens,
        log_probabilities,
        frames,
        offsets_s=offsets_s,
        speech_s=(first_s, last_s),
    )
    assert " ".join(word.text for word in words) == TOKENIZER.decode(tokens)
    times = [time for word in words for time in (word.start_time, word.end_time)]
    assert times == sorted(times)
    assert all(first_s <= time <= last_s for time in times)
    assert all(0 <= word.confidence <= 1 for word in words)


def random_piece(
    random: np.random.Generator, tokens: list[int], start_s: float, length_s: float, sharpness: int
) -> Piece:
    """A piece of a segment, whose decoder has attended to anything; two layers with two heads."""
    steps, frames = len(tokens) + 1, int(length_s / FRAME_S) + 5
    queries, keys = (
        {layer: random.normal(0, sharpness, size).astype(np.float32) for layer in (0, 1)}
        for size in ((steps, 2, 4), (2, frames, 4))
    )
    log_probabilities = (-random.exponential(1, steps)).tolist()
    decoded = Decoded(tokens, True, log_probabilities, CrossAttention(queries, keys))
    return Piece(tokens, decoded, start_s, length_s)


@given(
    seed=st.integers(0, 1000),
    sharpness=st.integers(0, 6),
    texts=st.lists(TOKENS, min_size=1, max_size=4),
    cuts_s=st.lists(SECONDS, min_size=3, max_size=3),
    length_s=st.floats(0.1, 6),
    speech_start_s=st.floats(-1, 7),
    offsets_ms=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    segment_start_s=st.floats(0, 10_000).map(lambda time: round(time, 3)),
)
def test_words_of_any_attention_in_any_pieces_are_in_order_within_the_segment(
    seed: int,
    sharpness: int,
    texts: list[list[int]],
    cuts_s: list[float],
    length_s: float,
    speech_start_s: float,
    offsets_ms: tuple[float, float],
    segment_start_s: float,
) -> None:
    random = np.random.default_rng(seed)
    inner = sorted(min(cut, length_s) for cut in cuts_s[: len(texts) - 1])
    edges = itertools.pairwise([0.0, *inner, length_s])
    times = WordTimes(
        heads=((0, 1), (1, 0)), start_offset_ms=offsets_ms[0], end_offset_ms=offsets_ms[1]
    )
    words = [
        word
        for tokens, (start_s, end_s) in zip(texts, edges, strict=True)
        for word in timed_words(
            TOKENIZER,
            random_piece(random, tokens, start_s, end_s - start_s, sharpness),
            times,
            speech_start_s,
        )
    ]
    text = " ".join(filter(None, map(TOKENIZER.decode, texts)))
    assert " ".join(word.text for word in words) == text
    output = [msgspec.structs.asdict(word) for word in words]
    assert list(disorder(words, length_s)) == []
    segment_end_s = round(segment_start_s + length_s, 3)
    in_stream = placed(output, segment_start_s, segment_end_s)
    bounds = [word[edge] for word in in_stream for edge in ("start_time", "end_time")]
    assert bounds == sorted(bounds)
    assert all(segment_start_s <= bound <= segment_end_s for bound in bounds)


def words_of(
    tokens: list[int], frames: list[tuple[int, int]], *, end_s: float = 9.0
) -> list[object]:
    pairs = [Frames(*pair) for pair in frames]
    log_probabilities = np.log([0.9, 0.5, 0.2, 0.8, 0.7, 0.1]).tolist()
    return [
        (
            word.text,
            round(word.start_time / FRAME_S),
            round(word.end_time / FRAME_S),
            round(word.confidence, 3),
        )
        for word in place(
            TOKENIZER,
            tokens,
            log_probabilities,
            pairs,
            offsets_s=(0.0, 0.0),
            speech_s=(0.0, end_s),
        )
    ]


def test_punctuation_counts_neither_for_times_nor_for_confidence() -> None:
    """`it was, season.`: the comma has the pause, and a probability of 0.2."""
    frames = [(1, 3), (4, 8), (8, 20), (20, 24), (24, 30), (30, 50)]
    assert words_of([0, 1, 2, 3, 4, 5], frames) == [
        ("it", 1, 4, 0.9),
        ("was,", 4, 9, 0.5),
        ("season.", 20, 31, 0.7),
    ]


def test_starts_and_ends_are_moved_by_the_offsets_of_the_model() -> None:
    """Within the speech, and never over each other."""
    frames = [Frames(10, 14), Frames(20, 30), Frames(31, 49)]

    def times(start_s: float, end_s: float) -> list[tuple[float, float]]:
        placed_words = place(
            TOKENIZER, [0, 1, 11], [0.0] * 3, frames, offsets_s=(start_s, end_s), speech_s=(0, 1.2)
        )
        return [(round(word.start_time, 3), round(word.end_time, 3)) for word in placed_words]

    plain = times(0, 0)
    assert plain[0] == (0.24, 0.36)
    assert times(0.03, -0.02)[0] == (0.27, 0.34)
    assert times(-0.014, -0.04)[1][0] == pytest.approx(plain[1][0] - 0.014)
    assert times(0.0, 0.1)[-1][1] == 1.2
    overlapping = times(-0.2, 0.2)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(overlapping))


def test_the_offsets_of_the_manifest_are_milliseconds() -> None:
    piece = random_piece(np.random.default_rng(3), [0], 2.0, 4.0, 5)

    def times_of(start_ms: float, end_ms: float) -> tuple[float, float]:
        times = WordTimes(heads=((0, 1),), start_offset_ms=start_ms, end_offset_ms=end_ms)
        (word,) = timed_words(TOKENIZER, piece, times, 0.0)
        return word.start_time, word.end_time

    start_s, end_s = times_of(0, 0)
    assert 2.1 < start_s < end_s < 5.9
    assert times_of(-60, 40) == pytest.approx((start_s - 0.06, end_s + 0.04))


def test_one_token() -> None:
    assert words_of([0], [(3, 5)]) == [("it", 3, 6, 0.9)]


def test_no_tokens() -> None:
    assert words_of([], []) == []


def test_a_mark_without_letters_is_a_word() -> None:
    assert words_of([0, 6, 7, 1], [(0, 2), (3, 3), (4, 6), (7, 9)]) == [
        ("it", 0, 3, 0.9),
        ("-", 4, 7, 0.2),
        ("was", 7, 10, 0.8),
    ]


def test_no_word_ends_after_the_audio() -> None:
    """The silence that the encoder needs has frames, too."""
    assert words_of([0, 1], [(0, 2), (3, 20)], end_s=10 * FRAME_S)[-1] == ("was", 3, 10, 0.5)
