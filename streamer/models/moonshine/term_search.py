"""Greedy search that goes back and writes a key term, where the network nearly did so itself.

A bonus for the tokens of a phrase, as others add to each token of a beam search and take back when
the phrase is not completed (Zhao et al., "Shallow-Fusion End-to-End Contextual Biasing", 2019),
would make a greedy search write beginnings that it cannot take back. So here the bonus is for a
whole phrase or none. Where the best token is uncertain and a phrase could go on or begin there, the
place is kept as a fork. A few tokens later the phrase is spelled from the fork on, in one run of
the network, and given up as soon as it is less likely than greedy search's token by more than the
bonus. If it is likely enough to the last token, and its last word ends there, it replaces
what was written since the fork. In all other cases the tokens are those of greedy search, exactly.

Why a few tokens later: greedy search may write the term itself, behind a word that the phrase would
have left out. Forks cost nothing to keep, because the network returns new caches at each step.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from streamer.models.moonshine.draft import FIRST_GUESS
from streamer.models.moonshine.key_terms import KeyTerms, NextTokens
from streamer.models.moonshine.steps import Step
from streamer.models.moonshine.tokenizer import SPACE

Doubles = npt.NDArray[np.float64]

BONUS = 4.0
"""Nats, of a whole phrase. In 21 recordings, played three times with Tiny and twice with Base, the
terms that were spoken and that greedy search had missed were less likely than its token by up to
2.8, or were not in reach. Of 100 terms each that were not spoken, the likeliest lacked 5.4; one
that was spoken elsewhere in the recording, 4.9."""

BONUS_IF_BEGUN = 4.5
"""Nats, of a phrase whose beginning greedy search has written already."""

FIRST_TOKEN_BONUS = {1: 1.25, 2: 2.5}
"""Nats, of the first token of a phrase, by its letters; of a longer one as much as of a phrase. A
short one begins many words, so it is seldom that of the phrase unless it is likely. Most forks are
given up after the first token: with the same bonus for all there are twice as many, for one in
twenty more terms found."""

LOOK_AHEAD = 4
"""Tokens that are written after a fork before it is decided."""

INITIAL_RUNS, RUNS_PER_TOKEN = 8.0, 0.12
"""Runs of the network that may be spent on forks: at the start, and more with each token."""

MIN_PROBABILITY = 1e-9
"""Of the end of a word, because a logarithm needs one."""


class Run(Protocol):
    """Runs the network."""

    def __call__(self, token: int, before: Step, guess: Sequence[int] = ()) -> Step:
        """The step of a token; arguments as for `Passes.run`."""
        ...


class Rewritten(NamedTuple):
    """A phrase that replaces what was written.

    Attributes:
        position: Of the step whose next token is the first one of the phrase.
        tokens: Of the phrase.
        steps: The step at the position, and one step for each token of the phrase. The logits of
            the last step are for the token that follows the phrase.
    """

    position: int
    tokens: Sequence[int]
    steps: Sequence[Step]


class _Fork(NamedTuple):
    """A place where a phrase could begin or go on, and how likely its next token is.

    Attributes:
        position: Of the step.
        step: Its outputs.
        score: The token's log probability, less that of greedy search's token; more by the larger
            bonus if the phrase was begun.
        token: The phrase's.
        beginning: What is written of the phrase with it.
    """

    position: int
    step: Step
    score: float
    token: int
    beginning: bytes


class _Candidate(NamedTuple):
    """What may come of a fork; the first is the likeliest, and no two are equal up to `steps`.

    Attributes:
        cost: Its score, negated.
        beginning: What is written of the phrase.
        tokens: From the fork on.
        whole: Whether the phrase, and its last word, end here.
        steps: That of the fork, and one for each token that the network was run for.
        guess: What the last run had guessed from the last token on; empty if that was not guessed.
    """

    cost: float
    beginning: bytes
    tokens: tuple[int, ...]
    whole: bool
    steps: tuple[Step, ...]
    guess: tuple[int, ...] = ()


class _Found(NamedTuple):
    score: float
    rewritten: Rewritten


class TermSearch:
    """Follows a greedy search; made anew for each.

    Args:
        terms: What may be written.
        run: Runs the network.
        end_token: That ends the text.
    """

    def __init__(self, terms: KeyTerms, run: Run, end_token: int) -> None:
        self._terms = terms
        self._ends_word = terms.byte_pair_encoder.ends_word
        self._first_bonus = np.array([_first_token_bonus(text) for text in terms.first.beginnings])
        self._run = run
        self._end_token = end_token
        self._position = 0
        self._runs = INITIAL_RUNS
        self._forks: list[_Fork] = []
        self._open: frozenset[bytes] = frozenset()
        """The beginnings of phrases with which the tokens end."""
        self._written: list[tuple[int, frozenset[int]]] = []
        """Terms that greedy search has written, and the steps that chose their last tokens."""

    def on_step(self, step: Step, token: int) -> Rewritten | None:
        """Take note of a step and of the most likely token after it.

        Returns:
            What to write instead; None = the token. The next call is for the step after it, or for
            the last one of `Rewritten`.
        """
        position, self._position = self._position, self._position + 1
        self._runs += RUNS_PER_TOKEN
        if position or token != self._end_token:  # else there is no speech
            self._find_forks(position, step, token)
        self._open = self._terms.follow(self._open, token)
        for beginning in self._open:
            if completed := self._terms.completed(beginning):
                self._written.append((position, completed))
        return self._decide(ended=token == self._end_token)

    def _find_forks(self, position: int, step: Step, token: int) -> None:
        begun = BONUS_IF_BEGUN
        likely: list[tuple[NextTokens, Doubles, float]] = [
            (self._terms.after(text), np.array(begun), begun - BONUS) for text in sorted(self._open)
        ]
        if self._ends_word[token]:
            likely.append((self._terms.first, self._first_bonus, 0.0))
        on_its_way = [self._terms.terms(text) for text in self._terms.follow(self._open, token)]
        for following, bonus, more in likely:
            scores = step.logits[following.tokens] - step.logits[token]
            for at in np.flatnonzero(scores > -bonus).tolist():
                beginning = following.beginnings[at]
                score, other = float(scores[at]) + more, int(following.tokens[at])
                if other != token and self._terms.terms(beginning).difference(*on_its_way):
                    self._forks.append(_Fork(position, step, score, other, beginning))

    def _decide(self, *, ended: bool) -> Rewritten | None:
        """Decide the forks that are old enough; all, if the text has ended."""
        newest = self._position - 1 - (0 if ended else LOOK_AHEAD)
        while self._forks and self._forks[0].position <= newest:
            position = self._forks[0].position
            found = self._likeliest(position, ended=ended, least=-BONUS)
            if found and not self._surpassed(found, ended=ended):
                self._rewrite(found.rewritten)
                return found.rewritten
            self._forks = [fork for fork in self._forks if fork.position > position]
        return None

    def _surpassed(self, found: _Found, *, ended: bool) -> bool:
        """Whether a fork in the place of the phrase is more likely: then this one is too early."""
        first = found.rewritten.position
        later = {fork.position for fork in self._forks if fork.position > first}
        return any(
            self._likeliest(position, ended=ended, least=found.score)
            for position in later
            if position <= first + len(found.rewritten.tokens)
        )

    def _likeliest(self, position: int, *, ended: bool, least: float) -> _Found | None:
        """The likeliest phrase from a step on whose score is above `least`."""
        done = [terms for at, terms in self._written if at >= position]
        if not ended:
            done += [self._terms.terms(beginning) for beginning in self._open]
        skipped = frozenset[int]().union(*done)
        candidates = [
            _Candidate(-fork.score, fork.beginning, (fork.token,), False, (fork.step,))
            for fork in self._forks
            if fork.position == position and self._terms.terms(fork.beginning) - skipped
        ]
        heapq.heapify(candidates)
        while candidates and -candidates[0].cost > least:
            candidate = heapq.heappop(candidates)
            if candidate.whole:
                rewritten = Rewritten(position, candidate.tokens, candidate.steps)
                return _Found(-candidate.cost, rewritten)
            if not candidate.guess:
                if self._runs < 1:
                    return None
                self._runs -= 1
            for longer in self._longer(candidate):
                terms = self._terms.completed if longer.whole else self._terms.terms
                if -longer.cost > least and terms(longer.beginning) - skipped:
                    heapq.heappush(candidates, longer)
        return None

    def _longer(self, candidate: "_Candidate") -> Iterator["_Candidate"]:
        """Runs the network for the last token of a candidate; yields what may come of it.

        The rest of the phrase shares the run, up to as many tokens as passes are tried with
        (`exact_rows.py`).
        """
        cost, beginning, tokens, _, steps, guess = candidate
        guess = guess[1:] if guess else self._terms.rest(beginning)[:FIRST_GUESS]
        step = self._run(tokens[-1], steps[-1], guess)
        steps = (*steps, step)
        largest = step.logits.max()
        likelihoods = np.exp(step.logits - largest)
        total = likelihoods.sum()
        if self._terms.completed(beginning):
            # Base has scores for the markers, which are no pieces and never chosen.
            pieces = likelihoods[: len(self._ends_word)]
            ends = float(self._ends_word @ pieces / total)
            lack = -math.log(max(ends, MIN_PROBABILITY))
            yield _Candidate(cost + lack, beginning, tokens, True, steps)
        following = self._terms.after(beginning)
        costs = largest + np.log(total) - step.logits[following.tokens]
        for token, longer, more in zip(
            following.tokens.tolist(), following.beginnings, costs.tolist(), strict=True
        ):
            known = guess if guess[:1] == (token,) else ()
            yield _Candidate(cost + more, longer, (*tokens, token), False, steps, known)

    def _rewrite(self, rewritten: Rewritten) -> None:
        """What was written since the step counts no more."""
        first = rewritten.position
        self._position = first + len(rewritten.tokens)
        self._forks.clear()
        self._open = frozenset()
        self._written = [(at, terms) for at, terms in self._written if at < first]


def _first_token_bonus(beginning: bytes) -> float:
    letters = len(beginning.replace(SPACE, b"").decode("utf-8", "ignore"))
    return FIRST_TOKEN_BONUS.get(letters, BONUS)
