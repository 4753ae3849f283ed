"""What `make release` makes."""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.needed import missing
from tests.release.conftest import ROOT, git
from tests.release.test_public_api import git as git_in
from tools.harness.image import context
from tools.release.__main__ import release, said_of_version
from tools.release.client_tree import needed_modules
from tools.release.distributions import _environment
from tools.release.package_version import NO_VERSION, PACKAGE, npm_version
from tools.release.sbom import CYCLONEDX, write_sbom
from tools.release.source import Source, copy_of_commit, tag_of


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.mark.timeout(300)
def test_the_same_commit_gives_the_same_bytes(made: Path, commit: str, tmp_path: Path) -> None:
    again = release(ROOT, tmp_path, cyclonedx=None, commit=commit)
    assert (again / "SHA256SUMS").read_text() == (made / "SHA256SUMS").read_text()


def test_the_checksums_are_those_of_all_files(made: Path) -> None:
    lines = (made / "SHA256SUMS").read_text().splitlines()
    listed = [line.split("  ")[1] for line in lines]
    assert listed == sorted(path.name for path in made.iterdir() if path.name != "SHA256SUMS")
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made, check=True)


def test_the_servers_wheel_has_server_page_manifests_and_client(server_wheel: Path) -> None:
    tracked = git("ls-files", "streamer", "client/streamer_client").splitlines()
    code = {name.removeprefix("client/") for name in tracked} - {"streamer/weights/shipped"}
    found = names(server_wheel)
    shipped = {name for name in found if name.startswith("streamer/weights/shipped/")}
    assert found - shipped == {name for name in code if (ROOT / name).exists()} | {
        name for name in code if (ROOT / "client" / name).exists()
    }
    manifests = ROOT.glob("models/*/model.json")
    assert shipped == {
        f"streamer/weights/shipped/{path.parent.name}/{name}"
        for path in manifests
        for name in ("model.json", "LICENSE")
    }


def test_the_clients_wheel_has_what_it_imports_and_the_same_files(
    client_wheel: Path, server_wheel: Path
) -> None:
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in names(client_wheel)
        if name.endswith(".py")
    }
    assert modules == set(needed_modules(ROOT))
    assert not [name for name in modules if re.match(r"streamer\.(server|app|inference)", name)]
    with zipfile.ZipFile(client_wheel) as client, zipfile.ZipFile(server_wheel) as server:
        for name in names(client_wheel):
            assert client.read(name) == server.read(name), name


def test_no_wheel_needs_a_package_that_this_project_has_not_published(
    client_wheel: Path, server_wheel: Path
) -> None:
    for wheel in (client_wheel, server_wheel):
        needed = metadata(wheel).get_all("Requires-Dist") or []
        assert needed
        assert not [name for name in needed if name.startswith("streamer")]


def test_everything_has_the_version_and_none_is_in_the_code(made: Path) -> None:
    versions = {path: metadata(path)["Version"] for path in made.glob("*.whl")}
    assert len(versions) == 2
    (version,) = set(versions.values())
    assert version == made.name
    for path in made.iterdir():
        assert version in path.name or path.name == "SHA256SUMS"


def test_the_constraints_are_the_locked_versions_without_what_builds(made: Path) -> None:
    (file,) = made.glob("streamer-constraints-*.txt")
    constraints = set(file.read_text().splitlines()[1:])
    lock = (ROOT / "requirements/image.lock").read_text()
    assert len(constraints) == len(re.findall(r"^\S+==", lock, re.MULTILINE)) - 3
    for line in constraints:
        assert f"\n{line} \\\n" in f"\n{lock}"
        assert "hash" not in line
    assert any(line.startswith("onnxruntime==") for line in constraints)
    assert not any(line.startswith("setuptools") for line in constraints)


def test_a_source_distribution_has_what_a_wheel_is_made_of_and_no_more(made: Path) -> None:
    (archive,) = made.glob("streamer_server-*.tar.gz")
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
    top = {member.name.split("/")[1] for member in members if "/" in member.name}
    assert top <= {
        *("CHANGELOG.md", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "pyproject.toml"),
        *("setup.cfg", "client", "streamer", "streamer_server.egg-info"),
    }
    assert {(member.uid, member.uname, oct(member.mode)) for member in members} <= {
        (0, "", "0o644"),
        (0, "", "0o755"),
    }


def test_the_context_is_what_docker_is_let_see_with_the_version(made: Path) -> None:
    (archive,) = made.glob("streamer-image-*.tar.gz")
    with tarfile.open(archive) as opened:
        found = {member.name.removeprefix("./") for member in opened.getmembers()}
        dockerfile = opened.extractfile("./Dockerfile")
        assert dockerfile is not None
        text = dockerfile.read().decode()
    tracked = set(git("ls-files").splitlines())
    seen = {str(path) for path in context()} & tracked
    assert found == seen | {"Dockerfile", ".dockerignore"}
    assert f"\nARG VERSION={made.name}\n" in text
    assert text.replace(made.name, "0.dev0") == (ROOT / "Dockerfile").read_text()


