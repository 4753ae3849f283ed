"""A repetition of length `size` is a text that equals itself `size` tokens later."""

from collections.abc import Sequence


def repeated_tail(tokens: Sequence[int], longest: int, times: int) -> int:
    """Count from the end how many tokens equal those `size` before them."""
    for size in range(1, min(longest, len(tokens) // 2) + 1):
        count = 0
        while count + size < len(tokens) and tokens[-1 - count] == tokens[-1 - count - size]:
            count += 1
        if count >= (times - 1) * size:
            return count
    return 0
