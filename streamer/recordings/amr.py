"""Frames of AMR, narrow and wide (RFC 4867, 5.3)."""

_NARROW = (12, 13, 15, 17, 19, 20, 26, 31, 5)
"""Bytes of speech in a frame of each type; the last one is comfort noise."""

_WIDE = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5)
_LOST, _EMPTY = 14, 15  # types without speech; 14 exists for wide ones only


def amr_frame_bytes(head: bytes, *, is_wide: bool) -> int:
    """Bytes of the frame that begins with the first of these; 0 = none does."""
    kind, padding = head[0] >> 3 & 15, head[0] & 0x83
    sizes = _WIDE if is_wide else _NARROW
    if padding:
        return 0
    if kind < len(sizes):
        return 1 + sizes[kind]
    return 1 if kind == _EMPTY or (is_wide and kind == _LOST) else 0
