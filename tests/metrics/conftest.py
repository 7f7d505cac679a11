"""Pieces that the metric tests share: real files, chorales, and small hand-made ones."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from concours.metrics.piece import Piece, make_piece

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "symbolic"


@pytest.fixture(scope="session")
def midi_paths() -> list[Path]:
    """The real MIDI files beside the repository, in path order; skips where there are none."""
    found = sorted([*DATA.rglob("*.mid"), *DATA.rglob("*.midi")]) if DATA.is_dir() else []
    if not found:
        pytest.skip(f"0 MIDI files under {DATA.name}: shared data absent")
    return found


@pytest.fixture(scope="session")
def read_midi() -> Callable[[Path], Piece]:
    """Reads a MIDI file straight into a Piece, with no loader between."""

    def read(path: Path) -> Piece:
        import symusic

        score = symusic.Score(str(path))
        columns = [t.notes.numpy() for t in score.tracks]
        sizes = [len(c["time"]) for c in columns]
        time = np.concatenate([c["time"] for c in columns] or [[]]).astype(int)
        duration = np.concatenate([c["duration"] for c in columns] or [[]]).astype(int)
        return make_piece(
            onset=time,
            end=time + duration,
            pitch=np.concatenate([c["pitch"] for c in columns] or [[]]),
            velocity=np.concatenate([c["velocity"] for c in columns] or [[]]),
            track=np.repeat(np.arange(len(sizes)), sizes),
            program=np.repeat([t.program for t in score.tracks], sizes),
            is_drum=np.repeat([t.is_drum for t in score.tracks], sizes),
            ticks_per_quarter=score.ticks_per_quarter,
            tempos=[(t.time, t.qpm) for t in score.tempos],
            meters=[(t.time, t.numerator, t.denominator) for t in score.time_signatures],
            track_names=[t.name for t in score.tracks],
        )

    return read


@pytest.fixture(scope="session")
def block_chords() -> Callable[..., Piece]:
    """A piece of chords, one a quarter: ``block_chords([(48, 55, 64), …])``."""

    def build(chords: list[tuple[int, ...]], quarter: int = 480) -> Piece:
        notes = [(quarter * i, p) for i, chord in enumerate(chords) for p in chord]
        return make_piece(
            onset=[t for t, _ in notes],
            end=[t + quarter for t, _ in notes],
            pitch=[p for _, p in notes],
            ticks_per_quarter=quarter,
        )

    return build


@pytest.fixture(scope="session")
def random_piece() -> Callable[..., Piece]:
    """Random notes on a grid of sixteenths, ``up`` semitones higher: equal seeds, equal rhythm."""

    def build(seed: int, notes: int = 60, up: int = 0, ticks_per_quarter: int = 480) -> Piece:
        chance = random.Random(seed)
        step = ticks_per_quarter // 4
        onset = [step * chance.randrange(64) for _ in range(notes)]
        length = [step * chance.choice([1, 2, 4, 8]) for _ in range(notes)]
        pitch = [chance.randrange(40, 80) + up for _ in range(notes)]
        return make_piece(
            onset=onset,
            end=[a + b for a, b in zip(onset, length, strict=True)],
            pitch=pitch,
            track=[i % 3 for i in range(notes)],
            ticks_per_quarter=ticks_per_quarter,
        )

    return build


@pytest.fixture(scope="session")
def chorales() -> list[tuple[object, Piece]]:
    """Eight four-part chorales of music21's corpus, with the stream that each came from."""
    import warnings

    from music21 import corpus

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paths = [p for p in corpus.getComposer("bach") if p.suffix == ".mxl"]
        for path in paths[:40]:
            score = corpus.parse(path)
            if len(score.parts) == 4 and len(found) < 8:
                found.append((score, _from_music21(score)))
    return found


def _from_music21(score: object) -> Piece:
    def tick(quarters: object) -> int:
        return round(float(quarters) * 480)  # type: ignore[arg-type]

    rows = [
        (tick(n.offset), tick(n.offset + n.quarterLength), n.pitch.midi, i)
        for i, part in enumerate(score.parts)  # type: ignore[attr-defined]
        for n in part.flatten().notes
        if n.isNote
    ]
    onset, end, pitch, track = zip(*rows, strict=True)
    first = score.parts[0]  # type: ignore[attr-defined]
    return make_piece(
        onset=onset,
        end=end,
        pitch=pitch,
        track=track,
        bar_edges=[tick(m.offset) for m in first.getElementsByClass("Measure")],
        meters=[
            (tick(t.offset), t.numerator, t.denominator)
            for t in first.flatten().getElementsByClass("TimeSignature")
        ],
    )
