"""What every request with a recording goes through, whatever the shape of its answer.

It gets a slot or is refused at once, its model must be ready, and all its work, in this process and
in the workers, ends when the client goes away.
"""

import asyncio
import contextlib
import errno
import logging
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from streamer.config.dialect_names import DialectName
from streamer.config.explain import show
from streamer.http.refusals import Refused, busy
from streamer.inference.model_pools import WAITS_FOR_REMOTE
from streamer.inference.pool import WorkerPool
from streamer.observe.log_context import LogContext, current
from streamer.observe.monitor import Monitor
from streamer.observe.traceparent import new_context, parse
from streamer.observe.tracer import SessionTrace, StreamTrace
from streamer.protocol.codes import STATUS_OF_FAILED_SEGMENT
from streamer.recordings.errors import AudioFileError, DecoderLost
from streamer.services import Services

_log = logging.getLogger(__name__)


class RequestSlots:
    """Limits how many requests are served at once.

    Args:
        limit: `limits.max_concurrent_requests`.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    @contextlib.contextmanager
    def take(self) -> Iterator[None]:
        """Hold a slot.

        Raises:
            Refused: All are taken.
        """
        if self._taken >= self._limit:
            raise busy(
                "overloaded",
                f"{self._taken} requests are in work; "
                f"allowed: limits.max_concurrent_requests, {self._limit}",
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


@dataclass
class RecordingRequest:
    """A request with a recording that is being served.

    Attributes:
        http: The request as starlette received it.
        services: What the whole server shares.
        resources: Closed when the request has been answered: its slot, its files, its trace.
        id: For the log, the trace and the client.
        began_s: When it arrived, in seconds of `time.perf_counter`.
        dialect: Whose API it is.
    """

    http: Request
    services: Services
    resources: contextlib.ExitStack
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    began_s: float = field(default_factory=time.perf_counter)
    dialect: DialectName = "native"
    _trace: SessionTrace | None = None

    def trace(self, model: str) -> StreamTrace:
        """Begin the trace of the work, in the client's own if its `traceparent` is one."""
        context = parse(self.http.headers.get("traceparent", "")) or new_context()
        path = self.http.url.path
        self._trace = self.services.tracer.session(self.id, "http", path, self.dialect)
        self.resources.callback(self._trace.end)
        trace = self._trace.stream(context, model)
        current.set(LogContext(self.id, trace.trace_id))
        return trace

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the request arrived."""
        return (time.perf_counter() - self.began_s) * 1000

    def pool(self, model: str | None) -> WorkerPool:
        """The workers of a model; of the first model for None.

        Raises:
            Refused: There is no such model, or it is still loading, or no worker runs it.
        """
        pools = self.services.pools
        try:
            pool = pools[model]
        except KeyError:
            message = f"'model' is {show(model)}; allowed: {', '.join(pools.names)}"
            raise Refused(404, "unknown_model", message, field="model") from None
        if not pool.ready:
            loading = f"the model {pool.spec.name} is loading"
            raise busy("not_ready", WAITS_FOR_REMOTE if pool.waits_for_remote else loading)
        return pool

    def refusal(self, error: Exception, sent_status: int | None = None) -> Refused:
        """The answer when the work ended with `error`; to be called once.

        Args:
            error: Of any type.
            sent_status: The status of an answer that has begun already.
        """
        refused = self._refused(error)
        # Failed segments are counted where they fail.
        if refused.code not in STATUS_OF_FAILED_SEGMENT:
            self.services.monitor.error(refused.code)
        if self._trace is not None:
            status = sent_status or refused.status
            fault = refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            self._trace.refused(status, refused.code, refused.message, fault=fault)
        return refused

    def _refused(self, error: Exception) -> Refused:
        match error:
            case Refused():
                return error
            case AudioFileError(code=code):
                return Refused(415 if code == "unsupported_media_type" else 400, code, str(error))
            case DecoderLost():
                _log.error("request %s: %s", self.id, error)
                return busy("overloaded", "no process can be started to decode the recording now")
            case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):
                _log.error("request %s: no room in %s", self.id, tempfile.gettempdir())
                return busy("overloaded", "there is no room for the body on the server now")
        _log.error("request %s failed", self.id, exc_info=error)
        return Refused(500, "internal_error", f"internal error; quote request {self.id}")


async def handle(
    request: Request,
    work: Callable[[RecordingRequest], Awaitable[Response]],
    refuse: Callable[[Refused], Response],
    dialect: DialectName = "native",
) -> Response:
    """Answer a request.

    Args:
        request: As starlette received it.
        work: Makes the answer; raises `Refused` when there is none.
        refuse: The answer when there is none, in the shape that this address's clients expect.
        dialect: Whose API the address belongs to.
    """
    with contextlib.ExitStack() as resources:
        services: Services = request.app.state.services
        recording_request = RecordingRequest(request, services, resources, dialect=dialect)
        try:
            resources.enter_context(request.app.state.slots.take())
            resources.enter_context(_counted(services.monitor, dialect))
            return await work(recording_request)
        except ClientDisconnect:
            return Response(status_code=499)  # never read
        except Exception as error:  # whatever it is, the client gets an answer
            return refuse(recording_request.refusal(error))


@contextlib.contextmanager
def _counted(monitor: Monitor, dialect: DialectName) -> Iterator[None]:
    """Count the request as an open session."""

    def held_bytes() -> int:
        return 0  # its body lies on disk, or is a megabyte at most

    monitor.session_opened("recording", dialect, held_bytes)
    try:
        yield
    finally:
        monitor.session_closed("recording", dialect, held_bytes)


@contextlib.asynccontextmanager
async def tasks_of(request: Request) -> AsyncIterator[asyncio.TaskGroup]:
    """A task group, which is cancelled when the client goes away.

    The request's body must have been received before: only a disconnect can follow it.

    Raises:
        ClientDisconnect: The client went away.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            watcher = tasks.create_task(_watch(request))
            yield tasks
            watcher.cancel()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _watch(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect
