"""The page's subtitles: the same cues as the server's and the command's."""

import json
import random
import subprocess
from typing import Any

from streamer.subtitles.cues import TimedText, cues_of
from streamer.subtitles.times import WordSpan
from tests.web.tools import HERE, node

CUES = HERE.parents[1] / "streamer/web/page/cues.js"
SCRIPT = f"""
import {{ readFileSync }} from 'node:fs';
import {{ cuesOf }} from '{CUES}';

const cases = JSON.parse(readFileSync(0, 'utf8'));
const written = cases.map(({{ texts, channels }}) => cuesOf(texts, channels).map(
    ({{ startMs, channel, endMs, lines, speaker }}) => [startMs, channel, endMs, lines, speaker]));
console.log(JSON.stringify(written));
"""

VOCABULARY = (
    *("a", "I", "It", "was", "the", "best,", "times.", "of", "yes!", "“No.”", "(so)", "Wait:"),
    *("Dr.", "J.", "e.g.", "–", "…", "foolishness;", "incomprehensibilities", "x" * 60, "ÄÖ"),
    *("日本語。これは、長い文です、とても", "e\u0301a\u0301" * 30, "\n", "\x00"),
)


def _case(choices: random.Random) -> dict[str, Any]:
    """Texts of some channels, of which some have words."""
    channels = choices.choice((1, 1, 2, 3))
    texts, time = [], 0.0
    for _ in range(choices.randint(1, 4)):
        count = choices.choice((0, 1, 3, 8, 20, 40))
        words = choices.choices(VOCABULARY, k=count)
        start = round(time + 2 * choices.random(), 2)
        end = start + round(0.7 * count * choices.random(), 2)
        spans: list[dict[str, float]] = []
        for _ in range(count if choices.random() < 0.6 else 0):
            begin = (spans[-1]["end"] if spans else start) + round(0.2 * choices.random(), 3)
            spans.append({"start": begin, "end": begin + round(0.6 * choices.random(), 3)})
        text = {"start": start, "end": end, "text": " ".join(words), "words": spans}
        texts.append({**text, "channel": choices.randrange(channels)})
        time = choices.choice((start, end))
    return {"texts": texts, "channels": channels}


def _cues(case: dict[str, Any]) -> list[list[Any]]:
    """What the server makes of a case."""
    texts = [
        TimedText(
            text["start"],
            text["end"],
            text["text"],
            text["channel"],
            tuple(WordSpan(word["start"], word["end"]) for word in text["words"]),
        )
        for text in case["texts"]
    ]
    return [[*cue[:3], list(cue.lines), cue.speaker] for cue in cues_of(texts, case["channels"])]


def test_the_cues_of_the_page_are_those_of_the_server() -> None:
    choices = random.Random(18)
    cases = [_case(choices) for _ in range(2000)]
    result = subprocess.run(
        [node(), "--input-type=module", "-e", SCRIPT],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    written = json.loads(result.stdout)
    for case, cues in zip(cases, written, strict=True):
        assert cues == _cues(case), case
