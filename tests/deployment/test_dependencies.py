"""What is tested is what is locked, and what is locked is asked about."""

import json
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deployment.files import ROOT
from tools.audit import LOCKS, Findings, conclude, of_npm, of_pip

DEVELOPMENT, IMAGE, *_ = (ROOT / lock for lock in LOCKS)


def locked(lock: Path) -> list[Requirement]:
    """Those that this platform needs."""
    lines = re.findall(r"^([a-z0-9].*?) *\\$", lock.read_text(), re.MULTILINE)
    found = [Requirement(line) for line in lines]
    return [one for one in found if one.marker is None or one.marker.evaluate()]


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def test_what_is_installed_is_what_is_locked() -> None:
    wanted = {one.name: str(one.specifier) for one in locked(DEVELOPMENT)}
    assert len(wanted) > 50
    assert {name: f"=={installed(name)}" for name in wanted} == wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_locked_has_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_image_gets_nothing_but_what_is_tested() -> None:
    tested = {(one.name, str(one.specifier)) for one in locked(DEVELOPMENT)}
    image = {(one.name, str(one.specifier)) for one in locked(IMAGE)}
    assert image <= tested


def test_npm_packages_are_locked_with_their_hashes() -> None:
    packages = json.loads((ROOT / "tests/web/package-lock.json").read_text())["packages"]
    assert len(packages) > 1
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []


PIP = {
    "dependencies": [
        {"name": "anyio", "version": "4.16.0", "vulns": []},
        {"name": "unheard-of", "skip_reason": "not found on PyPI"},
    ],
    "fixes": [],
}
BAD = {
    "name": "starlette",
    "version": "0.1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"], "aliases": [], "description": "…"}],
}
NPM = {
    "auditReportVersion": 2,
    "vulnerabilities": {},
    "metadata": {"vulnerabilities": {"total": 0}, "dependencies": {"total": 5}},
}
REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405}


def test_what_pip_audit_says() -> None:
    assert of_pip(json.dumps(PIP), "") == Findings([], 1, ["not found on PyPI"])
    worse = {**PIP, "dependencies": [*PIP["dependencies"], BAD]}
    found = of_pip(json.dumps(worse), "")
    assert found.vulnerable == ["starlette 0.1: PYSEC-1, fixed in 0.2"]
    assert of_pip("", "a\nno such host\n\n") == Findings([], 0, ["no such host"])


def test_what_npm_audit_says() -> None:
    assert of_npm(json.dumps(NPM), "") == Findings([], 5, [])
    advisory = {"title": "ReDoS", "severity": "high"}
    bad = {
        "ws": {"name": "ws", "range": "<8", "via": [advisory]},
        "user": {"name": "user", "range": "*", "via": ["ws"]},
    }
    found = of_npm(json.dumps({**NPM, "vulnerabilities": bad}), "")
    assert found.vulnerable == ["ws <8: ReDoS", "user *: through ws"]
    assert of_npm(json.dumps(REFUSED), "npm warn audit 405") == Findings(
        [], 0, ["npm warn audit 405"]
    )


def test_a_vulnerability_is_a_failure_and_silence_is_said() -> None:
    fine = Findings([], 5, [])
    unknown = Findings([], 0, ["no such host", "no such host"])
    assert conclude({"a.lock": fine, "b.lock": unknown}) == (
        [
            "a.lock: 5 packages, no known vulnerability",
            "NOT AUDITED: b.lock: no such host (and 1 others)",
        ],
        0,
    )
    lines, code = conclude({"a.lock": Findings(["x 1: CVE-1"], 5, [])})
    assert (lines, code) == (["VULNERABLE: a.lock: x 1: CVE-1"], 1)
