"""A model of one's own: how loud was that?"""

import numpy as np

from streamer import Model


class Loudness(Model):
    """Level of a segment in dBFS, and whether that counts as loud."""

    def __init__(self, loud_dbfs: float = -20.0) -> None:
        self.loud_dbfs = loud_dbfs

    def infer(self, samples):
        level = 10 * np.log10(np.mean(np.square(samples)) + 1e-10)
        return {"dbfs": round(float(level), 1), "loud": bool(level > self.loud_dbfs)}
