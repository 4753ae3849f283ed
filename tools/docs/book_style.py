"""How the pictures of the book look: their colours, and names for them."""

SPEECH, LINE, INK = "#9fc5e8", "#1f5f99", "#44546a"
"""Light blue, dark blue, and the grey of waveforms."""

FAULT, PALE = "#c0504d", "#e4e7ec"
"""The red of what fails, and the grey of what waits."""

NARROW_IN = 5.6
"""Inches. Width of a picture whose text stays readable on a phone."""
