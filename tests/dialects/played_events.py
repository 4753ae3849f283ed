"""The events of a stream, as the pipeline may send them, made up at random."""

from dataclasses import dataclass, field

from hypothesis import strategies as st
from msgspec.structs import replace

from streamer.protocol.events import (
    Active,
    ErrorEvent,
    Event,
    Flushed,
    Inactive,
    Interim,
    Resumed,
    Segment,
    SegmentEnd,
    Started,
    Stopped,
    VadInForce,
)

SESSION = "0123456789abcdef"
STARTED = Started(
    session_id=SESSION,
    trace_id="0" * 32,
    model="moonshine-tiny-en",
    sample_rate=16_000,
    interim_results=True,
    vad=VadInForce(
        engine="silero",
        threshold=0.5,
        min_silence_ms=550,
        min_speech_ms=200,
        prefix_padding_ms=450,
        max_segment_ms=20_000,
    ),
    max_message_bytes=262_144,
    protocol=1,
    words=True,
)

TEXTS = st.sampled_from(
    ["", "Yes.", "Ever tried. Ever failed.", "No matter — try again!", "It's 50% of $5, isn't it?"]
)


def stopped(seconds: float) -> Stopped:
    return Stopped(audio_seconds=seconds, segments=0, session_id=SESSION, seconds=[])


def segment(
    start: float,
    end: float,
    text: str = "Yes.",
    channel: int = 0,
    ended_by: SegmentEnd = "silence",
) -> Segment:
    output = {"text": text, "confidence": 0.8} if text else {"text": text}
    return Segment(
        start_time=start,
        end_time=end,
        channel=channel,
        output=output,
        flushed=ended_by == "flush",
        ended_by=ended_by,
    )


@dataclass
class Channel:
    number: int
    now: float = 0.0
    open_since: float | None = None
    pending: list[Segment | ErrorEvent | Flushed] = field(default_factory=list)


@st.composite
def streams(draw: st.DrawFn, channels: int = 1) -> list[Event]:
    """All events of a stream, in an order that the pipeline may send them in."""
    events: list[Event] = [STARTED]
    rows = [Channel(number) for number in range(channels)]

    def end(row: Channel, ended_by: SegmentEnd) -> None:
        assert row.open_since is not None
        start = max(0.0, row.open_since - 0.25)
        events.append(Inactive(time=row.now, channel=row.number))
        if draw(st.integers(0, 5)):
            text = draw(TEXTS)
            row.pending.append(segment(start, row.now + 0.25, text, row.number, ended_by))
        else:
            row.pending.append(
                ErrorEvent(
                    code="worker_lost",
                    message="it died",
                    fatal=False,
                    channel=row.number,
                    start_time=start,
                    end_time=row.now + 0.25,
                )
            )
        row.open_since = None

    def settle(row: Channel) -> None:
        if row.pending:
            events.append(row.pending.pop(0))

    for _ in range(draw(st.integers(0, 25))):
        row = rows[draw(st.integers(0, channels - 1))]
        what = draw(st.sampled_from(["speech", "interim", "settle", "flush", "settle"]))
        if what == "settle":
            settle(row)
            continue
        row.now = round(row.now + draw(st.sampled_from([0.5, 1.0, 3.0])), 3)
        if what == "flush":
            if row.open_since is not None:
                end(row, "flush")
            row.pending.append(Flushed(time=row.now, channel=row.number))
        elif what == "interim" and row.open_since is not None:
            start = max(0.0, row.open_since - 0.25)
            output = {"text": draw(TEXTS)}
            interim = Interim(start_time=start, end_time=row.now, channel=row.number, output=output)
            if draw(st.booleans()):
                events.append(interim)
                continue
            events.append(replace(interim, eager=True))
            if draw(st.booleans()):
                end(row, "silence")
                continue
            events.append(Resumed(time=row.now, channel=row.number))
        elif row.open_since is None:
            while any(isinstance(item, Flushed) for item in row.pending):
                settle(row)  # `active` waits for the answer to a flush
            row.open_since = row.now
            events.append(Active(time=row.now, channel=row.number))
        else:
            end(row, draw(st.sampled_from(["silence", "cut"])))
    for row in rows:
        if row.open_since is not None:
            row.now += 0.5
            end(row, "stop")
        while row.pending:
            settle(row)
    events.append(stopped(max(row.now for row in rows) + 0.5))
    return events
