"""The server, with a stage clock: `loop_profile.py` starts it in the place of `python -m streamer`.

The file for the totals is in the environment variable of `TOTALS_FILE`.
"""

import os
import sys
from pathlib import Path

from streamer.__main__ import main
from tools.bench.stage_clock import StageClock, Totals

TOTALS_FILE = "LOOP_PROFILE_TOTALS"

if __name__ == "__main__":  # the workers import this file, too
    StageClock(Totals(Path(os.environ[TOTALS_FILE]))).install()
    sys.exit(main())
