"""Our schemas have the names, numbers and types of the vendors' own."""

import json
import subprocess
import sys
from typing import Any

import pytest

from streamer.rpc.descriptors import new_pool
from tests.end_to_end.clients.programs import python

GOOGLE = """
from google.cloud.speech_v1.types import cloud_speech
of = lambda name: getattr(cloud_speech, name).pb()
"""
RIVA = """
from riva.client.proto import riva_asr_pb2
of = lambda name: getattr(riva_asr_pb2, name)
"""
LISTING = """
import json, sys

def fields(descriptor, known):
    if descriptor.full_name in known:
        return known
    known[descriptor.full_name] = {
        field.name: [field.number, field.type, field.is_repeated] for field in descriptor.fields
    }
    for kind in descriptor.enum_types:
        known[kind.full_name] = {value.name: value.number for value in kind.values}
    for field in descriptor.fields:
        if field.message_type is not None:
            fields(field.message_type, known)
        if field.enum_type is not None:
            kind = field.enum_type
            known[kind.full_name] = {value.name: value.number for value in kind.values}
    return known
"""

CASES = {
    "google": (
        GOOGLE,
        "google.cloud.speech.v1",
        [
            "StreamingRecognizeRequest",
            "StreamingRecognizeResponse",
            "RecognizeRequest",
            "RecognizeResponse",
        ],
    ),
    "riva": (
        RIVA,
        "nvidia.riva.asr",
        [
            "StreamingRecognizeRequest",
            "StreamingRecognizeResponse",
            "RecognizeRequest",
            "RecognizeResponse",
            "RivaSpeechRecognitionConfigRequest",
            "RivaSpeechRecognitionConfigResponse",
        ],
    ),
}


def ours(package: str, messages: list[str]) -> dict[str, dict[str, Any]]:
    scope: dict[str, Any] = {}
    exec(LISTING, scope)
    known: dict[str, dict[str, Any]] = {}
    pool = new_pool()
    for name in messages:
        scope["fields"](pool.FindMessageTypeByName(f"{package}.{name}"), known)
    return known


def theirs(interpreter: str, imports: str, messages: list[str]) -> dict[str, dict[str, Any]]:
    script = f"""{imports}{LISTING}
known = {{}}
for name in {messages}:
    fields(of(name).DESCRIPTOR, known)
print(json.dumps(known))
"""
    done = subprocess.run(
        [interpreter, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("vendor", CASES)
def test_each_field_is_the_vendors(vendor: str) -> None:
    imports, package, messages = CASES[vendor]
    interpreter = sys.executable if vendor == "google" else python("riva")
    there = {
        name.replace("nvidia.riva.asr.", "nvidia.riva."): fields
        for name, fields in theirs(interpreter, imports, messages).items()
    }
    here = json.loads(json.dumps(ours(package, messages)))
    assert len(here) > 10
    for name, fields in here.items():
        other = there[name.replace("nvidia.riva.asr.", "nvidia.riva.")]
        assert {field: other.get(field) for field in fields} == fields, name
