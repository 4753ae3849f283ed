"""The real servers of `tests/server`, for what clients, workers and operators do to them."""

from tests.server.conftest import (
    _clean_logs,
    launch,
    pytest_runtest_makereport,
    standin,
)

__all__ = ["_clean_logs", "launch", "pytest_runtest_makereport", "standin"]
