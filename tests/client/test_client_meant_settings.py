"""What others call a setting of a stream, as an option of the command: the answer has ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streamer_client.no_effect import options_without_effect
from streamer_client.options import parse_options

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.conftest import Peer, RunCommand, ServeScript


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--min-silence 300", "--min-silence; did you mean --vad min_silence_ms=300?"),
        ("--min-silence-ms 300", "did you mean --vad min_silence_ms=300?"),
        ("--min_silence_ms=300", "did you mean --vad min_silence_ms=300?"),
        ("--silence 300", "did you mean --vad min_silence_ms=300?"),
        ("--threshold 3", "did you mean --vad threshold=0.6?"),
        ("--vad-threshold 3", "did you mean --vad threshold=0.6?"),
        ("--min-speech 100", "did you mean --vad min_speech_ms=200?"),
        ("--prefix-padding-ms 100", "did you mean --vad prefix_padding_ms=450?"),
        ("--padding 100", "did you mean --vad prefix_padding_ms=450?"),
        ("--max-segment 9", "did you mean --vad max_segment_ms=20000?"),
        ("--max-segment-ms 9", "did you mean --vad max_segment_ms=20000?"),
        ("--timestamps", "there is no option --timestamps; did you mean --words?"),
        ("--word-timestamps", "did you mean --words?"),
        ("--prompt Valjean", "did you mean --keyterm?"),
        ("--partials", "did you mean --interim-results?"),
        ("--stdin", "there is no option --stdin; for standard input: streamer-client -"),
        ("--diarize", "the server does not tell speakers apart; each channel has its own"),
        ("--speaker-labels", "the server does not tell speakers apart"),
        ("--punctuate", "the text has punctuation where the model writes it"),
        ("--smart-format", "the text has punctuation where the model writes it"),
        ("--translate", "the text is in the language of the speech"),
        ("--language de", "each model has its own language: choose a model with --model"),
        ("--lang=de", "each model has its own language: choose a model with --model"),
        ("--port 9000", "did you mean --addr? It takes the whole address: "
         "-a ws://localhost:9000/api/v1/segmented"),
        ("--port=81", "-a ws://localhost:81/api/v1/segmented"),
        ("--port", "-a ws://localhost:8080/api/v1/segmented"),
        ("--host a.example", "-a ws://a.example/api/v1/segmented"),
        ("--reconnect 0", "'0' is not a number of seconds above 0 ("),
        ("--reconnect -5", "'-5' is not a number of seconds above 0 ("),
        ("--reconnect nan", "'nan' is not a number of seconds above 0 ("),
        ("--reconnect a.mp3", "if it is the recording: streamer-client a.mp3 --reconnect ("),
    ],
)  # fmt: skip
def test_a_setting_by_another_name(
    arguments: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        parse_options(["a.wav", *arguments.split()])
    line = capsys.readouterr().err
    assert (left.value.code, line.count("\n")) == (2, 1)
    assert says in line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--words -o x.srt", "--words has no effect on srt: subtitles have no confidence of words"),
        ("--words --output vtt",
         "--words has no effect on vtt: subtitles have no confidence of words"),
        ("--words -o x.json", None),
        ("--words -o x.txt", "--words has no effect on text that is not on a terminal: "
         "--output json or jsonl has the words"),
        ("--interim-results -o x.json", None),
        ("--interim-results -o x.srt",
         "--interim-results has no effect on srt: subtitles have final results"),
        ("-a ws://a/api/v1/segmented?words=true",
         "in the address, 'words' has no effect; give --words"),
        ("-a ws://a/?token=s3cret", None),
        ("-a ws://a/?min_silence_ms=3&vad.threshold=1&sample_rate=1&keyterms=a&words=",
         "in the address, 'min_silence_ms', 'vad.threshold', 'sample_rate', 'keyterms', 'words' "
         "have no effect; give --vad min_silence_ms=300, --vad threshold=0.6, --rate, --keyterm, "
         "--words"),
        ("-a ws://a/?color=blue", None),  # the server's warning is about it
        ("-a ws://a/?model=b&%1b[2J=1&language=de",
         "in the address, 'model', '\\x1b[2J', 'language' have no effect; give --model"),
    ],
)  # fmt: skip
def test_an_option_without_an_effect_is_named(arguments: str, line: str | None) -> None:
    options = parse_options(["a.wav", *arguments.split()])
    lines = list(options_without_effect(options, on_terminal=False, gives_words=True))
    assert lines == ([] if line is None else [line])


@pytest.mark.parametrize(("query", "from_server"), [("words=true", False), ("color=blue", True)])
async def test_parameters_of_the_address_are_named_once(
    serve_script: ServeScript, run_command: RunCommand, speech: Path, query: str, from_server: bool
) -> None:
    async def answer(peer: Peer) -> None:
        await peer.begin()
        await peer.send("warning", code="ignored_field", message="parameters have no effect: …")
        await peer.read_to_stop()
        await peer.finish()

    server = await serve_script(answer)
    address = f"ws://127.0.0.1:{server.port}/api/v1/segmented?{query}"
    result = await run_command(speech, "-a", address)
    assert result.code == 0
    assert ("warning ignored_field: " in result.err) == from_server
    assert ("in the address, 'words' has no effect; give --words" in result.err) != from_server
