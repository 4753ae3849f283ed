"""Our own service: its messages as inputs of a session, and a session's events as its messages."""

from collections.abc import Iterable, Sequence

from streamer.config.deprecations import Deprecation
from streamer.config.dialect_names import DialectName
from streamer.config.limits import LimitsConfig
from streamer.pipeline.context import Segmentation
from streamer.protocol.actions import AudioReached, Cleared, Close, Outgoing, Reply
from streamer.protocol.inputs import AudioReceived, Input, input_of
from streamer.protocol.requests import request_of
from streamer.rpc.dialect import RpcDialect, RpcService, SessionMethod
from streamer.rpc.own.events import write_event
from streamer.rpc.own.requests import read_request


class OwnDialect(RpcDialect):
    """One call.

    Args:
        segmentation: How the audio is cut: by voice activity (`Stream`), or in equal chunks
            (`StreamChunks`).
        limits: Of the configuration; the number of channels is checked here.
    """

    name: DialectName = "streamer"

    def __init__(self, segmentation: Segmentation, limits: LimitsConfig) -> None:
        super().__init__()
        self.segmentation = segmentation
        self.route = "segmented" if segmentation == "speech" else "simple"
        self._max_channels = limits.max_channels

    def inputs(self, message: bytes) -> Sequence[Input]:
        """A request, or audio; empty audio means nothing."""
        tree = read_request(message)
        if isinstance(tree, bytes):
            return (AudioReceived(tree),) if tree else ()
        old: list[Deprecation] = []
        request = request_of(tree, max_channels=self._max_channels, on_deprecated=old.append)
        return (input_of(request, old),)

    def messages(self, item: Outgoing) -> Iterable[bytes]:
        """One message for each event."""
        # Neither `open` nor `inputs` asks for one, and `write` makes a status of the end.
        assert not isinstance(item, Reply | Cleared | AudioReached | Close)
        return (write_event(item),)


OWN = RpcService(
    "streamer.v1.Streaming",
    "streamer",
    {
        "Stream": SessionMethod(lambda services: OwnDialect("speech", services.config.limits)),
        "StreamChunks": SessionMethod(
            lambda services: OwnDialect("chunks", services.config.limits)
        ),
    },
)
"""The service."""