def version_in(folder: Path, tmp_path: Path) -> str:
    copy_number = len(list(tmp_path.iterdir()))
    return copy_of_commit(folder, tmp_path / f"copy{copy_number}").version


def test_versions_come_from_tags(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    text = (ROOT / "pyproject.toml").read_text()
    (repository / "pyproject.toml").write_text(text)
    git_in(repository, "init", "--quiet")
    git_in(repository, "add", "-A")
    git_in(repository, "commit", "--quiet", "-m", "first")
    assert re.fullmatch(r"0\.dev1\+g[0-9a-f]+", version_in(repository, tmp_path))
    git_in(repository, "tag", "v1.2.0")
    assert version_in(repository, tmp_path) == "1.2.0"
    (repository / "pyproject.toml").write_text(text + "\n")
    assert version_in(repository, tmp_path) == "1.2.0", "what is not committed is not released"
    git_in(repository, "commit", "--quiet", "-a", "-m", "second")
    assert re.fullmatch(r"1\.2\.1\.dev1\+g[0-9a-f]+", version_in(repository, tmp_path))
    git_in(repository, "tag", "v1.3.0rc1")
    assert version_in(repository, tmp_path) == "1.3.0rc1"


def test_without_a_repository_there_is_a_version_too(tmp_path: Path) -> None:
    """As in an archive of the files; a source distribution has its own."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    unknown = Source(tmp_path, "", "", 0)
    environment = _environment(unknown)
    del environment["SETUPTOOLS_SCM_PRETEND_VERSION"]
    environment["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)

    def version() -> str:
        command = [sys.executable, "-m", "setuptools_scm"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.split()[-1]

    assert version() == "0.dev0"
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: x\nVersion: 7.1\n")
    assert version() == "7.1"


def test_the_sbom_has_every_locked_package_and_every_model(commit: str, tmp_path: Path) -> None:
    if not CYCLONEDX.is_file():
        missing(f"{CYCLONEDX.relative_to(ROOT)} is not installed: make tools")
    source = copy_of_commit(ROOT, tmp_path / "source", commit)
    for file in (tmp_path / "a.json", tmp_path / "b.json"):
        write_sbom(source, file)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    bill = json.loads((tmp_path / "a.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "streamer-server"
    assert bill["metadata"]["component"]["version"] == source.version
    lock = (ROOT / "requirements/image.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock, re.MULTILINE))
    components = {(one["name"], one.get("version")): one for one in bill["components"]}
    assert locked <= components.keys()
    models = {path.parent.name for path in ROOT.glob("models/*/model.json")}
    assert models == {n for (n, _), one in components.items() if "model" in one["type"]}
    (root,) = (e for e in bill["dependencies"] if e["ref"] == "root-component")
    assert len(root["dependsOn"]) == len(bill["components"])


def test_the_browser_client_has_the_version_of_the_release(server_wheel: Path, made: Path) -> None:
    committed = json.loads((ROOT / PACKAGE).read_text())
    assert (committed["version"], committed["private"]) == (NO_VERSION, True)
    with zipfile.ZipFile(server_wheel) as archive:
        released = json.loads(archive.read(PACKAGE))
    assert released == {**committed, "version": npm_version(made.name)}


def test_no_other_package_json_has_a_version() -> None:
    files = [ROOT / name for name in git("ls-files", "*package.json").splitlines()]
    assert len(files) >= 3
    for file in files:
        package = json.loads(file.read_text())
        assert package["private"], file
        assert "version" not in package or file == ROOT / PACKAGE, file


def test_what_is_made_says_of_which_tag_it_is(tmp_path: Path) -> None:
    assert said_of_version("1.2.0", "v1.2.0") == "version 1.2.0, of the tag v1.2.0"
    assert "has no tag" in said_of_version("0.1.dev3+gabc", None)
    (tmp_path / "a").touch()
    git_in(tmp_path, "init", "--quiet")
    git_in(tmp_path, "add", "-A")
    git_in(tmp_path, "commit", "--quiet", "-m", "first")
    assert tag_of(tmp_path) is None
    git_in(tmp_path, "tag", "other")
    assert tag_of(tmp_path) is None
    git_in(tmp_path, "tag", "v1.2.0")
    assert tag_of(tmp_path) == "v1.2.0"
    git_in(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "second")
    assert tag_of(tmp_path) is None, "that is another commit"
