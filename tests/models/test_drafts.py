"""Drafts: whatever they are, the search finds the same; good ones save passes."""

import struct
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from streamer.model import SegmentRequest, Unwanted
from streamer.models.moonshine.byte_pair_encoding import FIRST_PIECE
from streamer.models.moonshine.decoding import (
    END_TOKEN,
    Decoded,
    ExtraOutputs,
    GreedyDecoder,
    SearchStopped,
    TokenBias,
)
from streamer.models.moonshine.draft import (
    FIRST_GUESS,
    NEXT_GUESS,
    Draft,
    from_bytes,
    to_bytes,
    vocabulary,
)
from streamer.models.moonshine.key_terms import KeyTerms
from streamer.models.moonshine.passes import DecoderNetwork
from streamer.models.moonshine.second_search import FirstEndSuppressor
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tests.models.small_language import BYTE_PAIR_ENCODER, PIECES, SIZES, SPOKEN, SmallNetwork

SEEDS = st.integers(0, 10_000)
PHRASES = st.lists(st.text("abc ", min_size=1, max_size=6).filter(str.strip), max_size=4)
ANY_DRAFT = st.lists(st.sampled_from(SPOKEN) | st.integers(0, len(PIECES) - 1), max_size=60)
KEPT = ExtraOutputs(log_probabilities=True)


@st.composite
def drafts_of(draw: st.DrawFn, tokens: Sequence[int]) -> list[int]:
    """Something else, or these tokens with changes here and there."""
    draft = [*tokens]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(draft)))
        draft[at : at + draw(st.integers(0, 3))] = draw(ANY_DRAFT.map(lambda drafted: drafted[:3]))
    return draw(st.just(draft) | ANY_DRAFT)


def search(
    network: SmallNetwork,
    draft: Sequence[int],
    phrases: Sequence[str] = (),
    *,
    limit: int = 30,
    repetition: bool = False,
    bias: TokenBias | None = None,
    guesses: bool = True,
) -> Decoded:
    decoder = GreedyDecoder(DecoderNetwork(network, SIZES, []), guesses=guesses)
    terms = KeyTerms(phrases, BYTE_PAIR_ENCODER) if phrases else None
    return decoder.decode(
        {},
        limit,
        stop_at_repetition=repetition,
        extra=KEPT,
        bias=bias,
        key_terms=terms,
        draft=draft,
    )


@given(SEEDS, PHRASES, st.integers(0, 30), st.booleans(), st.booleans(), st.booleans(), st.data())
def test_a_draft_changes_nothing(
    seed: int,
    phrases: list[str],
    limit: int,
    repetition: bool,
    biased: bool,
    guesses: bool,
    data: st.DataObject,
) -> None:
    """Tokens and their exact probabilities; also with key terms, with a bias, and to a limit."""

    def found(draft: Sequence[int], *, guesses: bool = True) -> Decoded:
        return search(
            SmallNetwork(seed),
            draft,
            phrases,
            limit=limit,
            repetition=repetition,
            bias=FirstEndSuppressor() if biased else None,
            guesses=guesses,
        )

    plain = found([], guesses=False)
    draft = data.draw(drafts_of(search(SmallNetwork(seed), []).tokens) | drafts_of(plain.tokens))
    assert found(draft, guesses=guesses) == plain


