"""Files in JSON: what people write instead of it, and a field that is there twice."""

from pathlib import Path

import pytest

from streamer.config.json_files import BadFile, read_json


def problem(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFile) as refused:
        read_json(file)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"simple": {"chunk_seconds": 2.0}', "; the whole is an object, from { to }"),
        ('{// mine\n"a": 1}', "; JSON has no comments"),
        ('{"a": {"b": 1}\n"c": 2}', "; JSON has a comma between two fields"),
        ('{"a": true\n "c": 2}', "; JSON has a comma between two fields"),
        ('{“a”: 1}', "; JSON has straight quotes only"),
        ('{"a": 1}\n"b": 2', "; JSON has a comma between two fields"),
    ],
)  # fmt: skip
def test_what_is_like_json_is_answered_with_the_difference(
    tmp_path: Path, text: str, says: str
) -> None:
    said = problem(tmp_path / "a.json", text)
    assert said.startswith(f"{tmp_path}/a.json is not JSON: ")
    assert said.endswith(says)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"b": {"c": 1, "d": 2, "c": 3}}', "c"),
        ('{"\\n": 1, "\\n": 2}', "\\n"),
    ],
)  # fmt: skip
def test_a_field_that_is_there_twice_is_told(tmp_path: Path, text: str, field: str) -> None:
    assert problem(tmp_path / "a.json", text) == (
        f"{tmp_path}/a.json: the field '{field}' is there twice; only one of them would count"
    )


def test_other_formats_are_told(tmp_path: Path) -> None:
    assert problem(tmp_path / "a.yaml", "model: 3").endswith(
        "is a file in JSON, such as config.json"
    )
