"""How the models of a server share its workers."""

import pytest

from streamer.inference.model_pools import worker_shares


@pytest.mark.parametrize(
    ("wanted", "total", "shares"),
    [
        ([0], 4, [4]),
        ([3], 1, [3]),
        ([0, 0], 4, [2, 2]),
        ([0, 0, 0], 8, [3, 3, 2]),
        ([0, 0, 0], 2, [1, 1, 1]),
        ([1, 0], 4, [1, 3]),
        ([0, 6, 0], 4, [1, 6, 1]),
        ([2, 2], 8, [2, 2]),
    ],
)
def test_each_has_its_own_number_or_an_equal_share(
    wanted: list[int], total: int, shares: list[int]
) -> None:
    assert worker_shares(wanted, total) == shares
