"""While a server runs, nothing that lives as long as it does holds a token in plain text."""

import argparse
import gc
import json
import os
import secrets
import sys
import types
from pathlib import Path

import psutil
import pytest

from streamer.cli import serve
from tests.end_to_end.conftest import Launch

NOT_FOLLOWED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
"""They lead to the whole program, and to the tests."""


def texts_reachable_from(roots: list[object]) -> set[str]:
    """All text that these objects lead to."""
    texts: set[str] = set()
    seen = {id(roots)}
    waiting = list(roots)
    while waiting:
        found = waiting.pop()
        if isinstance(found, str | bytes):
            texts.add(found if isinstance(found, str) else found.decode(errors="replace"))
        elif id(found) not in seen and not isinstance(found, NOT_FOLLOWED):
            seen.add(id(found))
            waiting += gc.get_referents(found)
            # msgspec's structs without containers are not known to the garbage collector.
            waiting += [getattr(found, name, None) for name in getattr(found, "__slots__", ())]
    return texts


def test_no_token_is_reachable_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [secrets.token_hex(8) for _ in range(3)]
    of_tickets = [secrets.token_hex(32) for _ in range(3)]
    access: dict[str, object] = {}
    for key, (in_file, in_settings, in_environment) in (
        ("tokens", tokens),
        ("ticket_secrets", of_tickets),
    ):
        (tmp_path / key).write_text(in_file)
        access |= {key: [in_settings], f"{key}_file": key}
        monkeypatch.setenv(f"STREAMER_{key.upper()}", in_environment)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"access": access}))
    reachable: list[set[str]] = []
    admitted: list[bool] = []

    def in_place_of_serve(*args: object) -> int:
        frame = sys._getframe(1)
        assert frame.f_code.co_name == "run"
        reachable.append(texts_reachable_from([args, frame.f_locals, dict(os.environ)]))
        admitted.extend(args[1].is_token(token) for token in [*tokens, "x"])  # type: ignore[attr-defined]
        return 0

    monkeypatch.setattr(serve, "serve", in_place_of_serve)
    monkeypatch.setattr(serve, "set_up", lambda *_: None)
    flags = dict.fromkeys(serve.FLAGS)
    assert serve.run(argparse.Namespace(config=path, fetch=False, **flags)) == 0
    assert admitted == [True, True, True, False]
    assert "127.0.0.1" in reachable[0], "the settings themselves are found"
    hidden = [*tokens, *of_tickets]
    assert [text for text in reachable[0] if any(secret in text for secret in hidden)] == []


def test_workers_do_not_inherit_tokens(launch: Launch) -> None:
    token = secrets.token_hex(8)
    server = launch({"model": {"type": "standin"}}, env={"STREAMER_TOKENS": token})
    workers = server.workers()
    assert workers
    for worker in workers:
        assert token not in str(psutil.Process(worker.pid).environ())
