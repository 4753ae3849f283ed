"""Rows of figures from plays, each with the standard error that the rounds give.

Rounds differ because quantized weights change words by chance. So a standard error shows how
certain a mean is for these recordings, and not for others.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from tools.bench.certainty import (
    MARKED_BELOW,
    Aligned,
    Found,
    area_under_curve,
    marked,
    marking_curve,
    times_of,
)
from tools.bench.noise import LEVELS_DB
from tools.bench.plays import SOCKET, WHOLE, Play
from tools.bench.reference import Transcripts, error_rate, losses, standard_error
from tools.bench.result_files import Row

Round = Sequence[Play]
"""Every recording once."""


def rounds(plays: Sequence[Play], setup: str, way: str) -> list[Round]:
    """The complete rounds of a setup in which recordings were played in a way."""
    turns: dict[int, list[Play]] = {}
    for play in plays:
        if play.setup == setup and way in play.texts:
            turns.setdefault(play.turn, []).append(play)
    most = max(map(len, turns.values()), default=0)
    return [each for _, each in sorted(turns.items()) if len(each) == most]


def mean_with_error(values: Sequence[float]) -> Row:
    """The mean of some rounds and its standard error, as one cell."""
    return {"mean": fmean(values), "standard error": standard_error(values)}


def rate_of(played: Round, way: str) -> float:
    """Word error rate in percent."""
    return error_rate([(play.transcript, play.texts[way]) for play in played])


def error_rates(plays: Sequence[Play], setup: str) -> Row:
    """Of whole files and through the socket, and how far they are apart."""
    played = rounds(plays, setup, SOCKET)
    socket = [rate_of(each, SOCKET) for each in played]
    row: Row = {"model": setup, "rounds": len(played), "whole": None}
    row |= {"socket": mean_with_error(socket), "socket over whole": None}
    if any(WHOLE in play.texts for each in played for play in each):
        whole = [rate_of(each, WHOLE) for each in played]
        apart = [s - w for s, w in zip(socket, whole, strict=True)]
        row["whole"], row["socket over whole"] = map(mean_with_error, (whole, apart))
    return row


def losses_row(plays: Sequence[Play], setup: str) -> Row:
    """What only the socket lost: words, and first words."""
    played = rounds(plays, setup, WHOLE)
    lost = losses(
        [
            Transcripts(play.transcript, play.texts[WHOLE], play.texts[SOCKET])
            for each in played
            for play in each
        ]
    )
    return {
        "model": setup,
        "rounds": len(played),
        "words": lost.words,
        "first words": lost.first_words,
    }


def pair_rows(plays: Sequence[Play], setup: str, finals: str) -> tuple[Row, Row]:
    """The error rates of a setup with a second model, and how many texts are not the first one's.

    Args:
        plays: Those of all setups.
        setup: With a second model for interims. It is played in few rounds: if all texts are those
            of `finals`, its error rates are, too.
        finals: The setup with its first model alone.
    """
    texts = [
        {(p.turn, p.name): p.texts[SOCKET] for p in plays if p.setup == name and SOCKET in p.texts}
        for name in (setup, finals)
    ]
    both = texts[0].keys() & texts[1].keys()
    others = sum(texts[0][key] != texts[1][key] for key in both)
    rates = error_rates(plays, setup if others or not both else finals)
    return {**rates, "model": setup}, {"model": setup, "texts": len(both), "differing": others}


def noise_rates(plays: Sequence[Play], setup: str) -> Row | None:
    """Word error rates of whole files with noise, by level; None = not played."""
    levels = [f"{db} dB" for db in LEVELS_DB]
    played = rounds(plays, setup, levels[0])
    if not played:
        return None
    rates = {way: [rate_of(each, way) for each in played] for way in levels}
    return {
        "model": setup,
        "rounds": len(played),
        **{way: mean_with_error(values) for way, values in rates.items()},
    }


def found_words(
    plays: Sequence[Play], setup: str, truth: Mapping[str, Sequence[Aligned]], later_s: float
) -> list[Found]:
    """The words of whole files in each round.

    Args:
        plays: Those of all setups.
        setup: The one whose words are wanted.
        truth: The words of each recording by its name; empty = not aligned.
        later_s: Seconds by which each round begins later.
    """
    found = []
    for each in rounds(plays, setup, WHOLE):
        of_round = Found()
        for play in each:
            shift_s = play.turn * later_s
            spoken = [
                word._replace(start_s=word.start_s + shift_s, end_s=word.end_s + shift_s)
                for word in truth.get(play.name, ())
            ]
            of_round.add(play.words, spoken, play.transcript)
        found.append(of_round)
    return found


def times_rows(setup: str, found: Sequence[Found]) -> list[Row]:
    """How far starts and ends of words are from the aligner's; none without aligned words."""
    edges: dict[str, Callable[[Found], list[float]]] = {
        "start": lambda each: each.starts_ms,
        "end": lambda each: each.ends_ms,
    }
    rows: list[Row] = []
    for edge, of in edges.items():
        figures = [times_of(of(each)) for each in found if of(each)]
        if figures:
            rows.append(
                {
                    "model": setup,
                    "edge": edge,
                    "words": sum(len(of(each)) for each in found),
                    **{name: mean_with_error([f[name] for f in figures]) for name in figures[0]},
                }
            )
    return rows


def certainty_row(setup: str, found: Sequence[Found]) -> Row:
    """How well confidence finds wrong words."""
    areas = [area_under_curve(each.confidences, each.wrong) for each in found]
    known = [area for area in areas if area is not None]
    return {
        "model": setup,
        "words": sum(len(each.wrong) for each in found),
        "wrong, %": mean_with_error([100 * fmean(each.wrong) for each in found]),
        "AUC": mean_with_error(known) if known else None,
    }


def pooled(found: Sequence[Found]) -> Found:
    """The words of all rounds."""
    every = Found()
    for each in found:
        every.starts_ms += each.starts_ms
        every.ends_ms += each.ends_ms
        every.confidences += each.confidences
        every.wrong += each.wrong
    return every


def marked_rows(setup: str, found: Sequence[Found]) -> list[Row]:
    """What is found by marking words below some confidences, in all rounds."""
    every = pooled(found)
    return [{"model": setup, "marked below": m, **marked(every, m)} for m in MARKED_BELOW]


def curve_rows(setup: str, found: Sequence[Found]) -> Row:
    """The share of words marked and of errors found, for rising limits."""
    return {"model": setup, "points": marking_curve(pooled(found))}
