"""Raises quiet audio on its way to a detector, so that speech is found at any level. Pure.

Silero was trained on speech of usual levels: of speech at -40 dB it finds an eighth. The gain
follows the level of what stands out from the channel's background, slowly, and by nothing that is
as steady as the background: it stays as it is in silence, hum and noise. The model gets the audio
as it came.

        level     ▁▁▁▁▂▂▄▄▂▂▄▄▁▁▁▁▁▁▇▇▇▇▇▇▁▁▁    background, quiet speech, loud speech
        gain      ─────╮_╭──────────╮_______     set at the first sound that stands out, kept in
                       ╰─╯          ╰───────     silence, lowered at once by louder sound
"""

import numpy as np

from streamer.vad.engine import WindowArray

TARGET_DB = -34.0
"""Decibels (root mean square, of full scale) to which quieter sound is raised. Most speech is
louder: its gain is 1. Higher targets find more false speech in noise, and little more speech."""

MAX_GAIN_DB = 40.0
"""Decibels. More would raise the steps of 16-bit audio to speech."""

MIN_LEVEL_DB = -85.0
"""Decibels. Quieter windows hold only the steps of 16-bit audio (-101 dB) and dither (-93 dB)."""

STANDS_OUT_DB = 15.0
"""Decibels above the background from which a window counts; with 10, noise is raised too."""

MIN_WINDOWS = 2
"""Windows in a row that must stand out, so that a click does not set the gain."""

RISE, FALL = 0.5, 0.02
"""Share of the distance to a louder, or quieter, window that the level goes in one window: up in
0.1 s, down in about 2 s of sound."""

BACKGROUND_RISE_DB = 0.02
"""Decibels that the background rises in a window that is louder; it falls to a quieter one at
once."""


class InputGain:
    """The gain of one channel. Each window's depends on that window and those before it."""

    def __init__(self) -> None:
        self._level_db: float | None = None
        """Of what stood out. None = nothing has."""
        self._background_db: float | None = None
        self._run = 0
        """Windows in a row that stand out, up to now."""

    def apply(self, windows: WindowArray) -> WindowArray:
        """The next windows, float32 [n, window], raised: the same array if none has to be."""
        powers = np.einsum("ij,ij->i", windows, windows) / max(1, windows.shape[1])
        levels_db = 10 * np.log10(powers + np.float32(1e-12))
        gains_db = [self._next_gain_db(level_db) for level_db in levels_db.tolist()]
        if not any(gains_db):
            return windows
        factors = 10 ** (np.array(gains_db) / 20)
        return windows * factors.astype(np.float32)[:, np.newaxis]

    def _next_gain_db(self, window_db: float) -> float:
        background_db = self._background_db
        if background_db is None or window_db < background_db:
            background_db = window_db
        self._background_db = background_db + min(BACKGROUND_RISE_DB, window_db - background_db)
        if window_db > max(MIN_LEVEL_DB, self._background_db + STANDS_OUT_DB):
            self._run += 1
            self._follow(window_db)
        else:
            self._run = 0
        if self._level_db is None:
            return 0.0
        return min(max(TARGET_DB - self._level_db, 0.0), MAX_GAIN_DB)

    def _follow(self, window_db: float) -> None:
        level_db = self._level_db
        if level_db is None:
            self._level_db = window_db if self._run >= MIN_WINDOWS else None
        elif window_db > level_db:
            self._level_db = level_db + RISE * (window_db - level_db)
        elif self._run >= MIN_WINDOWS:
            self._level_db = level_db + FALL * (window_db - level_db)
