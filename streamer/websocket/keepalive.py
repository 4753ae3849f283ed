"""Pings, and what a missing pong means (RFC 6455, sections 5.5.2 and 5.5.3)."""

import asyncio
import secrets
from collections.abc import Callable

PAYLOAD_BYTES = 4
"""Bytes of a ping's payload, which identifies it: the pong has to return it."""


class Keepalive:
    """Sends pings, and reports a client that does not answer one in time.

    A probe is another ping, whose answer is reported. A client may answer the latest ping only (RFC
    6455, section 5.5.3), so a pong answers all pings that were sent before its own, too.

    Only a client whose pongs are being read can be blamed. Back-pressure leaves pongs unread in
    the kernel; a ping is then forgotten, and the next one is sent.

    Args:
        interval_s: Seconds between a ping and the next one; None or 0 = no pings.
        timeout_s: Seconds in which the pong has to arrive; None = any time.
        loop: Its timers and its clock are used.
        send_ping: Sends a ping with this payload.
        pongs_are_read: Whether what the client sends is read and parsed now.
        on_timeout: Called when a pong is missing.
        on_probe_answered: Called when the latest probe is answered.
    """

    def __init__(
        self,
        interval_s: float | None,
        timeout_s: float | None,
        *,
        loop: asyncio.AbstractEventLoop,
        send_ping: Callable[[bytes], None],
        pongs_are_read: Callable[[], bool],
        on_timeout: Callable[[], None],
        on_probe_answered: Callable[[], None],
    ) -> None:
        self._interval_s = interval_s or 0.0
        self._timeout_s = timeout_s
        self._loop = loop
        self._send_ping = send_ping
        self._pongs_are_read = pongs_are_read
        self._on_timeout = on_timeout
        self._on_probe_answered = on_probe_answered
        self._timer: asyncio.TimerHandle | None = None
        """Until the next ping, or until the pong has to be here."""
        self._payload: bytes | None = None
        """Of the ping that is not answered yet."""
        self._probe: bytes | None = None
        """The payload of the latest probe, if it is not answered yet."""
        self._probe_is_older = False
        """Whether the latest probe was sent before the ping."""
        self._sent_s = 0.0

    def start(self) -> None:
        """Send the first ping after one interval."""
        if self._interval_s > 0:
            self._schedule(self._interval_s)

    def stop(self) -> None:
        """Send no more pings, and report nothing."""
        self._probe = None
        self._stop_timer()

    def probe(self) -> None:
        """Send another ping; its answer is reported, unless a later probe is sent before."""
        self._probe = secrets.token_bytes(PAYLOAD_BYTES)
        self._probe_is_older = False
        self._send_ping(self._probe)

    def _stop_timer(self) -> None:
        self._payload = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def on_pong(self, payload: bytes) -> None:
        """Handle a pong; one that answers no ping, or an earlier one, has no effect."""
        is_ping, is_probe = payload == self._payload, payload == self._probe
        if self._probe is not None and (is_probe or (is_ping and self._probe_is_older)):
            self._probe = None
            self._on_probe_answered()
        if self._payload is not None and (is_ping or (is_probe and not self._probe_is_older)):
            self._on_answer()

    def _on_answer(self) -> None:
        self._payload = None
        if self._timeout_s is not None:
            self._stop_timer()
            # The interval is counted from the last ping, not from its pong.
            round_trip_s = self._loop.time() - self._sent_s
            self._schedule(max(0.0, self._interval_s - round_trip_s))

    def _schedule(self, delay_s: float) -> None:
        self._timer = self._loop.call_later(delay_s, self._ping)

    def _ping(self) -> None:
        self._payload = secrets.token_bytes(PAYLOAD_BYTES)
        self._probe_is_older = True
        self._sent_s = self._loop.time()
        self._send_ping(self._payload)
        if self._timeout_s is None:
            self._schedule(self._interval_s)
        else:
            self._timer = self._loop.call_later(self._timeout_s, self._miss)

    def _miss(self) -> None:
        self._stop_timer()
        if self._pongs_are_read():
            self._on_timeout()
        else:
            self._schedule(self._interval_s)
