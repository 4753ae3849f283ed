"""Find out that a decoder repeats itself."""

from collections.abc import Sequence


def repeated_tail(tokens: Sequence[int], longest: int, times: int) -> int:
    """The number of tokens at the end that only repeat those before them; 0 = no repetition.

    A phrase of 1 to `longest` tokens is repeated if the tokens end with it, `times` times in a row
    or more. Of these occurrences, all but one count. If the tokens before them are the end of the
    phrase, these tokens count as well. The shortest phrase that is repeated decides. With 3 times:

        1 2 3 2 3 2 3    the phrase 2 3 is repeated: 4
          3 2 3 2 3 2 3  the same, with the end of one more before it: 5
        5 5 5 5          the phrase 5: 3

    Args:
        tokens: All tokens so far.
        longest: Tokens of a phrase, at most.
        times: 2 or more.
    """
    raise NotImplementedError
