"""Do what `docs/installing.md` says, without the repository, by the clock: `make release-demo`.

Makes a release, copies it into an empty folder, and runs every command of the page there, with an
empty home and a clean environment. Of the first server, the page is opened in Chromium, and its
sample is played. The weights come from the package index, so the time depends on the network.
Prints a log with times, and what the environments take; the release itself is made before the clock
starts.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tools.command_line import tool_parser
from tools.harness.process import wait_until
from tools.release.__main__ import ROOT, release
from tools.release.environment import megabytes
from tools.release.page_commands import Command, SavedFile, steps_of

PAGE = ROOT / "docs/installing.md"
MOST_S = 300.0
"""Seconds that all of it may take."""

ENVIRONMENTS = ("server", "client")
"""That the page makes."""

CAME_ALONG = {"pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils"}
"""What `python3 -m venv` puts into an environment."""

PATIENCE_S = 240.0
"""Seconds that one command may take."""

READY = re.compile(r"in a browser +(http://[\w.:]+)/")
SAID = {"two_cities.wav": "best of times", "beckett.wav": ("dbfs=", "Ever tried")}
"""What the client has to print of a recording; or one of several texts."""


class Stranger:
    """A person with an empty folder, an empty home and the page.

    Args:
        folder: With the files of a release.
        home: Empty.
        log: Called with each line of the log.
    """

    def __init__(self, folder: Path, home: Path, log: Callable[[str], None]) -> None:
        self._folder = folder
        self._log = log
        self._servers: list[subprocess.Popen[bytes]] = []
        kept = ("PATH", "LANG", "TMPDIR", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE")
        self._environment = {
            **{name: value for name, value in os.environ.items() if name in kept},
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
            "HOME": str(home),
        }

    def save(self, file: SavedFile) -> None:
        """Save a file of the page."""
        (self._folder / file.name).write_text(file.content)
        self._log(f"saved {file.name}")

    def run(self, command: Command) -> None:
        """Run a command to its end; a server is started, and used in a browser once."""
        self._log(f"$ {command.text}")
        if command.starts_a_server:
            address = self._serve(command)
            if len(self._servers) == 1:
                self._log(f"in Chromium: {use_page(address)}")
            return
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"exit code {done.returncode}: {done.stdout}{done.stderr}")
        shown = [line for line in done.stdout.splitlines() if line.strip()]
        self._log(f"    {shown[-1] if shown else 'nothing printed'}")
        _check_said(command.text, done.stdout)

    def _serve(self, command: Command) -> str:
        """Start a server; return its address when it is ready."""
        output = self._folder / f"server{len(self._servers)}.log"
        with output.open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command.text}"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self._servers.append(process)

        def ready_or_ended() -> bool:
            return process.poll() is not None or READY.search(output.read_text()) is not None

        wait_until(ready_or_ended, "the server is ready", PATIENCE_S)
        found = READY.search(output.read_text())
        if found is None:
            raise SystemExit(f"the server ended: {output.read_text()}")
        self._log(f"    ready: {found[1]}")
        return found[1]

    def leave(self) -> None:
        """End the servers."""
        for process in self._servers:
            process.terminate()
        for process in self._servers:
            process.wait(PATIENCE_S)


def _check_said(command: str, output: str) -> None:
    for recording, expected in SAID.items():
        texts = (expected,) if isinstance(expected, str) else expected
        if command.endswith(recording) and not any(text in output for text in texts):
            raise SystemExit(f"expected one of {texts} in: {output}")


def use_page(address: str) -> str:
    """Open a server's page in Chromium, and play its sample; return the first sentence."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--disable-gpu"], chromium_sandbox=False
        )
        page = browser.new_page()
        page.goto(address)
        expect(page.locator("#state-text")).to_have_text("Ready")
        page.locator("input[name=source][value=sample]").check(force=True)
        page.locator("#start").click()
        first = page.locator(".entry[data-state=final]").first
        expect(first).to_contain_text("best of times", timeout=PATIENCE_S * 1000)
        text = first.inner_text()
        browser.close()
    return " ".join(text.split())


def main() -> None:
    """Go through the page; a step that fails ends it. The time is printed, and decides nothing.

    On a machine that runs tests at the same time, the same steps may take several times as long.
    """
    tool_parser("tools.release.stranger", __doc__).parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        made = release(ROOT, scratch / "made", cyclonedx=None)
        folder = Path(shutil.copytree(made, scratch / "release"))
        (scratch / "home").mkdir()
        started_s = time.monotonic()

        def log(line: str) -> None:
            print(f"{time.monotonic() - started_s:6.1f} s  {line}", flush=True)

        stranger = Stranger(folder, scratch / "home", log)
        try:
            for step in steps_of(PAGE.read_text()):
                if isinstance(step, SavedFile):
                    stranger.save(step)
                else:
                    stranger.run(step)
            took_s = time.monotonic() - started_s
            late = ": too late, unless the machine was busy" if took_s > MOST_S else ""
            log(f"done; allowed are {MOST_S:g} s{late}")
            for name in ENVIRONMENTS:
                sizes = megabytes(folder / name)
                taken = sum(size for package, size in sizes.items() if package not in CAME_ALONG)
                print(f"{taken:6.0f} MB  {name}")
        finally:
            stranger.leave()


if __name__ == "__main__":
    main()
