"""How late the event loop is: what every session waits besides its own work."""

import asyncio

from streamer.observe.monitor import Monitor

INTERVAL_S = 0.25


async def watch_loop(monitor: Monitor) -> None:
    """Make appointments with the event loop and see how late it is, until cancelled."""
    while True:
        due_s = monitor.clock() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        monitor.loop_lag(max(0.0, monitor.clock() - due_s))
