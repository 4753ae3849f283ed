"""Moonshine: English speech to text, with our own graphs around the published weights.

May import: what `streamer.models` may.
"""
