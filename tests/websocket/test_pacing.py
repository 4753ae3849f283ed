"""How much of a connection is parsed at once, and when it has to wait."""

from streamer.config.limits import LimitsConfig
from streamer.websocket.rate import MAX_PIECE_BYTES, MIN_PIECE_BYTES, ReadPacing, SpareTime
from streamer.websocket.signals import SlowedNotice

LIMITS = LimitsConfig(max_messages_per_second=100, max_control_per_second=10)
MESSAGES, CONTROL = "limits.max_messages_per_second", "limits.max_control_per_second"


def busy() -> SpareTime:
    """Another connection is active, and the spare time is spent."""
    spare = SpareTime()
    spare.note_active(object(), 0.0)
    spare.spend(1_000.0, 0.0)
    return spare


def test_a_flood_of_small_frames_is_parsed_in_small_pieces() -> None:
    pace = ReadPacing(LIMITS, busy())
    sizes = [pace.piece_bytes]
    for frames in (0, 1, 1, 0, 0, 5, 9, 5):
        pace.fit(frames)
        sizes.append(pace.piece_bytes)
    grown = [MIN_PIECE_BYTES * 2**n for n in range(5)]
    assert grown[-1] == MAX_PIECE_BYTES
    assert sizes == [*grown, MAX_PIECE_BYTES, MAX_PIECE_BYTES, MIN_PIECE_BYTES, MIN_PIECE_BYTES]


def test_as_many_as_are_allowed_need_no_rest() -> None:
    pace = ReadPacing(LIMITS, busy())
    assert pace.count(100, 10, 0.0) is None
    assert pace.count(50, 5, 0.5) is None


def test_the_limit_that_takes_longest_is_the_reason() -> None:
    for messages, control, wait_s, limit, allowed in (
        (150, 0, 0.5, MESSAGES, 100),
        (0, 20, 1.0, CONTROL, 10),
        (150, 20, 1.0, CONTROL, 10),
        (350, 20, 2.5, MESSAGES, 100),
    ):
        rest = ReadPacing(LIMITS, busy()).count(messages, control, 0.0)
        assert rest is not None
        assert (rest.seconds, rest.reason) == (wait_s, SlowedNotice(limit, allowed))


def test_without_limits_there_is_no_rest() -> None:
    pace = ReadPacing(LimitsConfig(max_messages_per_second=0, max_control_per_second=0), busy())
    assert pace.count(100_000, 100_000, 0.0) is None


def test_the_limit_of_messages_binds_only_while_another_is_active() -> None:
    spare = SpareTime()
    pace = ReadPacing(LIMITS, spare)
    for now_s in (0.0, 0.1, 0.2):
        assert pace.count(10_000, 0, now_s) is None
        assert pace.over_limit
    spare.note_active(object(), 0.3)
    pace.spend(10.0, 0.3)
    rest = pace.count(150, 0, 0.3)
    assert rest is not None
    assert rest.seconds <= 1.5, "and what was forgiven does not count"
    assert rest.reason == SlowedNotice(MESSAGES, 100)


def test_the_limit_of_control_frames_always_binds() -> None:
    assert ReadPacing(LIMITS, SpareTime()).count(0, 20, 0.0) is not None


def test_one_that_keeps_the_limit_is_not_charged() -> None:
    spare = SpareTime()
    pace, other = ReadPacing(LIMITS, spare), ReadPacing(LIMITS, spare)
    assert pace.count(50, 0, 0.0) is None
    pace.spend(1_000.0, 0.0)
    assert other.count(101, 0, 0.0) is None
