"""Starts WhisperLive, whose wheel has no program; runs in its environment, not in ours.

python whisper_live_server.py PORT MODEL
"""

import sys

from whisper_live.server import TranscriptionServer


def main() -> None:
    """Run it on a port with a model's folder."""
    port, model = sys.argv[1:]
    TranscriptionServer().run(
        "127.0.0.1",
        int(port),
        backend="faster_whisper",
        faster_whisper_custom_model_path=model,
        single_model=True,
        max_clients=1000,
        max_connection_time=3600,
    )


if __name__ == "__main__":
    main()
