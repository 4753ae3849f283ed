"""Languages as programs name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.http.languages import is_automatic, language_of


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("en", "english"),
        ("EN", "english"),
        ("en-US", "english"),
        ("en_GB", "english"),
        ("en-Latn-GB", "english"),
        ("en_US.UTF-8", "english"),
        (" en ", "english"),
        ("eng", "english"),
        ("English", "english"),
        ("English (United States)", "english"),
        ("de", "german"),
        ("ger", "german"),
        ("deu", "german"),
        ("zh-Hant-TW", "chinese"),
        ("cmn-Hans-CN", "chinese"),
        ("iw", "hebrew"),
        ("nb-NO", "norwegian"),
        ("yue", "cantonese"),
    ],
)
def test_names_of_languages(given: str, name: str) -> None:
    found = language_of(given)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("given", ["", "-", "x", "xx", "klingon", "12", "auto", "engl"])
def test_what_is_none(given: str) -> None:
    assert language_of(given) is None


@pytest.mark.parametrize(
    "given",
    [
        *("auto", "AUTO", " auto-detect", "auto_detect", "Auto Detect", "detect", "unknown", "und"),
        *("mul", "Multi", "multilingual", "any", "*"),
    ],
)
def test_leaving_it_to_the_server(given: str) -> None:
    assert is_automatic(given)
    assert not is_automatic("en")


@given(st.text())
def test_any_text_is_a_language_or_not(given: str) -> None:
    language = language_of(given)
    assert language is None or language_of(language.code) == language_of(language.name) == language
