"""The answers of both servers, byte for byte: recordings, wrong messages, limits and the end.

Both servers get the same at the same time, and each of them one thing after another, so that
nothing depends on which segment of which client a worker takes first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rich.progress import Progress, TaskID

from tools.bench.compare import limits, message_scripts, wrong_frames, wrong_requests
from tools.bench.compare.answers import Answer, Difference, first_difference, metric_names
from tools.bench.compare.checkout import Checkout
from tools.bench.compare.cut_recordings import (
    PlayedRecording,
    manifest,
    random_cuts,
    read_recording,
    whole,
)
from tools.bench.compare.players import bytes_exchange, exchange, form, play, request
from tools.harness.process import Server

ONE_WORKER: Mapping[str, object] = {"inference": {"workers": 1}}

_T = TypeVar("_T")

PlayOnPort = Callable[[int], Answer]
"""Takes the port of a server."""


@dataclass(frozen=True)
class Check:
    """One exchange with each server.

    Attributes:
        kind: CheckCounts of the table.
        name: Of the recording, or of the mistake.
        play: Runs it with one server.
    """

    kind: str
    name: str
    play: PlayOnPort


@dataclass
class CheckCounts:
    """What came of the checks of one kind."""

    checks: int = 0
    equal: int = 0
    lines: int = 0
    """Events, and lines of the bodies, that were equal."""


@dataclass
class ComparisonOutcome:
    """What came of all checks."""

    rows: dict[str, CheckCounts] = field(default_factory=dict)
    differences: list[tuple[Check, Difference]] = field(default_factory=list)

    def add(self, check: Check, this: Answer, other: Answer) -> None:
        """Compare two answers."""
        row = self.rows.setdefault(check.kind, CheckCounts())
        row.checks += 1
        difference = first_difference(this, other)
        if difference is None:
            row.equal += 1
            row.lines += this.lines
        else:
            self.differences.append((check, difference))


def recording_checks(recording: PlayedRecording, seed: int, cuts: int) -> Iterator[Check]:
    """One recording in every way it can be sent."""
    name, body = recording.name, recording.body
    for path in ("segmented", "simple") if recording.audio else ():
        yield Check(f"{path}, whole", name, _stream(path, recording, None))
        for turn in range(cuts):
            seeded = f"{seed} {turn} {path} {name}"
            yield Check(f"{path}, random cuts", name, _stream(path, recording, seeded))
    analyze = "/api/v1/analyze"
    for query in ("", "?vad=false", "?format=srt"):
        yield Check(f"POST analyze{query}", name, _post(f"{analyze}{query}", body))
    pieces = list(random_cuts(body, f"{seed} {name}"))
    chunked = {"Transfer-Encoding": "chunked"}
    yield Check("POST analyze, random cuts", name, _post(analyze, pieces, chunked))
    for response_format in ("json", "verbose_json"):
        fields = {"model": "whisper-1", "response_format": response_format}
        yield Check(
            f"POST transcriptions, {response_format}", name, _transcribe(fields, recording, body)
        )


def mistake_checks(speech: PlayedRecording) -> Iterator[Check]:
    """Wrong messages, wrong frames, wrong requests.

    Args:
        speech: A good recording, short.
    """
    body = speech.body
    for name, script in message_scripts.SCRIPTS.items():
        yield Check("wrong messages", name, _script(script))
    for name, pieces in wrong_frames.FRAMES.items():
        yield Check("wrong frames", name, _bytes(wrong_frames.OPEN, pieces))
    for name, head in wrong_frames.HEADS.items():
        yield Check("wrong upgrades", name, _bytes(head, wrong_frames.CLOSED))
    for name, each in wrong_requests.requests(body).items():
        yield Check("wrong requests", name, _request(each))
    for name, fields in wrong_requests.FORMS.items():
        yield Check("OpenAI's form", name, _transcribe(fields, speech, body))


def limit_checks() -> Iterator[Check]:
    """Tokens and limits, on servers of their own."""
    for name, script in limits.SCRIPTS.items():
        yield Check("tokens and limits", name, _script(script))
    for name, each in limits.requests().items():
        yield Check("tokens and limits", f"HTTP: {name}", _request(each))
    for name, situation in limits.SITUATIONS.items():
        yield Check("tokens and limits", name, situation)


def info_check() -> Check:
    """Only equal before anything was counted."""
    return Check(
        "info", "/api/v1/info", _request(wrong_requests.HttpRequest("GET", "/api/v1/info"))
    )


def metrics_check() -> Check:
    """The names of what is counted, after everything."""

    def fetch(port: int) -> Answer:
        answer = request(port, "GET", "/metrics")
        exposition = "\n".join(answer.parts["body"])
        return Answer({"metrics": metric_names(exposition)})

    return Check("names of metrics", "/metrics", fetch)


def compare_events(
    sides: tuple[Checkout, Checkout],
    folder: Path | None,
    seed: int,
    cuts: int,
    progress: Progress,
) -> ComparisonOutcome:
    """Run all checks with both servers.

    Args:
        sides: This checkout and the other one.
        folder: With a `manifest.json`; None = only the recordings that come with the model.
        seed: Of the random cuts.
        cuts: How often each recording is cut at random.
        progress: Gets a bar.
    """
    shipped = [read_recording(path.name, path) for path in sides[0].recordings()]
    others = [read_recording(*entry) for entry in manifest(folder)] if folder else []
    checks = [
        info_check(),
        *mistake_checks(shipped[1]),
        *(check for r in (*shipped, *others) for check in recording_checks(r, seed, cuts)),
        metrics_check(),
    ]
    limited = list(limit_checks())
    outcome = ComparisonOutcome()
    bar = progress.add_task("starting servers", total=len(checks) + len(limited) + 1)
    with ExitStack() as stack:
        servers = [stack.enter_context(side.serve(ONE_WORKER)) for side in sides]
        _compare(checks, servers, outcome, progress, bar)
    with ExitStack() as stack:
        servers = [stack.enter_context(side.serve(limits.CONFIG)) for side in sides]
        _compare(limited, servers, outcome, progress, bar)
        this, other = _both(limits.end, servers)
        outcome.add(Check("SIGTERM in a stream", "", lambda _: this), this, other)
        progress.advance(bar)
    return outcome


def _compare(
    checks: Sequence[Check],
    servers: Sequence[Server],
    outcome: ComparisonOutcome,
    progress: Progress,
    bar: TaskID,
) -> None:
    ports = [server.port for server in servers]
    for check in checks:
        progress.update(bar, description=f"{check.kind}: {check.name}"[:60])
        outcome.add(check, *_both(check.play, ports))
        progress.advance(bar)


def _both(run: Callable[[_T], Answer], of: Sequence[_T]) -> tuple[Answer, Answer]:
    with ThreadPoolExecutor(2) as threads:
        this, other = threads.map(run, of)
    return this, other


def _stream(path: str, recording: PlayedRecording, seed: str | None) -> PlayOnPort:
    audio = recording.audio
    assert audio is not None

    def run(port: int) -> Answer:
        cut = whole(audio.data) if seed is None else random_cuts(audio.data, seed)
        return play(port, path, audio, cut)

    return run


def _script(script: message_scripts.Script) -> PlayOnPort:
    return lambda port: exchange(
        port, script.path, script.messages, script.headers, script.subprotocols, script.given
    )


def _bytes(head: bytes, pieces: Sequence[bytes]) -> PlayOnPort:
    return lambda port: bytes_exchange(port, head, pieces)


def _request(each: wrong_requests.HttpRequest) -> PlayOnPort:
    return lambda port: request(port, each.method, each.path, each.body, each.headers)


def _post(
    path: str, body: bytes | list[bytes], headers: Mapping[str, str] | None = None
) -> PlayOnPort:
    return lambda port: request(port, "POST", path, body, headers)


def _transcribe(fields: Mapping[str, str], recording: PlayedRecording, file: bytes) -> PlayOnPort:
    body, headers = form(fields, recording.path.name, file)
    return lambda port: request(port, "POST", "/v1/audio/transcriptions", body, headers)
