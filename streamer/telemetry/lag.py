"""The lag of the event loop: the time that every session waits for the work of others."""

import asyncio

from streamer.observe.monitor import Monitor

INTERVAL_S = 0.25


async def watch_loop(monitor: Monitor) -> None:
    """Set a timer again and again and measure how late it runs, until cancelled."""
    while True:
        due_s = monitor.clock() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        monitor.loop_lag(max(0.0, monitor.clock() - due_s))
