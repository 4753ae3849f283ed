"""The same events of a stream, in four wire languages."""

import json
from collections.abc import Iterator, Mapping

from streamer.config.limits import LimitsConfig
from streamer.config.segmentation import VadConfig
from streamer.dialects.assemblyai.dialect import AssemblyDialect
from streamer.dialects.deepgram.live import LiveDialect
from streamer.dialects.native import NativeDialect
from streamer.dialects.vosk.dialect import VoskDialect
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.actions import Outgoing, Reply
from streamer.protocol.events import Active, Inactive, Interim, Segment, Stopped
from streamer.protocol.inputs import ReplyRequested
from streamer.session.dialect import Dialect, UpgradeRequest

WORDS = {"text": "Try again.", "confidence": 0.97}
EVENTS: Mapping[str, Outgoing] = {
    "active": Active(time=0.5, channel=0),
    "interim": Interim(start_time=0.1, end_time=1.1, channel=0, output={"text": "Try."}),
    "inactive": Inactive(time=1.2, channel=0),
    "segment": Segment(start_time=0.1, end_time=1.45, channel=0, output=WORDS),
    "stopped": Stopped(audio_seconds=2.0, segments=1, session_id="0" * 16, seconds=[]),
}
MODELS = [ServedModel("tiny", "moonshine", ("en",))]
OPTIONS = {
    "deepgram": {"encoding": "linear16", "punctuate": "true", "vad_events": "true"},
    "assemblyai": {"format_turns": "true"},
}

ENDS = {
    "deepgram": '{"type": "CloseStream"}',
    "assemblyai": '{"type": "Terminate"}',
    "vosk": '{"eof": 1}',
}
"""How a client says that there is no more."""


def short(frame: object) -> str:
    """The kind of a frame, and the text in it."""
    tree = json.loads(frame) if isinstance(frame, str) else {}
    kind = tree.get("type") or tree.get("event") or next(iter(tree))
    texts = [tree.get("transcript"), tree.get("partial"), tree.get("text")]
    texts += [tree["channel"]["alternatives"][0]["transcript"]] if kind == "Results" else []
    texts += [tree.get("output", {}).get("text")]
    said = next((text for text in texts if text is not None), None)
    return str(kind) if said is None else f'{kind} "{said}"'


def frames(dialect: Dialect, given: Outgoing, *, asks: bool) -> Iterator[str]:
    """What an event becomes, and what the next piece of audio is answered with."""
    yield from map(short, dialect.write(given))
    for request in dialect.read(bytes(3_200)) if asks else ():
        if isinstance(request, ReplyRequested):
            yield from map(short, dialect.write(Reply(request.content)))


languages: dict[str, Dialect] = {
    "native": NativeDialect("speech", LimitsConfig()),
    "deepgram": LiveDialect(MODELS, 8, VadConfig()),
    "assemblyai": AssemblyDialect(MODELS, VadConfig()),
    "vosk": VoskDialect(["tiny"]),
}
for name, language in languages.items():
    query = {"sample_rate": "16000", **OPTIONS.get(name, {})}
    language.open(UpgradeRequest("/", list(query.items()), {}, ()))
    for event, given in EVENTS.items():
        if event == "stopped" and name in ENDS:
            list(language.read(ENDS[name]))
        asks = name == "vosk" and event != "stopped"
        print(f"{name:11} {event:9} {', '.join(frames(language, given, asks=asks)) or '–'}")
