"""What one lost byte does to 16-bit samples."""

import numpy as np
import soundfile

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import PcmDecoder
from streamer.weights.manifest import require

samples, rate = soundfile.read(require("moonshine-tiny-en") / "beckett.wav", dtype="int16")
pcm = samples.tobytes()


def level_db(data: bytes) -> float:
    """The level after decoding, in decibels of full scale."""
    decoded = PcmDecoder(AudioFormat(rate)).decode(data)
    return float(10 * np.log10(np.mean(np.square(decoded))))


print(f"as it is              {level_db(pcm):6.1f} dB")
print(f"without its 1st byte  {level_db(pcm[1:]):6.1f} dB")
pieces = [pcm[at : at + 641] for at in range(0, len(pcm), 641)]
dropped = b"".join(piece[: len(piece) // 2 * 2] for piece in pieces)
print(f"half samples dropped  {level_db(dropped):6.1f} dB")
decoder = PcmDecoder(AudioFormat(rate))
decoded = np.concatenate([decoder.decode(piece) for piece in pieces], axis=1)
print(f"half samples kept     {10 * np.log10(np.mean(np.square(decoded))):6.1f} dB")
