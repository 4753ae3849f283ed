"""A pattern for each container, with a hole where any byte fits."""

_ANY = None
_PATTERNS: dict[str, list[int | None]] = {
    "WAV": [*b"RIFF", *[_ANY] * 4, *b"WAVE"],
    "FLAC": [*b"fLaC"],
    "Ogg": [*b"OggS", 0, 2],
    "MP4": [*[_ANY] * 4, *b"ftyp"],
}


def _fits(head: bytes, pattern: list[int | None]) -> bool:
    """Whether the bytes that both have are the same."""
    return all(want is _ANY or byte == want for byte, want in zip(head, pattern, strict=False))


def container(head: bytes) -> str | None:
    """Find the pattern that fits as a whole."""
    for name, pattern in _PATTERNS.items():
        if len(head) >= len(pattern) and _fits(head, pattern):
            return name
    return None


def needs_more(head: bytes) -> bool:
    """Find a pattern that fits so far, and is longer."""
    return container(head) is None and any(
        len(head) < len(pattern) and _fits(head, pattern) for pattern in _PATTERNS.values()
    )
