"""What one client and all clients together may use."""

from typing import Annotated

from msgspec import Meta

from streamer.config.section import Count, Deadline, Positive, Seconds, Section


class LimitsConfig(Section, frozen=True):
    """What one client and all clients together may use; 0 = no limit, where 0 is allowed."""

    max_sessions: Count = 256
    """Sockets at the same time. Further sockets are refused with HTTP 503. One machine can serve
    fewer live streams than the default."""
    max_sessions_per_ip: Count = 32
    """Sockets from one address (IPv6: from one /64 network). The default is enough for an office
    behind one router, and one machine cannot use all sockets. Behind a proxy, set
    `server.forwarded_allow_ips`; for a load test from one machine, set 0."""
    max_queue_seconds: Deadline = 5.0
    """If the first segment of a new session would wait longer for a worker, the session is refused
    with HTTP 503: its results would be too late for live use."""
    max_container_streams: Count = 64
    """Streams in [containers](protocol.md#containers) that are decoded at the same time. Each has a
    process, which takes up to 256 MiB if a file is made to attack it, and 5 MiB usually. A further
    stream ends with `overloaded`."""
    max_channels: Annotated[int, Meta(ge=1, le=64)] = 8
    """Channels of a stream; enough for 7.1 surround."""
    max_message_bytes: Annotated[int, Meta(ge=1_024)] = 262_144
    """Size of a message; 8 s of 16 kHz audio."""
    max_text_bytes: Annotated[int, Meta(ge=256)] = 65_536
    """Size of a text message. A `start` has a few hundred bytes; with 100 [key
    terms](protocol.md#key-terms) of 100 characters, it has up to 60 000. It may also have no more
    than `max_message_bytes`."""
    max_fragments: Count = 1_024
    """Frames of one message. With the defaults, the frames of the largest message have 256 bytes
    each."""
    max_messages_per_second: Count = 1_000
    """Frames that the server reads from a client in a second while other clients are active. Live
    audio in messages of 20 ms has 50. Clients that send more are read more slowly: together they
    get a fifth of the server's time. So send a recording in larger messages, as the clients do."""
    max_control_per_second: Count = 50
    """Pings, pongs and close frames that the server reads from a client in a second. A client needs
    one in 20 s. Clients that send more are read more slowly."""
    max_buffered_bytes: Annotated[int, Meta(ge=1_024)] = 262_144
    """Audio and requests of one socket that wait to be processed; a request counts as 512 bytes and
    as its message. While more waits, the server does not read from the socket."""
    handshake_seconds: Deadline = 5.0
    """Time for the header of a request; enough for several round trips by satellite."""
    start_seconds: Deadline = 10.0
    """Time until the first message on a socket."""
    idle_seconds: Deadline = 30.0
    """If a client sends no message for this time, and no result is pending, it is disconnected. The
    same time applies to the body of a request."""
    max_lag_seconds: Deadline = 30.0
    """Time that audio may wait to be processed. If audio waits longer, the server is too slow for
    this client, and closes with `overloaded`."""
    max_session_seconds: Deadline = 14_400.0
    """Age of a socket; enough for a long conference."""
    send_timeout_seconds: Seconds = 10.0
    """A client that does not read an event within this time is disconnected."""
    drain_seconds: Deadline = 25.0
    """Time from the signal to the end of the server; Kubernetes kills a process after 30 s."""
    max_upload_bytes: Positive = 1_073_741_824
    """Size of the body of a [request](http.md); the default holds three hours of mono 48 kHz audio
    (16 bits). Bodies are kept on disk (`TMPDIR`), which needs room for `max_concurrent_requests` of
    them."""
    max_recording_seconds: Seconds = 14_400.0
    """Duration of a recording; a small file can contain a very long silence."""
    max_audio_seconds: Seconds = 600.0
    """Duration of audio that the model gets as a whole, without a VAD; the model's own limit may be
    lower."""
    max_concurrent_requests: Positive = 8
    """Recordings that are processed at the same time; a separate process decodes each. Further
    requests are refused with 503 at once, so that live streams keep their share. Calls of
    `Recognize` [over gRPC](clients.md#google) count, too: each holds up to 10 MiB in memory, as it
    came, and as much again in pieces while it is processed."""
