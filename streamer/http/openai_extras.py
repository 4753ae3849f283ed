"""Fields that programs send because other servers of OpenAI's API have them.

A program does not know which server it talks to. A field that makes no difference here is ignored
by name; where the answer lacks something that was asked for, it is ignored with a warning; where
the answer would be wrong, it is refused. A field that no known program sends may be misspelt, and
is ignored with a warning: a program that is newer than this server works all the same.

The names are from OpenAI, Groq, Mistral, speaches and faster-whisper-server (and the parameters of
faster-whisper, which other servers pass on), whisper.cpp, LocalAI, vLLM and WhisperX.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from streamer.config.explain import show, show_name
from streamer.http.refusals import Refused

_OF_DECODERS = """
append_punctuations audio_ctx batch_size beam_size best_of carry_initial_prompt chunk_length
compression_ratio_threshold condition_on_previous_text entropy_thold frequency_penalty
hallucination_silence_threshold include_stop_str_in_output language_detection_segments
language_detection_threshold
length_penalty log_prob_threshold logprob_thold logprob_threshold max_completion_tokens
max_context max_initial_timestamp max_new_tokens max_tokens min_p multilingual n
no_repeat_ngram_size no_speech_thold no_speech_threshold patience prefix prepend_punctuations
presence_penalty prompt_reset_on_temperature repetition_penalty seed suppress_blank
suppress_non_speech suppress_nst suppress_tokens temperature_inc top_k top_p use_beam_search
word_thold
"""
"""How Whisper searches, and when it gives up."""

_OF_DETECTORS = """
vad_config vad_max_speech_duration_s vad_min_silence_duration_ms vad_min_speech_duration_ms
vad_model vad_parameters vad_samples_overlap vad_speech_pad_ms vad_threshold
"""
"""How speech is found, for other detectors; `chunking_strategy` has the settings of this one."""

_OF_ACCOUNTS = """
debug_mode log_progress no_language_probabilities no_timestamps offset_n service_tier
stream_continuous_usage_stats stream_include_usage user vllm_xargs without_timestamps
"""
"""Progress, costs, and what an answer may have besides the text."""

NO_EFFECT = frozenset((_OF_DECODERS + _OF_DETECTORS + _OF_ACCOUNTS).split())
"""Fields that make no difference here."""

NO_TOKENS = "there are no times of tokens; for those of words: timestamp_granularities[]=word"
NO_SPEAKERS = "speakers are not told apart"
NO_LINES = "segments end where speech does"

LACKING: Mapping[str, str] = {
    "token_timestamps": NO_TOKENS,
    "diarization": NO_SPEAKERS,
    "diarize": NO_SPEAKERS,
    "known_speaker_names": NO_SPEAKERS,
    "known_speaker_references": NO_SPEAKERS,
    "max_speakers": NO_SPEAKERS,
    "min_speakers": NO_SPEAKERS,
    "num_speakers": NO_SPEAKERS,
    "speaker_labels": NO_SPEAKERS,
    "tinydiarize": NO_SPEAKERS,
    "max_len": NO_LINES,
    "split_on_word": NO_LINES,
}
"""What the answer lacks, if the value is not one of `OFF`."""

WHOLE = "nothing: the whole file is transcribed"

REFUSED: Mapping[str, str] = {
    "clip_timestamps": WHOLE,
    "duration": WHOLE,
    "offset_t": WHOLE,
    "detect_language": "false: the answer is the text",
    "file_url": "the file itself, as 'file'",
    "url": "the file itself, as 'file'",
}
"""What is allowed in the place of a value that is not one of `OFF`: the answer would be wrong."""

OFF = frozenset({"false", "no", "off", "0", "0.0", "-1"})
"""Values that ask for nothing."""

SIMILAR = 0.75
"""How similar two names are (0 to 1) when one may be the other misspelt."""


class IgnoredField(NamedTuple):
    """A field that was ignored, although the client may have meant something by it.

    Attributes:
        name: As the client wrote it, made printable.
        message: One sentence for people.
    """

    name: str
    message: str


def ignore(extras: Iterable[tuple[str, str, str]], known: Iterable[str]) -> list[IgnoredField]:
    """Decide about the fields that are not this server's.

    Args:
        extras: Of each its name, the name as the client wrote it, and its value.
        known: The names of this server's own fields.

    Returns:
        Those for which the client gets a warning.

    Raises:
        Refused: The answer would be wrong without one.
    """
    ignored: list[IgnoredField] = []
    for name, written, value in extras:
        shown, off = show_name(written), value.strip().lower() in OFF
        if name in NO_EFFECT or (off and (name in LACKING or name in REFUSED)):
            continue
        if name in REFUSED:
            message = f"'{shown}' is {show(value)}; allowed: {REFUSED[name]}"
            raise Refused(400, "bad_request", message, field=shown)
        if name in LACKING:
            message = f"'{shown}' was ignored: {LACKING[name]}"
        else:
            message = f"unknown field '{shown}' was ignored"
            if similar := difflib.get_close_matches(name, [*known], 1, SIMILAR):
                message += f"; did you mean '{similar[0]}'?"
        ignored.append(IgnoredField(shown, message))
    return ignored
