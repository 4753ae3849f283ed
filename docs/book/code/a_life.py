"""The life of one socket, as the table sees it."""

from streamer.audio.format import AudioFormat
from streamer.protocol import inputs as i
from streamer.protocol.requests import Start
from streamer.protocol.state import SocketState

START = i.StartRequested(Start(format=AudioFormat(16_000)))
AUDIO = i.AudioReceived(b"..")

socket = SocketState()
for given in (
    AUDIO,
    AUDIO,
    START,
    AUDIO,
    i.StopRequested(),
    AUDIO,
    i.DrainStarted(deadline_seconds=30),
    AUDIO,
    START,
    AUDIO,
):
    before = socket.state.name
    actions = ", ".join(type(action).__name__ for action in socket.step(given))
    print(f"{before:9} {type(given).__name__:14} {socket.state.name:9} {actions}")
