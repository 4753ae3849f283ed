"""Whether the promises of `docs/reliability.md` were kept."""

from collections.abc import Set

from tools.soak.server_under_test import ServerUnderTest
from tools.soak.soak_report import SoakRow

GROWTH_MB = 16.0
"""MiB that a server may have grown after a test: not all freed memory goes back."""

RETRIED = frozenset({"worker_lost"})
"""Errors that a segment may end in when workers are killed: its retry died, too."""


def restarts(target: ServerUnderTest) -> dict[str, float]:
    """Workers replaced, by cause."""
    return {f"workers replaced, {cause}": n for cause, n in sorted(target.restarts().items())}


def judge(
    row: SoakRow,
    target: ServerUnderTest,
    *,
    may_fail: Set[str] = frozenset(),
    growth_mb: float = GROWTH_MB,
) -> None:
    """Take the server's state after a row, and add what was not kept to the row's problems.

    Args:
        row: With the state before.
        target: Without connections.
        may_fail: What segments may be reported to have failed with.
        growth_mb: How much memory it may have kept.
    """
    assert row.before is not None
    row.after = after = target.footprint()
    row.errors = dict(sorted(target.errors().items()))
    problems = row.problems
    if after.descriptors > row.before.descriptors:
        problems.append("descriptors have leaked")
    if after.tasks > row.before.tasks:
        problems.append("tasks have leaked")
    if after.memory_mb > row.before.memory_mb + growth_mb:
        problems.append(f"memory has grown by more than {growth_mb:g} MiB")
    problems += [f"in the log: {line}" for line in target.defects()[:5]]
    if tally := row.tally:
        if tally.lost:
            problems.append(f"{tally.lost} segments were lost without a word")
        if tally.hangs:
            problems.append(f"{tally.hangs} streams did not end")
        if unexpected := set(tally.failed) - may_fail:
            problems.append(f"segments failed with {', '.join(sorted(unexpected))}")
        problems += tally.wrong[:5]
