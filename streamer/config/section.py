"""What the sections of the configuration have in common: their base, and bounds of settings."""

from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from streamer.config.explain import ALLOWED

Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Host = Annotated[str, Meta(extra={ALLOWED: "an address or host name"})]
File = Annotated[str, Meta(extra={ALLOWED: "the path of a file"})]
Deadline = Annotated[float, Meta(ge=0)]
"""Seconds; 0 = no limit."""


class Conflict(NamedTuple):
    """A setting, or several together, that a server cannot run with.

    Attributes:
        keys: Of the section: those at fault.
        message: One sentence for the person who set them.
    """

    keys: tuple[str, ...]
    message: str


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: immutable, and an unknown key is an error."""
