"""How many cores the server may use."""

import os
import subprocess
import sys

import pytest

from streamer.config.cores import usable_cores

CONFINED = """
import os
from streamer.config.cores import usable_cores
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
print(usable_cores())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system confines no process")
def test_only_the_cores_that_the_process_may_run_on_count() -> None:
    found = subprocess.run([sys.executable, "-c", CONFINED], capture_output=True, check=True)
    assert found.stdout.strip() == b"1"


def test_without_a_choice_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 48)
    assert usable_cores() == 48
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
