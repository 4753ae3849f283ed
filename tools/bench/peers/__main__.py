"""Other servers beside this one, one after another: `make bench-peers`.

    make peers bench-peers                           what comes with the model
    make peers bench-peers AUDIO=path/to/folder      recordings with transcripts
    make bench-peers SECONDS=6 ONLY=sherpa-onnx      a quick try

Each peer gets the same utterances with the same silence between them, in real time, from the same
load generator. A latency counts from the end of the last word, as it was spoken, to the final with
it. A peer that is not installed is a line of the second table, not a failure.
"""

import argparse
import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tools.bench.live import machine, raise_descriptor_limit
from tools.bench.peers.every_peer import NEVER, PEERS
from tools.bench.peers.measurement import Plan, measure
from tools.bench.peers.peer import Absent
from tools.bench.peers.utterances import readings
from tools.bench.pictures import draw_peers
from tools.bench.reference import positive, recordings
from tools.bench.result_files import RESULTS, Row, table, write_json
from tools.command_line import tool_parser

SECONDS, STREAMS = 24.0, 4


def _seconds(text: str) -> float:
    if not (seconds := float(text)) > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return seconds


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.peers", __doc__)
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--seconds", type=_seconds, default=SECONDS, help="that a stream plays")
    parser.add_argument("--streams", type=positive, default=STREAMS, help="of the equal load")
    parser.add_argument("--only", nargs="+", choices=list(PEERS), help="peers to measure")
    args = parser.parse_args()
    raise_descriptor_limit()
    measured = {
        **machine(),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "audio": args.audio.name if args.audio else "of moonshine-tiny-en",
        "streams of the equal load": args.streams,
        "seconds of each": args.seconds,
    }
    plan = Plan(readings(recordings(args.audio)), args.streams, args.seconds)
    chosen = args.only or list(PEERS)
    rows: list[Row] = []
    loads: list[Row] = []
    given: list[Row] = []
    absent: list[Row] = [{**each} for each in NEVER]
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        bar = progress.add_task("measuring", total=len(chosen))
        for name in chosen:
            peer = PEERS[name]
            progress.update(bar, description=peer.description.title)
            try:
                row, steps = measure(peer, plan)
            except Absent as error:
                absent.append({"server": peer.description.server, "reason": str(error)})
                console.print(f"{peer.description.server}: {error}")
            else:
                rows.append(row)
                loads += steps
                given.append({"peer": peer.description.title, "given": peer.description.given})
            progress.advance(bar)
    results = {
        "machine": measured, "rows": rows, "given": given, "absent": absent, "loads": loads
    }  # fmt: skip
    out = Console(width=max(console.width, 180))
    if rows:
        out.print(table("beside other servers", rows))
        out.print(table("every load", loads))
    out.print(table("not measured", absent))
    file = write_json("peers.json", results)
    if rows:
        draw_peers(results, file.parent)
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
