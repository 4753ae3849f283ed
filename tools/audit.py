"""Ask the registries for known vulnerabilities of everything that is locked: `make audit`.

A vulnerability is a failure. What no registry answers for is not: it is listed as not audited.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.command_line import tool_parser

ROOT = Path(__file__).parents[1]
PIP_AUDIT = ROOT / "build/tools/bin/pip-audit"
LOCKS = (
    "requirements/development.lock",
    "requirements/image.lock",
    "requirements/site.lock",
    "requirements/ray.lock",
)
NPM_FOLDER = "tests/web"
PATIENCE_S = 300


@dataclass
class Findings:
    """The answers about one lock file.

    `vulnerable` holds a line for each vulnerability, `audited` the number of packages that a
    registry answered for, and `unanswered` the reasons why others have no answer.
    """

    vulnerable: list[str] = field(default_factory=list)
    audited: int = 0
    unanswered: list[str] = field(default_factory=list)


def of_pip(stdout: str, stderr: str) -> Findings:
    """Read the JSON of `pip-audit`.

    Args:
        stdout: Its standard output.
        stderr: Its standard error.
    """
    try:
        packages = json.loads(stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Findings(unanswered=[_last_line(stderr)])
    found = Findings()
    for package in packages:
        if "skip_reason" in package:
            found.unanswered.append(package["skip_reason"])
            continue
        found.audited += 1
        for one in package["vulns"]:
            fixed = ", ".join(one["fix_versions"]) or "no version yet"
            name = f"{package['name']} {package['version']}"
            found.vulnerable.append(f"{name}: {one['id']}, fixed in {fixed}")
    return found


def of_npm(stdout: str, stderr: str) -> Findings:
    """Read the JSON of `npm audit`."""
    try:
        report: dict[str, Any] = json.loads(stdout)
        counted = report["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError, TypeError):
        return Findings(unanswered=[_last_line(stderr)])
    found = Findings(audited=counted)
    for name, one in report["vulnerabilities"].items():
        titles = [via["title"] for via in one["via"] if isinstance(via, dict)]
        why = "; ".join(titles) or f"through {', '.join(map(str, one['via']))}"
        found.vulnerable.append(f"{name} {one['range']}: {why}")
    return found


def conclude(findings: dict[str, Findings]) -> tuple[list[str], int]:
    """Return what to print, and the exit code."""
    lines = []
    for lock, found in findings.items():
        lines += [f"VULNERABLE: {lock}: {one}" for one in found.vulnerable]
        if found.audited and not found.vulnerable:
            lines.append(f"{lock}: {found.audited} packages, no known vulnerability")
        if found.unanswered:
            others = len(found.unanswered) - 1
            more = f" (and {others} others)" if others else ""
            lines.append(f"NOT AUDITED: {lock}: {found.unanswered[0]}{more}")
    return lines, int(any(found.vulnerable for found in findings.values()))


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no answer")


def _run(command: Sequence[str | Path]) -> tuple[str, str]:
    try:
        run = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    return run.stdout, run.stderr


def _pip(lock: str) -> Findings:
    flags = ("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off")
    return of_pip(*_run([PIP_AUDIT, "-r", lock, *flags]))


def _npm(folder: str) -> Findings:
    stdout, stderr = _run(["npm", "audit", "--prefix", folder, "--json"])
    complaint = [line for line in stderr.splitlines() if "audit" in line]
    return of_npm(stdout, complaint[0] if complaint else stderr)


def main(locks: Iterable[str] = LOCKS) -> int:
    """Ask the registries and print their answers."""
    findings = {}
    for lock in locks:
        print(f"asking about {lock} …", file=sys.stderr)
        findings[lock] = _pip(lock)
    print(f"asking about {NPM_FOLDER} …", file=sys.stderr)
    findings[f"{NPM_FOLDER}/package-lock.json"] = _npm(NPM_FOLDER)
    lines, code = conclude(findings)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    tool_parser("tools.audit", __doc__).parse_args()
    sys.exit(main())
