"""A model that remembers: how much louder is this than what the channel has been like?"""

import numpy as np

from streamer import StatefulModel


class Onset(StatefulModel):
    """Level of a segment in dBFS, and its distance from the slowly moving level before it."""

    def __init__(self, memory: float = 0.9) -> None:
        self.memory = memory

    def infer_next(self, samples, usual_dbfs):
        dbfs = float(10 * np.log10(np.mean(np.square(samples)) + 1e-10))
        if usual_dbfs is None:  # the first segment of a stream
            usual_dbfs = dbfs
        output = {"dbfs": round(dbfs, 1), "above_usual_db": round(dbfs - usual_dbfs, 1)}
        return output, self.memory * usual_dbfs + (1 - self.memory) * dbfs
