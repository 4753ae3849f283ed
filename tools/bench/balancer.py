"""What a balancer before the servers costs: `make bench-balancer`.

60 live streams with the stand-in model, through HAProxy with `deploy/haproxy.cfg` and without it,
in turns. TLS is left out, because the load generator has none. Prints a table and writes
`build/results/balancer.json`.
"""

import re
import statistics
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import track

from tools.bench.live import (
    RATE,
    STAND_IN,
    Served,
    joined,
    machine,
    raise_descriptor_limit,
    recordings,
    serve,
)
from tools.bench.result_files import ROOT, Row, table, write_json
from tools.command_line import tool_parser
from tools.harness.balancer import running_haproxy
from tools.harness.ports import free_port
from tools.harness.process import cpu_s

STREAMS, SECONDS, ROUNDS = 60, 12.0, 3

CONFIG = ROOT / "deploy/haproxy.cfg"


def changes(port: int, server: str) -> dict[str, str]:
    """Of the configuration: without TLS, with one server, and without limits for this machine.

    Args:
        port: On which it listens.
        server: Host and port.
    """
    text = CONFIG.read_text()
    (bind,) = re.findall(r"bind :443 ssl .*", text)
    unused = re.findall(r" *server second .*\n", text)
    return {
        bind: f"bind 127.0.0.1:{port}",
        "server first 127.0.0.1:8081": f"server first {server}",
        **dict.fromkeys(unused, ""),
        "sc_conn_cur(0) gt 64": "sc_conn_cur(0) gt 1000000",
        "sc_http_req_rate(0) gt 300": "sc_http_req_rate(0) gt 1000000",
    }


def measured(streams: int, seconds: float, rounds: int) -> list[Row]:
    """The medians over some rounds, of which each has both."""
    audio = joined(recordings(None), RATE)
    alone: list[float] = []
    behind: list[float] = []
    balancer: list[float] = []
    with serve(STAND_IN) as served, tempfile.TemporaryDirectory() as folder:
        port, netloc = free_port(), urlsplit(served.url).netloc
        through = Served(served.url.replace(netloc, f"127.0.0.1:{port}"), served.process.pid)
        with running_haproxy(CONFIG, changes(port, netloc), port, Path(folder)) as process:
            for _ in track(range(rounds), "measuring", console=Console(stderr=True)):
                run = served.play(audio, RATE, streams, seconds)
                alone.append(run.loop_ms)
                before_s = cpu_s(process)
                run = through.play(audio, RATE, streams, seconds)
                balancer.append(1_000 * (cpu_s(process) - before_s) / run.report.audio_s)
                behind.append(run.loop_ms)
    of_balancer, of_server = statistics.median(balancer), statistics.median(alone)
    return [
        {
            "streams": streams,
            "server alone, ms per audio s": round(of_server, 2),
            "server behind HAProxy": round(statistics.median(behind), 2),
            "HAProxy, ms per audio s": round(of_balancer, 2),
            "HAProxy over the server": round(of_balancer / of_server, 2),
        }
    ]


def main() -> None:
    """Measure, print, write."""
    tool_parser("tools.bench.balancer", __doc__).parse_args()
    raise_descriptor_limit()
    rows = measured(STREAMS, SECONDS, ROUNDS)
    Console(width=180).print(table("the cost of HAProxy, without TLS", rows))
    print(f"written: {write_json('balancer.json', {'machine': machine(), 'cost': rows})}")


if __name__ == "__main__":
    main()
