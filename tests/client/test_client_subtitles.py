import pytest

from streamer_client.subtitles import srt_cue, vtt_cue


def test_srt_cue_has_number_comma_times_and_a_blank_line() -> None:
    assert srt_cue(3, 3.2, 3725.9994, "hello") == ("3\n00:00:03,200 --> 01:02:05,999\nhello\n\n")


def test_vtt_cue_has_point_times() -> None:
    assert vtt_cue(0.0, 59.9996, "hello") == "00:00:00.000 --> 00:01:00.000\nhello\n\n"


def test_srt_text_can_neither_end_its_cue_nor_look_like_times() -> None:
    cue = srt_cue(1, 0, 1, "one\n\n2\n00:00 --> 00:01\r\nx", "channel 1")
    assert cue == "1\n00:00:00,000 --> 00:00:01,000\n[channel 1] one 2 00:00 → 00:01 x\n\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("<v Bob>--> hi", "&lt;v Bob&gt;--&gt; hi"),
        ("a\n\nb", "a b"),
    ],
)
def test_vtt_text_is_escaped(text: str, written: str) -> None:
    assert vtt_cue(0, 1, text).splitlines()[1] == written


def test_vtt_speaker_is_a_voice_tag() -> None:
    assert vtt_cue(0, 1, "hi", "channel 0").splitlines()[1] == "<v channel 0>hi"
