"""Subtitles: timed text as cues that can be read, and cues as SubRip and WebVTT files.

Pure and light: the server (`http/render.py`) and the client's command use the same rules.

May import: nothing of streamer.
"""
