"""Find out that a decoder repeats itself."""

from collections.abc import Sequence


def repeated_tail(tokens: Sequence[int], longest: int, times: int) -> int:
    """The number of tokens at the end that only repeat those before them; 0 = no repetition.

    A phrase of 1 to `longest` tokens counts as repeated if the tokens end with it `times` times in
    a row, or more. All but its first occurrence count, and so do tokens before the last whole
    occurrences that belong to a part of one. If phrases of several lengths are repeated, the
    shortest one decides.

    Args:
        tokens: All tokens so far.
        longest: Tokens of a phrase, at most.
        times: 2 or more.
    """
    raise NotImplementedError
