"""How far the work has come."""

from collections.abc import Callable

OnProgress = Callable[[float], None]
"""Called with the part that is done, from 0 to 1."""
