"""Music with its order taken away: shuffled notes and uniform notes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from concours.eval.baselines.voices import Event, Ints, Voice, assemble, common_resolution, voices
from concours.metrics.piece import Piece


def shuffled_piece(piece: Piece, rng: np.random.Generator) -> Piece:
    """The notes of a piece, each voice's in random order.

    In each voice the events (what starts together, with its pitches and durations) are put in
    random order, and so, independently, are the steps from one event to the next. Kept: the notes
    of each voice with pitch and duration, so every pitch and pitch-class count, the range and the
    number of notes; and the multiset of steps, so the time of the last onset. Broken: melody,
    harmony between voices, the place in the bar, rests and overlaps. A note is cut short where
    its pitch starts again.
    """
    resolution = common_resolution([piece])
    lines = []
    for voice in voices(piece, resolution):
        n = len(voice.events)
        what, when = rng.permutation(n), rng.permutation(n - 1)
        steps = [*(voice.events[i].step for i in when), voice.events[-1].step]
        events = (Event(voice.events[i].notes, s) for i, s in zip(what, steps, strict=True))
        lines.append(voice._replace(events=tuple(events)))
    return assemble(piece, lines, resolution)


def random_piece(piece: Piece, rng: np.random.Generator) -> Piece:
    """As many notes as the piece has in each voice, drawn uniformly.

    Onsets lie on a grid of sixteenth notes over the length of the piece, pitches between the
    lowest and the highest of the voice, durations between one sixteenth and twice the voice's
    mean. A note is cut short where its pitch starts again; two equal draws are one note.
    """
    resolution = common_resolution([piece])
    grid = max(1, resolution // 4)
    lines = []
    for voice in voices(piece, resolution):
        pitches = [p for e in voice.events for p, _ in e.notes]
        durations = [d for e in voice.events for _, d in e.notes]
        n = len(pitches)
        length = voice.start + sum(e.step for e in voice.events)
        longest = max(1, round(2 * float(np.mean(durations)) / grid) - 1)
        onset = rng.integers(0, max(1, length // grid), n) * grid
        pitch = rng.integers(min(pitches), max(pitches) + 1, n)
        duration = rng.integers(1, longest + 1, n) * grid
        lines.append(_scattered(voice, onset, pitch, duration, grid))
    return assemble(piece, lines, resolution)


def _scattered(voice: Voice, onset: Ints, pitch: Ints, duration: Ints, grid: int) -> Voice:
    slots: dict[int, dict[int, int]] = {}
    for t, p, d in zip(onset.tolist(), pitch.tolist(), duration.tolist(), strict=True):
        slots.setdefault(t, {})[p] = d
    times = sorted(slots)
    steps = [b - a for a, b in pairwise(times)] + [grid]
    events = (Event(tuple(sorted(slots[t].items())), s) for t, s in zip(times, steps, strict=True))
    return voice._replace(start=times[0], events=tuple(events))
