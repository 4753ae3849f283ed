"""Moonshine: English speech to text, with graphs written around the published weights.

May import: what `streamer.models` may.
"""
