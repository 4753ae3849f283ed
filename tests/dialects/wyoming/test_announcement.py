"""The port is found in the local network, and only where it can be reached."""

import asyncio
import errno
import importlib.util
import random
from typing import Any

import pytest

from streamer.config.ports import WyomingConfig
from streamer.dialects.wyoming.announcement import (
    SERVICE,
    Announcement,
    announcement_of,
    problem_of,
)
from tests.needed import missing
from tools.harness.process import TIMEOUT_S


@pytest.fixture(autouse=True)
def _needs_zeroconf() -> None:
    if importlib.util.find_spec("zeroconf") is None:
        missing("zeroconf is not installed")


async def test_it_is_found_and_taken_back() -> None:
    """Among those of other servers on this machine."""
    from zeroconf import ServiceStateChange
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    changes: asyncio.Queue[tuple[str, ServiceStateChange]] = asyncio.Queue()

    def on_change(name: str, state_change: ServiceStateChange, **_: object) -> None:
        changes.put_nowait((name, state_change))

    port = random.randint(1, 65_535)
    announcement = Announcement(port, ["127.0.0.1"], interfaces=["127.0.0.1"])
    browser = AsyncZeroconf(interfaces=["127.0.0.1"])
    async with asyncio.timeout(TIMEOUT_S):
        searching = AsyncServiceBrowser(browser.zeroconf, SERVICE, handlers=[on_change])
        await announcement.begin()
        found: AsyncServiceInfo | None = None
        while found is None or found.port != port:
            name, _ = await changes.get()
            found = AsyncServiceInfo(SERVICE, name)
            await found.async_request(browser.zeroconf, 3_000)
        assert found.parsed_addresses() == ["127.0.0.1"]
        assert name.startswith("Streamer on ")
        # Otherwise, the next one that would have the same name would have these addresses too.
        assert found.server != name
        await announcement.end()
        while await changes.get() != (name, ServiceStateChange.Removed):
            pass
        await searching.async_cancel()
        await browser.async_close()


@pytest.mark.parametrize(
    ("listened_on", "announced"),
    [
        (["0.0.0.0"], ["192.0.2.7"]),
        (["::"], ["192.0.2.7", "2001:db8::7"]),
        (["0.0.0.0", "::"], ["192.0.2.7", "2001:db8::7"]),
        (["127.0.1.1", "192.0.2.7"], ["192.0.2.7"]),
        (["127.0.1.1"], []),
    ],
)
async def test_each_address_that_others_reach_is_announced_once(
    listened_on: list[str],
    announced: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    import ifaddr

    ips: list[Any] = ["127.0.0.1", "192.0.2.7"]
    ips += [(ip, 0, 0) for ip in ("::1", "fe80::1", "2001:db8::7")]
    adapter = ifaddr.Adapter("eth0", "eth0", [ifaddr.IP(ip, 24, "eth0") for ip in ips])
    monkeypatch.setattr("ifaddr.get_adapters", lambda: [adapter])
    announcement = announcement_of(10_300, listened_on)
    assert announcement.addresses == announced
    if not announced:
        await announcement.begin()
        assert "no other machine reaches it" in caplog.text
        await announcement.end()


async def test_a_machine_without_a_network_serves_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", fail)
    announcement = Announcement(10_300, ["203.0.113.7"])
    await announcement.begin()
    await announcement.end()
    assert "the port for Wyoming is not announced: [Errno 19]" in caplog.text


@pytest.mark.parametrize(
    ("host", "announce", "problem"),
    [
        ("0.0.0.0", True, None),
        ("127.0.0.1", False, None),
        ("127.0.0.1", True, "which no other machine reaches"),
        ("localhost", True, "which no other machine reaches"),
    ],
)
def test_where_it_makes_sense(host: str, announce: bool, problem: str | None) -> None:
    found = problem_of(WyomingConfig(host=host, port=10_300, announce=announce))
    assert (problem or "") in (found or "")
    assert (problem is None) is (found is None)


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    found = problem_of(WyomingConfig(host="0.0.0.0", port=10_300, announce=True))
    assert found is not None
    assert "pip install 'streamer-server[zeroconf]'" in found
