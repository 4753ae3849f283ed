"""One pattern, and two values that it cannot exclude."""

import re

_PATTERN = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


def parse(text: str) -> tuple[str, str] | None:
    """Match the whole text: `match` or `search` would let the rest of a line through."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        return None
    version, trace_id, span_id, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return trace_id, span_id
