from hypothesis import given
from hypothesis import strategies as st

from streamer_client.formats import AudioFormat
from streamer_client.pacing import MOST_BYTES, delay_s, message_bytes


def test_live_audio_is_sent_a_little_at_a_time_and_what_is_there_in_large_messages() -> None:
    speech = AudioFormat(16_000, 1, 16)
    assert message_bytes(speech, live=True) == 0.020 * 32_000
    assert message_bytes(speech, live=False) == 0.250 * 32_000


@given(
    st.builds(
        AudioFormat,
        st.integers(1, 192_000),
        st.integers(1, 64),
        st.sampled_from([8, 16, 24, 32, 64]),
    ),
    st.booleans(),
)
def test_messages_are_whole_frames_and_never_too_large(form: AudioFormat, live: bool) -> None:
    size = message_bytes(form, live=live)
    assert form.frame_bytes <= size <= MOST_BYTES
    assert size % form.frame_bytes == 0


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
