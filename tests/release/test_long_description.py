"""What a package index shows: the README, with links that lead somewhere from there."""

import subprocess
import tomllib
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.needed import missing
from tests.release.conftest import ROOT
from tests.release.test_release import metadata
from tools.release.long_description import describe, write_description
from tools.release.package_version import npm_version
from tools.release.source import NotReleasable, Source

ADDRESS = "https://example.com/a/streamer"
TWINE = ROOT / "build/tools/bin/twine"
READMES = ((ROOT / "README.md", ""), (ROOT / "client/README.md", "client/"))


def targets(markdown: str) -> list[str]:
    """Where the links and pictures lead."""

    def of(tokens: list[Token]) -> list[str]:
        found = []
        for token in tokens:
            attribute = {"link_open": "href", "image": "src"}.get(token.type)
            if attribute:
                found.append(str(token.attrs[attribute]))
            found += of(token.children or [])
        return found

    return of(MarkdownIt().parse(markdown))


def is_absolute(target: str) -> bool:
    return target.startswith(("https://", "http://", "#"))


@pytest.mark.parametrize(("readme", "folder"), READMES)
def test_with_an_address_every_link_is_absolute_and_leads_to_a_file(
    readme: Path, folder: str
) -> None:
    text = describe(readme.read_text(), ADDRESS, "v1.2.0", folder)
    found = targets(text)
    assert found
    assert [target for target in found if not is_absolute(target)] == []
    for target in found:
        for kind in ("blob", "raw"):
            head = f"{ADDRESS}/{kind}/v1.2.0/"
            if target.startswith(head):
                assert (ROOT / target.removeprefix(head).partition("#")[0]).exists(), target
    assert "docs/performance/" not in text, "the source of a figure is for this repository's tests"


@pytest.mark.parametrize(("readme", "folder"), READMES)
def test_without_an_address_the_words_stay(readme: Path, folder: str) -> None:
    text = describe(readme.read_text(), None, "v1.2.0", folder)
    assert [target for target in targets(text) if not is_absolute(target)] == []
    assert "](" not in text
    assert "make run" in text or "streamer-client" in text


def test_each_kind_of_link() -> None:
    readme = (
        "![A\npicture](docs/a.svg)\n\n[a `page`](docs/b.md#part), [other](https://example.com/x), "
        '[12](docs/r.json "figure x: y"), [part](#part), [up](../SECURITY.md)\n\n'
        "```console\n$ [a](b)\n```\n"
    )
    assert describe(readme, ADDRESS, "v1", "client/") == (
        f"![A\npicture]({ADDRESS}/raw/v1/client/docs/a.svg)\n\n"
        f"[a `page`]({ADDRESS}/blob/v1/client/docs/b.md#part), [other](https://example.com/x), "
        f"12, [part](#part), [up]({ADDRESS}/blob/v1/SECURITY.md)\n\n"
        "```console\n$ [a](b)\n```\n"
    )
    assert describe(readme, None, "v1") == (
        "\n\na `page`, [other](https://example.com/x), 12, [part](#part), up\n\n"
        "```console\n$ [a](b)\n```\n"
    )


@pytest.mark.parametrize("urls", ["", f'[project.urls]\nSource = "{ADDRESS}"\n'])
def test_the_address_is_that_of_the_project(tmp_path: Path, urls: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "a"\n{urls}')
    (tmp_path / "README.md").write_text("[a](docs/a.md)")
    write_description(tmp_path, Source(tmp_path, "1.0", "abc", 0, "v1.0"))
    shown = (tmp_path / "README.md").read_text()
    assert shown == (f"[a]({ADDRESS}/blob/v1.0/docs/a.md)" if urls else "a")


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nSource = "example.com"\n')
    with pytest.raises(NotReleasable, match=r"project.urls.Source is 'example.com'"):
        write_description(tmp_path, Source(tmp_path, "1.0", "abc", 0))


def test_the_wheels_have_no_relative_link(server_wheel: Path, client_wheel: Path) -> None:
    for wheel in (server_wheel, client_wheel):
        description = metadata(wheel).get_payload()
        assert isinstance(description, str)
        assert "streamer" in description.lower()
        assert [one for one in targets(description) if not is_absolute(one)] == [], wheel.name


def test_a_package_index_can_show_them(made: Path) -> None:
    if not TWINE.is_file():
        missing("twine is not installed: make tools")
    files = [str(path) for path in made.glob("streamer_*") if path.suffix in (".whl", ".gz")]
    assert len(files) == 4
    done = subprocess.run(
        [TWINE, "check", "--strict", *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 4


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.2.0", "0.2.0"),
        ("1.3.0rc1", "1.3.0-rc.1"),
        ("0.2.1.dev5+g1a2b", "0.2.1-dev.5+g1a2b"),
        ("0.1.dev7+g1a2b.d20260101", "0.1.0-dev.7+g1a2b.d20260101"),
        ("0.dev0", "0.0.0-dev.0"),
        ("1.0.0rc2.dev3", "1.0.0-rc.2.dev.3"),
    ],
)
def test_the_version_as_npm_writes_it(version: str, expected: str) -> None:
    assert npm_version(version) == expected


def test_a_version_that_npm_cannot_write_is_refused() -> None:
    with pytest.raises(NotReleasable, match=r"1!2\.0"):
        npm_version("1!2.0")


def test_both_distributions_have_the_same_address() -> None:
    server, client = (
        tomllib.loads((ROOT / name).read_text())["project"].get("urls")
        for name in ("pyproject.toml", "client/distribution.toml")
    )
    assert server == client
