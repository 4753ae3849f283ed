"""The real servers of `tests/end_to_end`, for what only shows with one."""

from tests.end_to_end.conftest import (
    _clean_logs,
    launch,
    pytest_runtest_makereport,
    standin,
)

__all__ = ["_clean_logs", "launch", "pytest_runtest_makereport", "standin"]
