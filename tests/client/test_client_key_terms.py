"""Key terms on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from streamer_client import connect
from tests.client.test_client_cli import talk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.conftest import RunCommand, ServeScript


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
async def test_terms_of_the_command_line_and_of_a_file(
    serve_script: ServeScript, run_command: RunCommand, speech: Path, tmp_path: Path, end: str
) -> None:
    listed = tmp_path / "terms.txt"
    listed.write_bytes(f"Æthelred\n\n  Jean Valjean \nKubernetes{end}".encode("utf-8-sig"))
    server = await serve_script(talk)
    result = await run_command(
        speech, "-a", server.url, "--keyterm", "Kubernetes", "--keyterm", "etcd",
        "--keyterms", listed,
    )  # fmt: skip
    assert result.code == 0
    assert server.peer.start["keyterms"] == ["Kubernetes", "etcd", "Æthelred", "Jean Valjean"]


async def test_one_text_in_the_place_of_a_list_is_a_type_error(serve_script: ServeScript) -> None:
    server = await serve_script(talk)
    wrong: Any
    for wrong in ("Kubernetes", b"Kubernetes", ""):
        with pytest.raises(TypeError, match=r"keyterms is b?'.*'; allowed: a list of texts"):
            async with connect(server.url, keyterms=wrong):
                pass


async def test_without_terms_none_are_sent(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    server = await serve_script(talk)
    await run_command(speech, "-a", server.url)
    assert "keyterms" not in server.peer.start


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "does not exist; check its name"),
        (b"\xff\xfe\x00", "is not text in UTF-8 (byte 0); save it as UTF-8"),
    ],
)
async def test_a_file_that_cannot_be_read(
    run_command: RunCommand, speech: Path, tmp_path: Path, content: bytes | None, says: str
) -> None:
    listed = tmp_path / "terms.txt"
    if content is not None:
        listed.write_bytes(content)
    result = await run_command(speech, "-a", "ws://127.0.0.1:1", "--keyterms", listed)
    assert result.code == 2
    assert f"argument --keyterms: {listed} {says} (see" in result.err
    assert len(result.err.splitlines()) == 1
