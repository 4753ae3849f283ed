"""Other servers beside this one, one after another: `make bench-peers`.

    make peers bench-peers                           what comes with the model
    make peers bench-peers AUDIO=path/to/folder      recordings with transcripts
    make bench-peers SECONDS=6 ONLY=sherpa-onnx      a quick try
    make bench-peers SEARCH=no                       without the search for the most streams

Each peer gets the same utterances with the same silence between them, in real time, from the same
load generator. A latency counts from the end of the last word, as it was spoken, to the final with
it. A peer that is not installed is a line of the second table, not a failure.
"""

import argparse
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from tools.bench.live import machine, raise_descriptor_limit
from tools.bench.peers.every_peer import NEVER, PEERS
from tools.bench.peers.measurement import Plan, measure
from tools.bench.peers.peer import Absent, Peer
from tools.bench.peers.utterances import readings
from tools.bench.pictures import draw_peers
from tools.bench.reference import positive, recordings
from tools.bench.result_files import RESULTS, Row, table, write_json
from tools.command_line import tool_parser

SECONDS, STREAMS = 45.0, 8


def _seconds(text: str) -> float:
    if not (seconds := float(text)) > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return seconds


def compare(
    peers: Mapping[str, Peer], plan: Plan, on_peer: Callable[[str], None]
) -> Iterator[dict[str, list[Row]]]:
    """The tables: a row for each peer, what it is given, what is absent and why, every load.

    Yields:
        Them, anew after each peer, so that nothing measured is lost when it is interrupted.

    Args:
        peers: What is measured, one after another.
        plan: With how much.
        on_peer: Called with what is measured next, or why something is not.
    """
    found: dict[str, list[Row]] = {"rows": [], "given": [], "absent": [], "loads": []}
    found["absent"] += [{**each} for each in NEVER]
    for peer in peers.values():
        on_peer(peer.description.title)
        try:
            row, loads = measure(peer, plan)
        except Absent as error:
            found["absent"].append({"server": peer.description.server, "reason": str(error)})
            on_peer(f"{peer.description.server}: {error}")
        else:
            found["rows"].append(row)
            found["loads"] += loads
            found["given"].append({"peer": peer.description.title, "given": peer.description.given})
        yield found


def merged(
    before: Mapping[str, list[Row]], tables: Mapping[str, list[Row]]
) -> dict[str, list[Row]]:
    """The tables with the peers of an earlier run that were not measured again."""
    peer = ("server", "model", "ends of speech", "interims")
    keys = {"rows": peer, "given": ("peer",), "loads": ("peer",), "absent": ("server",)}
    found: dict[str, list[Row]] = {}
    for part, rows in tables.items():
        new = {tuple(row[key] for key in keys[part]) for row in rows}
        kept = [r for r in before.get(part, []) if tuple(r[k] for k in keys[part]) not in new]
        found[part] = kept + list(rows)
    measured = {row["server"] for row in found["rows"]}
    found["absent"] = [row for row in found["absent"] if row["server"] not in measured]
    return found


def main() -> None:
    """Measure, print, write."""
    parser = tool_parser("tools.bench.peers", __doc__)
    parser.add_argument("--audio", type=Path, help="a folder with a manifest.json")
    parser.add_argument("--seconds", type=_seconds, default=SECONDS, help="that a stream plays")
    parser.add_argument("--streams", type=positive, default=STREAMS, help="of the equal load")
    parser.add_argument("--no-search", action="store_true", help="only the equal load")
    parser.add_argument(
        "--only", nargs="+", choices=list(PEERS), help="the others stay as they were"
    )
    args = parser.parse_args()
    raise_descriptor_limit()
    measured = {
        **machine(),
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "streams of the equal load": args.streams,
        "seconds of each": args.seconds,
    }
    plan = Plan(readings(recordings(args.audio)), args.streams, args.seconds, not args.no_search)
    console = Console(stderr=True)
    tables: dict[str, list[Row]] = {}
    peers = {name: PEERS[name] for name in args.only or PEERS}
    file = RESULTS / "peers.json"
    before = json.loads(file.read_text()) if args.only and file.exists() else {}
    for new in compare(peers, plan, console.print):
        tables = merged(before, new)
        write_json("peers.json", {"machine": measured, **tables})
    out = Console(width=max(console.width, 180))
    titles = {"rows": "beside other servers", "loads": "every load", "absent": "not measured"}
    for part, title in titles.items():
        if tables[part]:
            out.print(table(title, tables[part]))
    if tables["rows"]:
        draw_peers(tables, RESULTS)
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
