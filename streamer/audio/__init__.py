"""Incoming audio: wire format, decoding, resampling, and a buffer of each channel's recent samples.

May import: nothing of streamer.
"""
