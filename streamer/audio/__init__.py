"""Audio as it arrives: wire format, decoding, resampling and a window onto the recent past."""
