"""Ports for programs that must be told one, and cannot choose a free one themselves."""

import random
import socket

FIRST, LAST = 20_000, 32_767
"""Below the ports that the kernel gives to those who ask for any (32768 on Linux,
https://docs.kernel.org/networking/ip-sysctl.html, `ip_local_port_range`), among them every client:
one of these could be taken between the question and its use."""


def free_port() -> int:
    """A TCP port that nobody on this machine listens on."""
    chance = random.SystemRandom()
    while True:
        port = chance.randint(FIRST, LAST)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
