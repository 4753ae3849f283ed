"""Does the head of a cluster answer? Asked before Ray is, which would wait for it for minutes."""

import os
import socket
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""With which a client of HTTP/2 begins (RFC 9113, section 3.4)."""

EMPTY_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""The frame SETTINGS without any: length 0, type 4, no flags, stream 0 (section 6.5)."""

FRAME_HEADER_BYTES, FRAME_TYPE_AT, SETTINGS = 9, 3, 4


def problem_of(address: str, within_s: float) -> str | None:
    """Why no cluster answers at an address; None = one does.

    The head of a Ray cluster speaks gRPC, and so HTTP/2, whose servers begin with their settings.

    Args:
        address: HOST:PORT; an IPv6 address is in brackets.
        within_s: Seconds in which it has to answer.
    """
    host, _, port = address.rpartition(":")
    deadline_s = time.monotonic() + within_s
    try:
        with socket.create_connection((host.strip("[]"), int(port)), within_s) as connection:
            if os.environ.get("RAY_USE_TLS", "").lower() in ("1", "true"):
                return None  # a server with TLS says nothing by itself
            connection.sendall(PREFACE + EMPTY_SETTINGS)
            answer = b""
            while len(answer) < FRAME_HEADER_BYTES:
                connection.settimeout(max(0.001, deadline_s - time.monotonic()))
                data = connection.recv(FRAME_HEADER_BYTES - len(answer))
                if not data:
                    return f"{address} has closed the connection; is it the head of a Ray cluster?"
                answer += data
    except TimeoutError:
        return f"{address} did not answer within {within_s:g} s (remote.connect_seconds)"
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return f"{address} cannot be reached: {reason}"
    if answer[FRAME_TYPE_AT] != SETTINGS:
        return f"{address} speaks another protocol; is it the head of a Ray cluster?"
    return None