@given(SEEDS)
def test_a_draft_that_is_right_needs_a_pass_for_every_sixteen_tokens(seed: int) -> None:
    network = SmallNetwork(seed)
    plain = search(network, [], limit=60)
    network.runs = network.rows = 0
    search(network, plain.tokens, limit=60)
    steps = len(plain.tokens) + plain.ended
    assert network.runs == -(-steps // (FIRST_GUESS + 1))
    assert network.rows == steps


@given(SEEDS, ANY_DRAFT)
def test_a_draft_that_is_wrong_costs_a_few_rows_for_each_token(seed: int, draft: list[int]) -> None:
    network = SmallNetwork(seed)
    plain = search(network, draft)
    steps = len(plain.tokens) + plain.ended
    assert network.runs <= steps
    assert network.rows <= steps * (FIRST_GUESS + 1)


def test_a_draft_is_taken_up_again_behind_a_difference() -> None:
    draft = Draft(range(100, 150))
    assert [*draft.guess()] == [*range(100, 100 + FIRST_GUESS)]
    for token in (100, 101, 7):  # in the place of 102
        draft.wrote(token)
    assert [*draft.guess()] == [*range(103, 103 + NEXT_GUESS)]
    for token in (103, 8, 104):  # between two
        draft.wrote(token)
    assert [*draft.guess()] == [*range(105, 105 + NEXT_GUESS)]
    for token in (107, *range(108, 111)):  # without two
        draft.wrote(token)
    assert [*draft.guess()] == [*range(111, 111 + NEXT_GUESS)]
    draft.wrote(111)
    assert [*draft.guess()] == [*range(112, 112 + FIRST_GUESS)]


def test_nothing_is_guessed_where_the_draft_does_not_fit() -> None:
    draft = Draft(range(100, 150))
    for token in (1, 2, 3, 4, 5):
        draft.wrote(token)
    assert [*draft.guess()] == []
    draft.wrote(107)
    assert [*draft.guess()] == [*range(108, 108 + NEXT_GUESS)]


TOKENS = st.lists(st.integers(0, 31_999), max_size=500)


@given(TOKENS, st.integers(0, 2**32 - 1))
def test_tokens_are_sent_as_bytes(tokens: list[int], vocabulary: int) -> None:
    draft = to_bytes(tokens, vocabulary)
    assert len(draft) == (4 + 2 * len(tokens) if tokens else 0)
    assert from_bytes(draft, vocabulary, 32_000) == tokens
    assert from_bytes(draft, vocabulary ^ 1, 32_000) == []
    assert from_bytes(draft[:-1], vocabulary, 32_000) == []
    if tokens:
        assert from_bytes(draft, vocabulary, max(tokens)) == []


@given(st.binary(max_size=50))
def test_other_bytes_are_no_draft_or_one_of_tokens(draft: bytes) -> None:
    (number,) = struct.unpack("<I", draft[:4].ljust(4, b"\0"))
    assert all(token < 100 for token in from_bytes(draft, number, 100))


def test_both_models_have_the_same_vocabulary() -> None:
    """But for a rare piece, and for the markers behind all."""
    tiny, base = (
        Tokenizer.read(require(f"moonshine-{name}-en") / "tokenizer.bin").pieces
        for name in ("tiny", "base")
    )
    assert vocabulary(tiny) == vocabulary(base)
    differ = [token for token, (a, b) in enumerate(zip(tiny, base, strict=False)) if a != b]
    assert len(differ) <= 1
    assert vocabulary(tiny) != vocabulary(
        [*tiny[: FIRST_PIECE + 9], b"x", *tiny[FIRST_PIECE + 9 :]]
    )


RATE = Moonshine.sample_rate
PIECES_S = ((0.0, 6.0), (20.0, 28.5))
"""Seconds of `two_cities.wav` from which segments are made: begin, end."""


@pytest.fixture(scope="module")
def tiny() -> Moonshine:
    return Moonshine(require("moonshine-tiny-en"))


@pytest.fixture(scope="module")
def base() -> Moonshine:
    return Moonshine(require("moonshine-base-en"))


@pytest.fixture(params=["tiny", "base"])
def model(request: pytest.FixtureRequest) -> Moonshine:
    made: Moonshine = request.getfixturevalue(request.param)
    if not made.uses_drafts:
        pytest.skip("on this machine, a token's scores depend on its pass")
    return made


@pytest.fixture(scope="module")
def segments() -> list[Floats]:
    samples, rate = soundfile.read(require("moonshine-tiny-en") / "two_cities.wav", dtype="float32")
    audio = np.asarray(soxr.resample(samples, rate, RATE), np.float32)
    return [audio[int(begin * RATE) : int(end * RATE)] for begin, end in PIECES_S]


def counted(
    model: Moonshine, samples: Floats, request: SegmentRequest
) -> tuple[dict[str, object], int]:
    """The output, and how many runs of the decoder it took."""
    before = model.decoder.network.runs
    output = model.infer_request(samples, request)
    return output, model.decoder.network.runs - before


def draft_of(output: dict[str, object]) -> bytes:
    draft = output.get("draft", b"")
    assert isinstance(draft, bytes)
    return draft


FINAL_TERMS = ("superlative degree", "Frederick", "epoch of incredulity")


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("key_terms", [(), FINAL_TERMS])
def test_real_segments_that_grow(
    model: Moonshine,
    segments: list[Floats],
    words: bool,
    key_terms: tuple[str, ...],
) -> None:
    """Interims with the draft of the last one, and a final: the same, in half as many passes."""
    plain_runs = drafted_runs = 0
    for segment in segments:
        draft = b""
        for tenths in (2, 4, 6, 8, 9, 10):
            samples = segment[: len(segment) * tenths // 10]
            final = tenths == 10
            request = SegmentRequest(
                interim=not final, words=final and words, key_terms=key_terms if final else ()
            )
            plain, count = counted(model, samples, request)
            plain_runs += count
            drafted, count = counted(model, samples, replace(request, draft=draft))
            drafted_runs += count
            assert drafted == plain
            draft = draft_of(plain)
    assert drafted_runs < plain_runs * (0.7 if not key_terms else 0.8)


def test_tiny_drafts_for_base(tiny: Moonshine, base: Moonshine, segments: list[Floats]) -> None:
    if not base.uses_drafts or not tiny.uses_drafts:
        pytest.skip("on this machine, a token's scores depend on its pass")
    for segment in segments:
        draft = draft_of(tiny.infer_request(segment, SegmentRequest(interim=True)))
        plain, plain_runs = counted(base, segment, SegmentRequest(words=True))
        drafted, drafted_runs = counted(base, segment, SegmentRequest(words=True, draft=draft))
        assert drafted == plain
        assert drafted_runs < plain_runs / 2


@pytest.mark.parametrize("case", ["leading silence", "repetition", "noise", "short"])
def test_special_searches_with_any_draft(
    model: Moonshine, segments: list[Floats], case: str
) -> None:
    chance = np.random.default_rng(2)
    silence = np.zeros(RATE, np.float32)
    audio = {
        "leading silence": np.concatenate([silence, silence, segments[0]]),
        "repetition": np.tile(segments[0][RATE : RATE * 3 // 2], 10),
        "noise": chance.normal(0, 0.1, 5 * RATE).astype(np.float32),
        "short": segments[0][RATE : RATE * 3 // 2],
    }[case]
    plain = model.infer_request(audio, SegmentRequest(words=True))
    other = model.infer_request(segments[0], SegmentRequest(interim=True))
    for draft in (draft_of(plain), draft_of(other)):
        assert model.infer_request(audio, SegmentRequest(words=True, draft=draft)) == plain


def test_an_inference_that_is_given_up_leaves_a_draft(
    model: Moonshine, segments: list[Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, all_runs = counted(model, segments[0], SegmentRequest())
    enough = model.decoder.network.runs + all_runs // 2
    monkeypatch.setattr(model, "unwanted", lambda: model.decoder.network.runs >= enough)
    with pytest.raises(Unwanted) as stopped:
        model.infer_request(segments[0], SegmentRequest())
    monkeypatch.undo()
    draft, whole = stopped.value.draft, draft_of(plain)
    assert whole.startswith(draft)
    assert len(draft) > len(whole) / 3
    assert model.infer_request(segments[0], SegmentRequest(draft=draft)) == plain


def test_what_was_drafted_is_not_lost_by_giving_up() -> None:
    network = SmallNetwork(5)
    with pytest.raises(SearchStopped) as stopped:
        network.decoder().decode({}, 30, unwanted=lambda: network.runs == 1, draft=[300, *SPOKEN])
    assert stopped.value.tokens[-len(SPOKEN) + 2 :] == SPOKEN[2:]
    assert SPOKEN[0] == END_TOKEN
