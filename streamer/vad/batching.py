"""Lets idle streams join a detector batch that another stream has triggered. Pure.

A detector can take the windows of many channels in one call, and one call over many windows costs a
quarter of as many calls. But each stream has windows at a time of its own: as long as nothing can
happen in it (`Segmenter.eventless_until`), its audio accumulates in the session's inbox, and this
wait ends for each stream at another moment. So when the wait of one stream ends, the streams that
have waited longest join its batch, early:

    stream A  ├─── waits for 6 windows ───┤ has 6: its wait ends    ─┐
    stream B     ├─── waits for 6 ────────┊ has 5: is invited, joins ┴▶ one call, 11 windows
    stream C                     ├────────┊ has 2: goes on waiting
              ────────────────────────────┴──────────────────────────────────────▶ time

1.  A stream that has half of what it waits for registers a callback: B, but not C.
2.  A stream whose wait has ended hands its windows to the detector: A. The detector keeps the batch
    open for some milliseconds (`vad.gather_ms`), and calls `invite_oldest`.
3.  The callback of an invited stream wakes it: B. It hands over the windows that it has.
4.  A stream whose own wait ends first unregisters.

An invited stream's audio is classified earlier than necessary, never later: events are the same.
"""

from collections.abc import Callable
from itertools import islice

STREAMS_PER_BATCH = 16
"""Streams woken per batch. Each at least half full, 16 nearly fill one call (128 windows)."""


class BatchInvitations:
    """Callbacks of the streams that would join a batch, in the order of registration."""

    def __init__(self) -> None:
        self._registered: dict[Callable[[], None], None] = {}

    def register(self, wake: Callable[[], None]) -> None:
        """`wake` is called at most once, at the next invitations; registering twice is once."""
        self._registered[wake] = None

    def unregister(self, wake: Callable[[], None]) -> None:
        """`wake` is not called any more; no error if it was already."""
        self._registered.pop(wake, None)

    def invite_oldest(self) -> None:
        """Wake the streams that registered first, up to `STREAMS_PER_BATCH`."""
        for wake in list(islice(self._registered, STREAMS_PER_BATCH)):
            del self._registered[wake]
            wake()
