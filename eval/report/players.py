"""The examples of a page: items drawn as piano rolls or waveforms, with their sound."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from concours.eval.render import CLIP_BYTES_PER_SECOND, RenderError, clip, sound_clip
from concours.eval.report import PieceOf, Sound, SoundOf
from concours.eval.report import wording as words
from concours.eval.report.model import Benchmark, Item, Report, System
from concours.eval.report.pianoroll import Roll, roll
from concours.eval.report.picks import picks
from concours.eval.report.soundview import Spectrogram, spectrogram, waveform
from concours.metrics.piece import Piece

SOUND_BUDGET = 3_400_000
LONGEST, SHORTEST = 20.0, 5.0


@dataclass(frozen=True)
class Hooks:
    """Where notes and recordings come from, and whether to embed sound."""

    pieces: PieceOf | None
    sounds: SoundOf | None
    audio: bool


@dataclass(frozen=True)
class SoundView:
    """A recording drawn: ``seconds`` of it are shown, of ``length``."""

    waveform: str
    spectrogram: Spectrogram | None
    seconds: float
    length: float


@dataclass(frozen=True)
class PlayerView:
    title: str
    item: Item
    roll: Roll | None
    picture: SoundView | None
    sound: str
    silence: str
    scores: tuple[tuple[str, str, str], ...]


def excerpt_seconds(report: Report) -> float:
    """How long each excerpt may be, so that all of them fit the budget of one page.

    20 s for up to 31 excerpts, then less, but never under 5 s.
    """
    n = sum(len(picks(s)) for b in report.benchmarks for s in b.systems)
    encoded = CLIP_BYTES_PER_SECOND * 4 / 3
    return float(int(min(LONGEST, max(SHORTEST, SOUND_BUDGET / (encoded * max(1, n))))))


def player_view(
    system: System,
    item: Item,
    title: str,
    benchmark: Benchmark,
    longest: float,
    hooks: Hooks,
) -> PlayerView:
    """An item as the page shows it, at most ``longest`` seconds of it."""
    piece = hooks.pieces(system, item) if hooks.pieces else None
    recording = hooks.sounds(system, item) if hooks.sounds and piece is None else None
    sound, silence = _sound(piece, recording, longest) if hooks.audio else ("", "")
    scores = []
    for column in benchmark.columns:
        if (score := item.scores.get(column.key)) is not None:
            places = words.decimals(column, benchmark)
            text = words.NOTHING if score.value is None else words.number(score.value, places)
            scores.append((column.key, text, score.reason if score.value is None else column.unit))
    return PlayerView(
        title,
        item,
        roll(piece, longest) if piece is not None else None,
        _picture(recording, longest) if recording is not None else None,
        sound,
        silence,
        tuple(scores),
    )


def _sound(piece: Piece | None, recording: Sound | None, longest: float) -> tuple[str, str]:
    """A data URI of the example's sound, or "" and why there is none."""
    try:
        if piece is not None:
            played = clip(piece, longest)
        elif recording is not None:
            played = sound_clip(*recording, longest)
        else:
            return "", ""
    except RenderError as error:
        return "", str(error)
    return f"data:audio/mpeg;base64,{base64.b64encode(played.data).decode()}", ""


def _picture(recording: Sound, longest: float) -> SoundView | None:
    """The drawings of a recording; None where it is empty or broken."""
    samples, rate = recording
    start = samples[: round(longest * rate)]
    if not len(start) or not np.isfinite(start).all():
        return None
    return SoundView(
        waveform(start), spectrogram(start, rate), len(start) / rate, len(samples) / rate
    )
