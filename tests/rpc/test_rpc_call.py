"""A call as a WebSocket: where it comes from, how it ends, and what its library reports."""

import logging
from typing import get_args

import grpc.aio
import pytest
from starlette.responses import Response

from streamer.config.limits import LimitsConfig
from streamer.config.ports import GrpcConfig, ServerConfig
from streamer.config.schema import Config
from streamer.protocol.actions import Close
from streamer.protocol.codes import CloseCode, ErrorCode
from streamer.protocol.events import ErrorEvent
from streamer.rpc.call import CODES, address_of
from streamer.rpc.dialect import credential_of
from streamer.rpc.options import server_options
from streamer.rpc.own.dialect import OwnDialect
from streamer.rpc.port import is_no_lost_client
from streamer.rpc.status import STATUS_OF_ERROR, Status, status_of_close, status_of_http
from streamer.session.dialect import UpgradeRefused


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.7:50000", ("192.0.2.7", 50_000)),
        ("ipv6:%5B2001:db8::1%5D:50000", ("2001:db8::1", 50_000)),
        ("ipv6:[::1]:1", ("::1", 1)),
        ("unix:/tmp/socket", None),
        ("", None),
    ],
)
def test_the_address_of_a_client(peer: str, address: tuple[str, int] | None) -> None:
    assert address_of(peer) == address


@pytest.mark.parametrize(
    ("metadata", "credential"),
    [
        ({}, None),
        ({"authorization": "Bearer x"}, "x"),
        ({"authorization": "Basic dTpw"}, None),
        ({"x-goog-api-key": "k"}, "k"),
        ({"authorization": "Basic dTpw", "x-goog-api-key": "k"}, "k"),
        ({"authorization": "Bearer x", "x-goog-api-key": "k"}, "x"),
    ],
)
def test_the_credential_in_the_metadata(metadata: dict[str, str], credential: str | None) -> None:
    assert credential_of(metadata) == credential


def test_every_error_has_a_status_and_none_is_unavailable() -> None:
    assert set(STATUS_OF_ERROR) == set(get_args(ErrorCode))
    assert {CODES[status] for status in Status}.isdisjoint({grpc.StatusCode.UNAVAILABLE})


@pytest.mark.parametrize("code", CloseCode)
def test_every_close_has_a_status(code: CloseCode) -> None:
    closed = status_of_close(Close(code, "why"), None)
    assert (closed.code == Status.OK) == (code is CloseCode.NORMAL)
    assert closed.reason == "why"


def test_a_fatal_error_decides_the_status() -> None:
    dialect = OwnDialect("speech", LimitsConfig())
    failure = ErrorEvent(code="idle_timeout", message="nothing received", fatal=True)
    (message,) = dialect.write(failure)
    assert isinstance(message, bytes)
    assert list(dialect.write(Close(CloseCode.NORMAL, ""))) == [
        Close(Status.ABORTED, "nothing received")
    ]


@pytest.mark.parametrize(
    ("http", "status"), [(401, "UNAUTHENTICATED"), (503, "RESOURCE_EXHAUSTED"), (500, "INTERNAL")]
)
def test_a_refusal_has_a_status(http: int, status: str) -> None:
    answer = OwnDialect("speech", LimitsConfig()).refuse(
        UpgradeRefused(http, "code", "the reason", {"Retry-After": "5"})
    )
    assert isinstance(answer, Response)
    assert (answer.body, answer.headers["retry-after"]) == (b"the reason", "5")
    assert CODES[status_of_http(answer.status_code)].name == status


def test_a_lost_client_is_not_logged() -> None:
    def record(error: Exception | None) -> logging.LogRecord:
        info = (type(error), error, None) if error else None
        return logging.LogRecord("grpc", logging.ERROR, "", 0, "failed", None, info)

    assert is_no_lost_client(record(None))
    assert is_no_lost_client(record(ValueError("a defect")))
    lost = 'Failed "execute_batch": (SendStatusFromServerOperation,)'
    assert not is_no_lost_client(record(grpc.aio.InternalError(lost)))
    ours = "Failed grpc_call_start_batch: 8 with grpc_call_error value: 'too many operations'"
    assert is_no_lost_client(record(grpc.aio.InternalError(ours)))


def test_the_library_takes_the_largest_settings() -> None:
    largest = Config(
        server=ServerConfig(ping_interval_seconds=1e9, ping_timeout_seconds=1e9),
        limits=LimitsConfig(max_sessions=2**40, handshake_seconds=1e9),
        grpc=GrpcConfig(max_connection_age_ms=2**40),
    )
    options = server_options(largest, 2**40)
    assert max(value for _, value in options) == 2**31 - 1
    assert all(isinstance(value, int) for _, value in options)


def test_calls_of_a_connection_are_limited_also_without_a_limit_of_sessions() -> None:
    unlimited = Config(limits=LimitsConfig(max_sessions=0))
    assert dict(server_options(unlimited, 1))["grpc.max_concurrent_streams"] > 1000


def test_a_connection_has_an_age_only_if_one_is_set() -> None:
    assert "grpc.max_connection_age_ms" not in dict(server_options(Config(), 1))
    aged = Config(grpc=GrpcConfig(max_connection_age_ms=60_000))
    assert dict(server_options(aged, 1))["grpc.max_connection_age_ms"] == 60_000
