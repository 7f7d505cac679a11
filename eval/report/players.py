"""The examples of a page: items drawn as piano rolls or waveforms, with their sound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from concours.eval.render import clip, excerpt_span, sound_clip
from concours.eval.report import PieceOf, Sound, SoundOf
from concours.eval.report import wording as words
from concours.eval.report.model import Benchmark, Item, System
from concours.eval.report.pianoroll import Roll, roll
from concours.eval.report.sounds import LONGEST, Sounds
from concours.eval.report.soundview import Spectrogram, spectrogram, waveform
from concours.metrics.piece import Piece


@dataclass(frozen=True)
class Hooks:
    """Where notes and recordings come from, and where sounds are noted (None for no sound)."""

    pieces: PieceOf | None
    sounds: SoundOf | None
    noted: Sounds | None


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


def player_view(
    system: System, item: Item, title: str, place: int, benchmark: Benchmark, hooks: Hooks
) -> PlayerView:
    """An item as the page shows it, at most 20 seconds of it; it is the ``place``-th of its
    system."""
    piece = hooks.pieces(system, item) if hooks.pieces else None
    recording = hooks.sounds(system, item) if hooks.sounds and piece is None else None
    sound, silence = _sound(piece, recording, place, item.sha256 or "", hooks.noted)
    scores = []
    for column in benchmark.columns:
        if (score := item.scores.get(column.key)) is not None:
            places = words.decimals(column, benchmark)
            text = words.NOTHING if score.value is None else words.number(score.value, places)
            scores.append((column.key, text, score.reason if score.value is None else column.unit))
    return PlayerView(
        title,
        item,
        roll(piece, LONGEST) if piece is not None else None,
        _picture(recording, LONGEST) if recording is not None else None,
        sound,
        silence,
        tuple(scores),
    )


def _sound(
    piece: Piece | None, recording: Sound | None, place: int, content: str, noted: Sounds | None
) -> tuple[str, str]:
    """A mark for the example's sound, or "" and why there is none."""
    if noted is None:
        return "", ""
    if piece is not None:
        length = excerpt_span(piece, LONGEST)[1]
        if length <= 0:
            return "", "the piece has no notes"
        return noted.note(partial(clip, piece), length, place, content), ""
    if recording is not None:
        samples, rate = recording
        if not len(samples) or not np.isfinite(samples).all():
            return "", "the recording has no samples, or some that are no numbers"
        start = samples[: round(LONGEST * rate)]
        make = partial(sound_clip, start, rate)
        return noted.note(make, len(start) / rate, place, content), ""
    return "", ""


def _picture(recording: Sound, longest: float) -> SoundView | None:
    """The drawings of a recording; None where it is empty or broken."""
    samples, rate = recording
    start = samples[: round(longest * rate)]
    if not len(start) or not np.isfinite(start).all():
        return None
    return SoundView(
        waveform(start), spectrogram(start, rate), len(start) / rate, len(samples) / rate
    )
