"""Two settings of the segmenter in twenty rounds, in pairs: `make accuracy-rounds`.

The recordings that come with the server are cut by the detector and the segmenter, and transcribed
by the smaller model, as `make accuracy-curve` does. Chapter 11 of the book draws the rounds.
Another run gives slightly other rounds: where arrays begin in memory changes the last bits of sums,
and so now and then a word.
"""

from collections.abc import Iterator

import soxr
from rich.console import Console

from streamer.config.segmentation import VadConfig
from streamer.models.moonshine.transcriber import Moonshine
from streamer.vad.silero_network import SAMPLE_RATE, SileroNetwork
from streamer.weights.manifest import require
from tools.bench.curve import Play, ScoredChannel, probabilities, settings_of
from tools.bench.reference import LATER_MS, MODEL, ROUNDS, error_rate, read, recordings
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser

SILENCES_MS = (500, 550)
"""The silence that ends a segment, in the one setting and in the other."""


def rounds() -> Iterator[Row]:
    """The word error rate in percent of each round, with both settings."""
    (weights,) = require("silero-vad").glob("*.onnx")
    network, model = SileroNetwork(weights), Moonshine(require(MODEL))
    for turn in range(ROUNDS):
        plays = []
        for recording in recordings(None):
            audio, rate = read(recording.path, turn * LATER_MS)
            samples = soxr.resample(audio, rate, SAMPLE_RATE)
            track = ScoredChannel(samples, probabilities(samples, network))
            plays.append(Play(recording.transcript, "", track))
        row: Row = {"round": turn + 1}
        for silence_ms in SILENCES_MS:
            settings = settings_of(VadConfig(min_silence_ms=silence_ms))
            done = [play.cut(settings, model)[0] for play in plays]
            pairs = [(each.reference, each.streamed) for each in done]
            row[f"{silence_ms} ms"] = round(error_rate(pairs), 3)
        yield row


def main() -> None:
    """Measure, print, write."""
    tool_parser("tools.bench.paired_rounds", "Two settings in twenty rounds.").parse_args()
    found = list(rounds())
    Console().print(table("word error rate, %", found))
    print(f"written: {write_json('rounds.json', {'rounds': found})}")


if __name__ == "__main__":
    main()
