"""What others may rely on, a line for each part: `make api` writes `docs/public-api.txt`.

Each line is made from the code that it describes. So a change of what others rely on shows as a
change of this file, and a test fails until the file is written again.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import griffe
import msgspec
from prometheus_client import CollectorRegistry

from streamer.__main__ import _parser as server_parser
from streamer.config.remote import RemoteConfig
from streamer.config.schema import Config
from streamer.dialects.addresses import ADDED, OWN
from streamer.http.operations import OPERATIONS
from streamer.protocol.codes import CloseCode, ErrorCode, WarningCode
from streamer.protocol.events import Event
from streamer.protocol.requests import Request
from streamer.telemetry.metrics import Metrics
from streamer.weights.manifest_schema import Manifest
from streamer_client.parser import build_parser as client_parser
from tools.command_line import tool_parser

ROOT = Path(__file__).parents[2]
LISTING = ROOT / "docs/public-api.txt"
PACKAGES = ("streamer", "streamer_client")


def listing() -> str:
    """All lines, in the order of the parts."""
    parts = (
        ("Python", python_lines(ROOT)),
        ("command line", command_lines()),
        ("configuration", configuration_lines()),
        ("model.json", manifest_lines()),
        ("WebSocket", websocket_lines()),
        ("HTTP", http_lines()),
        ("gRPC", grpc_lines()),
        ("metrics", metric_lines()),
    )
    head = "# What others may rely on; see releases.md. Written by `make api`.\n"
    return head + "".join(f"\n## {title}\n\n" + "\n".join(lines) + "\n" for title, lines in parts)


def load_package(package: str, root: Path) -> griffe.Object | griffe.Alias:
    """A package as griffe reads it from a checkout, without importing it."""
    return griffe.load(
        package,
        search_paths=[root, root / "client"],
        try_relative_path=False,  # else a folder of that name in the present one counts
        resolve_aliases=True,
        allow_inspection=False,
    )


def python_lines(root: Path) -> Iterator[str]:
    """The names that the packages export, with signatures, and the members of their classes."""
    for package in PACKAGES:
        module = load_package(package, root)
        for name in sorted(map(str, module.exports or ())):
            yield from _python(f"{package}.{name}", _resolved(module[name]))


def _python(path: str, found: griffe.Object) -> Iterator[str]:
    match found:
        case griffe.Function():
            yield f"{path.rpartition('.')[0]}.{found.signature()}"
        case griffe.Class():
            bases = ", ".join(str(base) for base in found.bases)
            yield f"{path}({bases})" if bases else path
            for name, member in sorted(found.members.items()):
                if not name.startswith("_") or name == "__init__":
                    yield from _python(f"{path}.{name}", _resolved(member))
        case griffe.Attribute():
            yield f"{path}: {found.annotation}" if found.annotation else path


def _resolved(member: griffe.Object | griffe.Alias) -> griffe.Object:
    return member.final_target if isinstance(member, griffe.Alias) else member


def command_lines() -> Iterator[str]:
    """The programs, their commands and their options."""
    for parser in (server_parser(), client_parser()):
        yield from _options(parser)


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _options(command)
        elif action.option_strings:
            yield f"{parser.prog} {' '.join(action.option_strings)}"
        else:
            yield f"{parser.prog} {action.metavar or action.dest}"


def configuration_lines() -> Iterator[str]:
    """Every setting, with its default."""
    yield from _settings("", msgspec.to_builtins(Config()))
    remote: dict[str, object] = msgspec.to_builtins(RemoteConfig(address=""))
    del remote["address"]
    yield "model.remote.address"  # it has no default
    yield from _settings("model.remote", remote)


def _settings(path: str, value: object) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _settings(f"{path}.{key}" if path else key, inner)
    else:
        yield f"{path} = {msgspec.json.encode(value).decode()}"


def manifest_lines() -> Iterator[str]:
    """Every field of a `model.json`."""
    schema = msgspec.json.schema(Manifest)
    for name, fields in sorted(schema["$defs"].items()):
        yield from (f"{name}.{field}" for field in fields["properties"])


def websocket_lines() -> Iterator[str]:
    """Addresses, messages with their fields, codes."""
    for addresses in (OWN, ADDED):
        yield from (f"{path} {address.dialect}" for path, address in addresses.items())
    for direction, messages in (("request", Request), ("event", Event)):
        for message in get_args(messages):
            yield f"{direction} {message.__struct_config__.tag}: {_fields(message)}"
    yield from (f"error {code}" for code in get_args(ErrorCode))
    yield from (f"warning {code}" for code in get_args(WarningCode))
    yield from (f"close {int(code)}" for code in CloseCode)


def _fields(message: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(message)
    return ", ".join(f.encode_name if f.required else f"{f.encode_name}?" for f in fields) or "–"


def http_lines() -> Iterator[str]:
    """Methods and addresses."""
    yield from (f"{one.method} {one.path}" for one in OPERATIONS)


def grpc_lines() -> Iterator[str]:
    """Services and methods of our own schema, and the numbers of the fields."""
    from google.protobuf import descriptor_pb2

    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString((ROOT / "streamer/rpc/schema/descriptors.binpb").read_bytes())
    for file in files.file:
        if not file.package.startswith("streamer."):
            continue
        for service in file.service:
            yield from (f"{file.package}.{service.name}/{one.name}" for one in service.method)
        for message in file.message_type:
            yield from (f"{message.name}.{field.name} = {field.number}" for field in message.field)


def metric_lines() -> Iterator[str]:
    """Metrics, with the names of their labels."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, {"model": 1})
    # Series that come with the machines of remote workers.
    metrics.node_workers.labels("model", "node")
    metrics.node_attempts.labels("model", "node", "ok")
    labels: dict[str, Mapping[str, str]] = {}
    for family in registry.collect():
        for sample in family.samples:
            if sample.name.startswith("streamer_") and not sample.name.endswith("_created"):
                labels.setdefault(sample.name, sample.labels)
    yield from (f"{name}{{{', '.join(found)}}}" for name, found in sorted(labels.items()))


def main() -> int:
    """Return the exit code."""
    parser = tool_parser("tools.release.public_api", __doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    if parser.parse_args().check:
        return int(LISTING.read_text() != listing())
    LISTING.write_text(listing())
    print(f"{LISTING.relative_to(ROOT)}: {len(listing().splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
