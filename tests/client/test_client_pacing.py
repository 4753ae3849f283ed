from hypothesis import given
from hypothesis import strategies as st

from streamer_client.pacing import delay_s


def test_waits_until_the_audio_would_have_been_recorded() -> None:
    assert delay_s(started_s=100.0, audio_s=2.0, now_s=101.5) == 0.5


def test_is_not_negative_when_late() -> None:
    assert delay_s(started_s=100.0, audio_s=2.0, now_s=109.0) == 0.0


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=60))
def test_delays_of_single_messages_do_not_add_up(overheads: list[float]) -> None:
    """Each message costs some time to send. A fake clock shows when each one goes out."""
    chunk_s, now_s = 0.02, 0.0
    busy_until_s = 0.0
    for index, overhead_s in enumerate(overheads):
        audio_s = (index + 1) * chunk_s
        now_s += delay_s(0.0, audio_s, now_s)
        # It goes out on time, or as soon as the previous one is through.
        assert abs(now_s - max(audio_s, busy_until_s)) < 1e-9
        now_s += overhead_s
        busy_until_s = now_s
