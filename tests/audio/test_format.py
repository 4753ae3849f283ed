"""What a declared audio format may be, and what is said about one that may not."""

import msgspec
import pytest

from streamer.audio.format import AudioFormat


def decode(text: str) -> AudioFormat:
    return msgspec.json.decode(text, type=AudioFormat)


def test_defaults_are_mono_16_bit_integers() -> None:
    assert decode('{"sample_rate": 16000}') == AudioFormat(
        sample_rate=16000, channels=1, bit_depth=16, is_float=False, encoding="pcm"
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"channels": 1}', "sample_rate"),
        ('{"sample_rate": 16000, "bits": 16}', "bits"),
        ('{"sample_rate": "16000"}', "sample_rate"),
        ('{"sample_rate": 16000, "is_float": 1}', "is_float"),
        ('{"sample_rate": 16000, "channels": true}', "channels"),
        ('{"sample_rate": 16000, "encoding": "opus"}', "encoding"),
    ],
)
def test_wrong_shape_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        decode(text)


def test_values_out_of_range_decode_and_are_left_to_problem() -> None:
    fmt = decode('{"sample_rate": -1, "channels": 0, "bit_depth": 7}')
    assert (fmt.sample_rate, fmt.channels, fmt.bit_depth) == (-1, 0, 7)


@pytest.mark.parametrize(
    "fmt",
    [
        *(AudioFormat(sample_rate=16000, bit_depth=bits) for bits in (8, 16, 24, 32)),
        *(AudioFormat(sample_rate=16000, bit_depth=bits, is_float=True) for bits in (32, 64)),
        AudioFormat(sample_rate=8000, bit_depth=8, encoding="mulaw"),
        AudioFormat(sample_rate=192000, bit_depth=8, encoding="alaw", channels=8),
    ],
)
def test_supported(fmt: AudioFormat) -> None:
    assert fmt.problem(max_channels=8) is None


@pytest.mark.parametrize(
    ("fmt", "sentence"),
    [
        (
            AudioFormat(sample_rate=7999),
            "'format.sample_rate' is 7999; allowed: 8000 to 192000",
        ),
        (
            AudioFormat(sample_rate=192001),
            "'format.sample_rate' is 192001; allowed: 8000 to 192000",
        ),
        (
            AudioFormat(sample_rate=16000, channels=0),
            "'format.channels' is 0; allowed: 1 to 8",
        ),
        (
            AudioFormat(sample_rate=16000, channels=9),
            "'format.channels' is 9; allowed: 1 to 8",
        ),
        (
            AudioFormat(sample_rate=16000, bit_depth=12),
            "'format.bit_depth' is 12; allowed for integer PCM: 8, 16, 24, 32",
        ),
        (
            AudioFormat(sample_rate=16000, bit_depth=64),
            "'format.bit_depth' is 64; allowed for integer PCM: 8, 16, 24, 32",
        ),
        (
            AudioFormat(sample_rate=16000, is_float=True),
            "'format.bit_depth' is 16; allowed for float PCM: 32, 64",
        ),
        (
            AudioFormat(sample_rate=16000, encoding="mulaw"),
            "'format.bit_depth' is 16; allowed with mulaw: 8",
        ),
        (
            AudioFormat(sample_rate=16000, bit_depth=8, is_float=True, encoding="alaw"),
            "'format.is_float' is true; allowed with alaw: false",
        ),
    ],
)
def test_problem_names_field_value_and_what_is_allowed(fmt: AudioFormat, sentence: str) -> None:
    assert fmt.problem(max_channels=8) == sentence


def test_max_channels_is_the_servers() -> None:
    stereo = AudioFormat(sample_rate=16000, channels=2)
    assert stereo.problem(max_channels=2) is None
    assert stereo.problem(max_channels=1) == "'format.channels' is 2; allowed: 1 to 1"


def test_sizes() -> None:
    fmt = AudioFormat(sample_rate=48000, channels=6, bit_depth=24)
    assert fmt.bytes_per_sample == 3
    assert fmt.bytes_per_frame == 18
    assert fmt.bytes_per_second == 864_000
