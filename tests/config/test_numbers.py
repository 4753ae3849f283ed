"""Whole numbers that are written as floats: in requests, settings and queries."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.config.numbers import with_whole_numbers
from streamer.config.schema import Config
from streamer.config.sources import SettingsError, load_config
from streamer.http.analyze import Query
from streamer.http.parameters import read_parameters
from streamer.protocol.requests import BadRequest, Start, decode_request

AS_INTEGERS = {
    "request": "start",
    "format": {"sample_rate": 16000, "channels": 2, "bit_depth": 16},
    "vad": {
        "threshold": 0.5,
        "min_silence_ms": 500,
        "min_speech_ms": 0,
        "prefix_padding_ms": 300,
        "max_segment_ms": 10000,
    },
}

START = {"request": "start", "format": {"sample_rate": 16000}}


def with_floats(tree: object) -> object:
    if isinstance(tree, dict):
        return {name: with_floats(value) for name, value in tree.items()}
    return float(tree) if type(tree) is int else tree


def test_every_integer_of_a_start_may_be_a_float() -> None:
    text = json.dumps(with_floats(AS_INTEGERS))
    assert "16000.0" in text
    expected = decode_request(json.dumps(AS_INTEGERS), max_channels=8)
    assert decode_request(text, max_channels=8) == expected
    assert decode_request(text.replace("16000.0", "1.6e4"), max_channels=8) == expected
    assert isinstance(expected, Start)
    decoded = decode_request(text, max_channels=8)
    assert isinstance(decoded, Start)
    assert type(decoded.format.sample_rate) is int


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("16000.5", "'format.sample_rate' is 16000.5; allowed: a whole number"),
        ("1e-9", "'format.sample_rate' is 1e-09; allowed: a whole number"),
        ("true", "'format.sample_rate' is true; allowed: a whole number"),
        ('"16000.0"', "'format.sample_rate' is \"16000.0\"; allowed: a whole number"),
        ("7999.0", "'format.sample_rate' is 7999; allowed: 8000 to 192000"),
        ("1e999", "the message is not JSON"),
        ("NaN", "the message is not JSON"),
    ],
)
def test_what_is_no_whole_number_is_still_refused(value: str, says: str) -> None:
    text = json.dumps(START).replace("16000", value)
    with pytest.raises(BadRequest) as refused:
        decode_request(text, max_channels=8)
    assert str(refused.value).startswith(says)


def test_the_value_is_shown_as_it_was_given() -> None:
    text = '{"request": "start", "format": {"sample_rate": 16000}, "vad": {"min_silence_ms": 49.0}}'
    with pytest.raises(BadRequest, match=r"is 49\.0; allowed: a whole number from 50"):
        decode_request(text, max_channels=8)


def test_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        '{"server": {"port": 9000.0}, "models": [{"workers": 2.0, "options": {"delay": 1.0}}]}'
    )
    config = load_config(path, {"STREAMER_LIMITS__MAX_SESSIONS": "3.0"}, {})
    assert (config.server.port, config.limits.max_sessions) == (9000, 3)
    (model,) = config.served
    assert model.workers == 2
    assert type(model.options["delay"]) is float, "what an option is, only the model can decide"
    with pytest.raises(SettingsError, match=r"9000\.5; allowed: a whole number"):
        load_config(None, {"STREAMER_SERVER__PORT": "9000.5"}, {})


def test_a_query() -> None:
    query = read_parameters([("sample_rate", "16000.0"), ("model", "1.0")], Query)
    assert (query.sample_rate, query.model) == (16_000, "1.0")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["server", "models", "port", "workers"]), inner)
    ),
)


@given(json_values)
def test_any_tree_is_left_alone_or_made_valid(tree: object) -> None:
    once = with_whole_numbers(tree, Config)
    assert with_whole_numbers(once, Config) == once or "nan" in repr(once)
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError:
        return
    assert msgspec.convert(once, Config) == config
