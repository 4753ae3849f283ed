"""Read a trace id that a stranger has sent."""


def parse(text: str) -> tuple[str, str] | None:
    """Return the trace id and the parent's span id of a `traceparent`, or None.

    https://www.w3.org/TR/trace-context/#traceparent-header

    - Version 00 is `00-` + 32 hex digits + `-` + 16 hex digits + `-` + 2 hex digits, and no more.
    - A later version may have more behind the flags, if a dash separates it. Version ff is invalid.
    - Only the digits 0-9 and a-f count; capitals are invalid.
    - A trace id or a span id of zeros is invalid.

    The text is written into logs: nothing that is invalid may get through.
    """
    raise NotImplementedError
