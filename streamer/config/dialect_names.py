"""The names of the wire languages, in the configuration and in metrics, logs and traces."""

from typing import Literal

AddedDialect = Literal["deepgram", "flux", "realtime", "assemblyai", "vosk"]
"""A wire language of another vendor, spoken on WebSockets. Each can be switched off."""
GrpcDialect = Literal["streamer", "google", "riva"]
"""A service on the port for gRPC. `streamer`: our own; `google`: Google's Cloud Speech-to-Text;
`riva`: NVIDIA Riva's speech recognition."""
DialectName = Literal["native", "openai", "wyoming", AddedDialect, GrpcDialect]
"""In metrics, logs and traces. `native`: Streamer's own on WebSockets; `openai`: OpenAI's for
recordings; `wyoming`: on a port of its own."""
