"""Music made worse on purpose, by a known amount: the ladder that a metric must climb.

``strength`` runs from 0 (nothing changes) to 1. Every function keeps meters, tempos, bars, tracks
and the number of notes, and leaves drums alone where it touches pitch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from concours.metrics.piece import Ints, Piece, make_piece

LEVELS = (0.25, 0.5, 1.0)


def note_shuffle(piece: Piece, strength: float, rng: np.random.Generator) -> Piece:
    """A share ``strength`` of the pitched notes exchange their pitches among each other."""
    pitch = piece.pitch.copy()
    chosen = _chosen(piece, strength, rng)
    pitch[chosen] = pitch[rng.permutation(chosen)]
    return _changed(piece, pitch=pitch)


def pitch_noise(piece: Piece, strength: float, rng: np.random.Generator) -> Piece:
    """A share ``strength`` of the pitched notes move by 1 to 6 semitones up or down."""
    pitch = piece.pitch.copy()
    chosen = _chosen(piece, strength, rng)
    pitch[chosen] += rng.integers(1, 7, len(chosen)) * rng.choice((-1, 1), len(chosen))
    return _changed(piece, pitch=np.clip(pitch, 0, 127))


def time_jitter(piece: Piece, strength: float, rng: np.random.Generator) -> Piece:
    """Every note moves by a normal time with a standard deviation of ``strength`` eighths.

    No note moves out of the piece, before its start or past its last bar line.
    """
    spread = strength * piece.ticks_per_quarter / 2
    move = np.rint(rng.normal(0, spread, piece.n_notes)).astype(np.int64)
    last = int(piece.bar_edges[-1])
    move = np.clip(move, -piece.onset, np.maximum(last - piece.end, 0))
    return _changed(piece, onset=piece.onset + move, end=piece.end + move)


def bar_scramble(piece: Piece, strength: float, rng: np.random.Generator) -> Piece:
    """A share ``strength`` of the bars change places; a note goes with the bar it starts in.

    Bar lines stay where they are; a note that would sound past the last one is cut there.
    """
    edges = piece.bar_edges
    n = len(edges) - 1
    chosen = np.sort(rng.permutation(n)[: round(strength * n)])
    source = np.arange(n)
    source[chosen] = rng.permutation(chosen)
    target = np.argsort(source)
    bar = np.clip(np.searchsorted(edges, piece.onset, side="right") - 1, 0, n - 1)
    move = edges[target[bar]] - edges[bar]
    onset = np.minimum(piece.onset + move, edges[-1] - 1)
    end = np.maximum(np.minimum(onset + (piece.end - piece.onset), edges[-1]), onset)
    return _changed(piece, onset=onset, end=end)


def transposition(piece: Piece, strength: float, rng: np.random.Generator) -> Piece:  # noqa: ARG001
    """All pitched notes move up by ``6 * strength`` semitones (rounded), down where they can't."""
    pitch = piece.pitch.copy()
    own = ~piece.is_drum
    steps = round(6 * strength)
    if own.any() and pitch[own].max() + steps > 127:
        steps = -steps
    pitch[own] = np.clip(pitch[own] + steps, 0, 127)
    return _changed(piece, pitch=pitch)


Degradation = Callable[[Piece, float, np.random.Generator], Piece]
DEGRADATIONS: Mapping[str, Degradation] = {
    "note shuffle": note_shuffle,
    "pitch noise": pitch_noise,
    "time jitter": time_jitter,
    "bar scramble": bar_scramble,
}


def _chosen(piece: Piece, strength: float, rng: np.random.Generator) -> Ints:
    own = np.flatnonzero(~piece.is_drum)
    return np.sort(rng.permutation(own)[: round(strength * len(own))])


def _changed(piece: Piece, **columns: Ints) -> Piece:
    return make_piece(
        onset=columns.get("onset", piece.onset),
        end=columns.get("end", piece.end),
        pitch=columns.get("pitch", piece.pitch),
        velocity=piece.velocity,
        track=piece.track,
        program=piece.program,
        is_drum=piece.is_drum,
        ticks_per_quarter=piece.ticks_per_quarter,
        tempos=list(zip(piece.tempo_tick.tolist(), piece.tempo_qpm.tolist(), strict=True)),
        meters=list(
            zip(
                piece.meter_tick.tolist(),
                piece.meter_numerator.tolist(),
                piece.meter_denominator.tolist(),
                strict=True,
            )
        ),
        keys=list(
            zip(
                piece.key_tick.tolist(),
                piece.key_fifths.tolist(),
                piece.key_minor.tolist(),
                strict=True,
            )
        ),
        bar_edges=piece.bar_edges,
        events_end=piece.events_end,
        track_names=piece.track_names,
        has_velocity=piece.has_velocity,
    )
