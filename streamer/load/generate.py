"""Many live streams from one process: `streamer load`.

Each stream plays the same recording, round and round, from a place of its own, in real time. What
is sent is prepared once, and one loop without tasks sends and receives for all streams, so that
the generator takes little from the machine that it shares with the server. `LoadReport.late_ms`
shows whether it kept up.

Latency is counted from the sending of the message that holds an event's last sample. So it holds
everything that a user waits for: the silence that ends a segment, inference, and the way back. All
streams end within the same moment, and each then waits for the final of its last segment; these
are counted separately, because that moment is not typical of the load.
"""

import heapq
import random
import resource
import selectors
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from streamer.load.connect import open_stream
from streamer.load.load_report import LoadReport
from streamer.load.load_stream import LoadStream
from streamer.load.plan import LoadPlan
from streamer.load.websocket_frames import BINARY, client_frame, frames_of
from streamer_client.connection import check_address
from streamer_client.errors import InvalidAddress

TICK_S = 0.001
"""Seconds; messages due within one tick are sent together."""

LEAD_S = 0.05
"""Seconds between the opening of the last stream and the first message."""

PROGRESS_S = 0.5
"""Seconds between two calls of `on_progress`."""


def generate(plan: LoadPlan, on_progress: Callable[[float], None] = lambda _: None) -> LoadReport:
    """Play all streams to their end.

    Args:
        plan: What to play.
        on_progress: Called twice a second with the seconds that have passed.

    Raises:
        InvalidAddress: The address is not a `ws://` URL.
        CannotConnect: Nothing usable answers there.
        ServerError: The server refuses a stream.
        ValueError: The audio is shorter than one message.
    """
    check_address(plan.address)
    if urlsplit(plan.address).scheme != "ws":
        raise InvalidAddress(f"{plan.address}: the load generator speaks ws:// only")
    chance = random.Random(plan.seed)  # noqa: S311 – not for secrets
    message_bytes = plan.format.block_bytes(plan.message_s)
    if len(plan.audio) < message_bytes:
        raise ValueError(f"the audio is shorter than one message, {message_bytes} bytes")
    frames = memoryview(frames_of(plan.audio, message_bytes))
    frame_size = len(client_frame(BINARY, bytes(message_bytes)))
    report = LoadReport()
    before_s = _cpu_s()
    with selectors.DefaultSelector() as selector:
        streams: list[LoadStream] = []
        try:
            for _ in range(plan.streams):
                offset = chance.randrange(len(frames) // frame_size) * frame_size
                stream = LoadStream(open_stream(plan), plan, report, frames, frame_size, offset)
                streams.append(stream)
                selector.register(stream.socket, selectors.EVENT_READ, stream)
            begin = time.perf_counter() + LEAD_S
            due = [(begin + chance.random() * plan.spread_s, i) for i in range(plan.streams)]
            _run(streams, due, selector, plan, lambda: on_progress(time.perf_counter() - begin))
        finally:
            for stream in streams:
                stream.socket.close()
    report.cpu_s = _cpu_s() - before_s
    report.unfinished = sum(not stream.stopped for stream in streams)
    return report


def _run(
    streams: list[LoadStream],
    due: list[tuple[float, int]],
    selector: selectors.BaseSelector,
    plan: LoadPlan,
    on_tick: Callable[[], None],
) -> None:
    """Send what is due and read what comes, until every stream has ended.

    Args:
        streams: All of them.
        due: When the next message of each stream is due, and the index of the stream.
        selector: With the sockets of all streams.
        plan: What is played.
        on_tick: Called every `PROGRESS_S` seconds.
    """
    clock = time.perf_counter
    heapq.heapify(due)
    messages = round(plan.seconds / plan.message_s)
    first = {index: moment for moment, index in due}
    ticked_s = deadline_s = 0.0
    while due or (any(not s.over for s in streams) and clock() < deadline_s):
        now = clock()
        while due and due[0][0] <= now + TICK_S / 2:
            moment, index = due[0]
            stream = streams[index]
            if stream.over or stream.sent == messages:
                heapq.heappop(due)
                stream.stop()
                deadline_s = now + plan.patience_s
                continue
            stream.send(now, moment)
            heapq.heapreplace(due, (first[index] + stream.sent * plan.message_s, index))
        timeout_s = due[0][0] - clock() if due else 0.1
        for key, _ in selector.select(max(TICK_S, timeout_s)):
            stream = key.data
            stream.receive()
            if stream.over:
                selector.unregister(stream.socket)
        if now - ticked_s > PROGRESS_S:
            ticked_s = now
            on_tick()


def _cpu_s() -> float:
    """Processor seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
