"""A model that does what its first sample says, as real models do at times."""

import os
import signal

from streamer import Model

CRASH, RAISE, HANG = 1, 2, 3


class Fragile(Model):
    """Returns the number of samples, unless it is told otherwise."""

    def infer(self, samples):
        match int(samples[0]):
            case 1:
                os.kill(os.getpid(), signal.SIGSEGV)
            case 2:
                raise ValueError("no tone in this audio")
            case 3:
                while True:
                    pass
        return {"samples": len(samples)}
