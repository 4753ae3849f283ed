"""Make the descriptor set of the schemas: `make rpc-schema`.

It has all `.proto` files below `streamer/rpc/schema`, and what they import, without comments.
"""

import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

from streamer.rpc.descriptors import DESCRIPTOR_SET, SCHEMA
from tools.command_line import tool_parser

GOOGLE = Path(grpc_tools.__file__).parent / "_proto"
"""Where the files are that `google/protobuf/…` are."""


def compiled() -> bytes:
    """The descriptor set.

    Raises:
        SystemExit: A file cannot be compiled; what is wrong with it is on standard error.
    """
    files = sorted(str(path.relative_to(SCHEMA)) for path in SCHEMA.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "set"
        options = ["--include_imports", f"--descriptor_set_out={made}"]
        includes = [f"--proto_path={SCHEMA}", f"--proto_path={GOOGLE}"]
        if code := protoc.main(["protoc", *includes, *options, *files]):
            raise SystemExit(code)
        return made.read_bytes()


if __name__ == "__main__":
    tool_parser("tools.rpc_schema", __doc__).parse_args()
    DESCRIPTOR_SET.write_bytes(compiled())
