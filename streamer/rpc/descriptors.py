"""The messages of all services, from the descriptor set beside their `.proto` files.

They lie in a pool of their own. In the default one, they would clash with another package in the
same process that has messages of the same names, such as `google-cloud-speech`.
"""

import functools
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

SCHEMA = Path(__file__).parent / "schema"
"""The folder of the `.proto` files."""

DESCRIPTOR_SET = SCHEMA / "descriptors.binpb"
"""What `make rpc-schema` makes of them; with all that they import."""


@functools.cache
def _pool() -> DescriptorPool:
    return new_pool()


def new_pool() -> DescriptorPool:
    """A pool with all messages."""
    files = FileDescriptorSet.FromString(DESCRIPTOR_SET.read_bytes())
    made = DescriptorPool()
    for file in files.file:  # each behind those that it imports
        made.Add(file)
    return made


def message_class(name: str) -> type[Message]:
    """The class of a message.

    Args:
        name: Full, such as `streamer.v1.StreamRequest`.
    """
    found: type[Message] = GetMessageClass(_pool().FindMessageTypeByName(name))
    return found
