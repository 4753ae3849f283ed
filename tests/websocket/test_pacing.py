"""How much of a connection is parsed at once, and when it has to wait."""

from streamer.config.schema import LimitsConfig
from streamer.websocket.rate import MAX_PIECE_BYTES, MIN_PIECE_BYTES, ReadPacing
from streamer.websocket.signals import SlowedNotice

LIMITS = LimitsConfig(max_messages_per_second=100, max_control_per_second=10)
MESSAGES, CONTROL = "limits.max_messages_per_second", "limits.max_control_per_second"


def test_a_flood_of_small_frames_is_parsed_in_small_pieces() -> None:
    pace = ReadPacing(LIMITS)
    sizes = [pace.piece_bytes]
    for frames in (0, 1, 1, 0, 0, 5, 9, 5):
        pace.fit(frames)
        sizes.append(pace.piece_bytes)
    grown = [MIN_PIECE_BYTES * 2**n for n in range(5)]
    assert grown[-1] == MAX_PIECE_BYTES
    assert sizes == [*grown, MAX_PIECE_BYTES, MAX_PIECE_BYTES, MIN_PIECE_BYTES, MIN_PIECE_BYTES]


def test_as_many_as_are_allowed_need_no_rest() -> None:
    pace = ReadPacing(LIMITS)
    assert pace.count(100, 10, 0.0) is None
    assert pace.count(50, 5, 0.5) is None


def test_the_limit_that_takes_longest_is_the_reason() -> None:
    for messages, control, wait_s, limit, allowed in (
        (150, 0, 0.5, MESSAGES, 100),
        (0, 20, 1.0, CONTROL, 10),
        (150, 20, 1.0, CONTROL, 10),
        (350, 20, 2.5, MESSAGES, 100),
    ):
        rest = ReadPacing(LIMITS).count(messages, control, 0.0)
        assert rest is not None
        assert (rest.seconds, rest.reason) == (wait_s, SlowedNotice(limit, allowed))


def test_without_limits_there_is_no_rest() -> None:
    pace = ReadPacing(LimitsConfig(max_messages_per_second=0, max_control_per_second=0))
    assert pace.count(100_000, 100_000, 0.0) is None
