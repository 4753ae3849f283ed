"""A classifier of one's own for a sound that is not speech: the tone of an alarm."""

import numpy as np

from streamer import Model

WINDOW_S = 0.1
QUIET_POWER = 1e-6  # of samples from -1 to 1; -60 dBFS


class Alarm(Model):
    """The share of the tone in the sound, 0 to 1, in the tenth of a second that has most of it."""

    def __init__(self, hertz: float = 3000.0, width_hertz: float = 200.0) -> None:
        self.length = round(WINDOW_S * self.sample_rate)
        frequencies = np.fft.rfftfreq(self.length, 1 / self.sample_rate)
        self.is_tone = np.abs(frequencies - hertz) <= width_hertz / 2
        self.taper = np.hanning(self.length)

    def infer(self, samples):
        hop = self.length // 2
        missing = max(self.length - len(samples), -len(samples) % hop)
        padded = np.pad(samples, (0, missing))
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.length)[::hop]
        power = np.abs(np.fft.rfft(windows * self.taper)) ** 2
        share = power[:, self.is_tone].sum(axis=1) / (power.sum(axis=1) + 1e-12)
        share[np.square(windows).mean(axis=1) < QUIET_POWER] = 0.0
        return {"alarm": round(float(share.max()), 3)}
