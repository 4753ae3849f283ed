"""What holds for all tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine must not fail a test: how long an example takes is not what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _imports_of_one_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget what a test has imported from its own folder, and where it was found.

    A model's folder goes to the front of `sys.path`, which processes that are started later get,
    too: a model called `random.py` would end each of them.
    """
    own = "tmp_path" in request.fixturenames
    folder = request.getfixturevalue("tmp_path") if own else None
    before = list(sys.path)
    yield
    sys.path[:] = before
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if folder and file and Path(file).is_relative_to(folder):
            del sys.modules[name]
