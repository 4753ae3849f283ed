"""Every block of code in the documentation is run, or checked by what would read it."""

import ast
import inspect
import json
import re
import subprocess
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

from streamer import Model
from streamer.config.schema import Config
from streamer.config.sources import load_config
from streamer.http.openapi import describe
from streamer.http.operations import OPERATIONS
from streamer.protocol.requests import decode_request
from streamer_client.events import EVENT_FIELDS
from tests.docs.test_docs import PAGES, ROOT, blocks, commands
from tests.needed import program

CHECKED = {
    ("README.md", "console"): ".ci/run",
    ("quickstart.md", "console"): ".ci/run",
    ("quickstart.md", "json"): "tests/docs/test_docs.py",
    ("installing.md", "console"): "tools/release/stranger.py",
    ("installing.md", "json"): "tests/docs/test_docs.py",
    ("browser.md", "nginx"): "tests/docs/test_blocks.py",
    ("clients.md", "console"): "tests/end_to_end/clients/test_deepgram_sdks.py",
    ("clients.md", "json"): "tests/docs/test_blocks.py",
    ("command-line.md", "console"): ".ci/run",
    ("configuration.md", "console"): "tests/docs/test_docs.py",
    ("configuration.md", "json"): "tests/docs/test_blocks.py",
    ("configuration.md", "sh"): "tests/docs/test_docs.py",
    ("deployment.md", "console"): "tests/deployment/test_guide.py",
    ("deployment.md", "json"): "tests/deployment/test_guide.py",
    ("deployment.md", "sh"): "tests/deployment/test_systemd.py",
    ("grpc.md", "console"): "tests/end_to_end/rpc/test_rpc_page.py",
    ("grpc.md", "json"): "tests/docs/test_blocks.py",
    ("http.md", "console"): "tests/end_to_end/http/test_http_page.py",
    ("http.md", "json"): "tests/docs/test_blocks.py",
    ("operations.md", "console"): "tests/operations/test_image.py",
    ("protocol.md", "json"): "tests/docs/test_blocks.py",
    ("python.md", "text"): "tests/docs/test_python_page.py",
    ("ray.md", "console"): "tests/deployment/test_ray_files.py",
    ("ray.md", "json"): "tests/deployment/test_ray_files.py",
    ("streamer-client/README.md", "js"): "tests/web/test_guide_blocks.py",
    ("scaling.md", "console"): "tests/tools/test_simulate.py",
    ("your-own-model.md", "console"): "tests/end_to_end/serving/test_examples.py",
    ("your-own-model.md", "json"): "tests/docs/test_docs.py",
    ("your-own-model.md", "text"): "tests/docs/test_blocks.py",
}
"""By page and language: the file that runs or checks the blocks, or most of them. Blocks of Python
and HTML are files of `docs/examples`; those of the book have tests in `tests/book`."""

PICTURES = {
    ("quickstart.md", ""),
    ("architecture.md", "text"),
    ("ray.md", "text"),
    ("scaling.md", "text"),
}
"""Drawings made of characters."""


def languages() -> dict[tuple[str, str], list[str]]:
    """The blocks of all pages but the book, by page and language."""
    found: dict[tuple[str, str], list[str]] = {}
    for page in PAGES:
        if page.parent == ROOT / "docs/book":
            continue
        name = page.name
        if page.parent.name == "streamer-client":
            name = f"streamer-client/{name}"
        text = page.read_text()
        for language, block in re.findall(r"^```(\S*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            found.setdefault((name, language), []).append(block)
    return found


def test_every_kind_of_block_has_a_check() -> None:
    found = languages()
    unknown = {key for key in found if key[1] not in ("python", "html")} - PICTURES
    assert unknown == CHECKED.keys()
    assert [path for path in CHECKED.values() if not (ROOT / path).is_file()] == []


CONFIGURATIONS = [
    block
    for name in ("docs/quickstart.md", "docs/clients.md", "docs/configuration.md", "docs/grpc.md")
    for block in blocks(ROOT / name, "json")
]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_configuration_is_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    used = json.loads(msgspec.json.encode(load_config(path, {}, {})))
    for section, given in json.loads(text).items():
        if section == "models":
            assert [{k: used[section][i][k] for k in one} for i, one in enumerate(given)] == given
        else:
            assert {key: used[section][key] for key in given} == given


def values(text: str) -> list[dict[str, object]]:
    """The objects of a block, one after another."""
    found, decoder, at = [], json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def test_the_messages_of_the_protocol_are_messages() -> None:
    shown = [
        value for block in blocks(ROOT / "docs/protocol.md", "json") for value in values(block)
    ]
    assert len(shown) >= 6
    for value in shown:
        if "request" in value:
            decode_request(json.dumps(value), max_channels=8)
        else:
            fields = {*EVENT_FIELDS[str(value["type"])], "type", "text", "confidence", "words"}
            assert value.keys() <= fields


ANSWERS = blocks(ROOT / "docs/http.md", "json")


@pytest.mark.parametrize("text", ANSWERS, ids=range(len(ANSWERS)))
def test_an_answer_is_one_of_those_described(text: str) -> None:
    document = describe(OPERATIONS)
    kinds = [
        name
        for name in document["components"]["schemas"]
        if jsonschema_rs.is_valid(
            {"$ref": f"#/components/schemas/{name}", "components": document["components"]},
            json.loads(text),
        )
    ]
    assert kinds


def test_the_location_for_nginx_is_one(tmp_path: Path) -> None:
    executable = program("nginx", "nginx-light")
    (location,) = blocks(ROOT / "docs/browser.md", "nginx")
    temporary = "".join(
        f"{kind}_temp_path {kind}; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"error_log stderr; pid nginx.pid; events {{}}\n"
        f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:8999;\n{location}}} }}\n"
    )
    command = [executable, "-t", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr


def test_parts_of_code_and_of_a_configuration_are_right(tmp_path: Path) -> None:
    part, copy, drafts, method, check = blocks(ROOT / "docs/your-own-model.md", "text")
    (tmp_path / "config.json").write_text(f"{{{part}}}")
    assert load_config(tmp_path / "config.json", {}, {}).simple.chunk_seconds != (
        Config().simple.chunk_seconds
    )
    for text, name in ((drafts, "infer_request"), (method, "infer_batch")):
        (function,) = ast.parse(text).body
        assert isinstance(function, ast.FunctionDef)
        assert function.name == name
        parameters = [argument.arg for argument in function.args.args]
        assert parameters == [*inspect.signature(getattr(Model, name)).parameters]
    assert copy.startswith("cp -r docs/examples/")  # tests/docs/test_docs.py runs it
    assert "models check docs/examples/alarm --audio" in check


def test_the_configurations_that_commands_name_exist() -> None:
    named = {
        path
        for page in PAGES
        for command in commands(page)
        for path in re.findall(r"--config (\S+)", command)
    }
    assert len(named) >= 4
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_recording_and_script_in_a_command_exists() -> None:
    shown = "\n".join(command for page in PAGES for command in commands(page))
    named = set(re.findall(r"(?:models|docs/examples|deploy)/[\w./@-]+", shown))
    assert len(named) > 12
    assert [path for path in named if not (ROOT / path).exists()] == []
