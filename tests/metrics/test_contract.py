"""What every registered clip metric on notes promises, walked over the whole registry.

A new metric is tested from the moment that it is registered: its declared invariances on real and
random pieces, its range, and its manners on pieces that are hardly pieces.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import numpy as np
import pytest
from changed_pieces import (
    CHANGES,
    EXTREMES,
    TOLERANCE,
    broken_promises,
    columns,
    json_ready,
    mannered,
    value_of,
    with_changes,
)

from concours.metrics.piece import Piece, make_piece
from concours.metrics.registry import catalogue
from concours.metrics.spec import Invariance, Scored, Undefined

CLIP = {n: s for n, s in catalogue().items() if s.level == "clip" and s.inputs == "symbolic"}


@pytest.fixture(scope="module")
def pieces(
    random_piece: Callable[..., Piece], chorales: list[tuple[object, Piece]]
) -> list[tuple[Piece, dict[str, list[Piece]]]]:
    """Two chorales and two random pieces, each with all its changed copies."""
    chance = np.random.default_rng(7)
    n = 300
    onset = np.sort(chance.integers(0, 60, n)) * 240
    band = make_piece(
        onset=onset,
        end=onset + chance.choice([60, 120, 240, 480], n),
        pitch=chance.integers(30, 90, n),
        velocity=chance.integers(1, 127, n),
        track=np.arange(n) % 4,
        program=np.array([0, 33, 48, 0])[np.arange(n) % 4],
        is_drum=np.arange(n) % 4 == 3,
        tempos=[(0, 100), (4800, 140)],
        meters=[(0, 4, 4), (3840, 3, 4), (9600, 6, 8)],
        track_names=["lead", "bass", "pad", "kit"],
    )
    found = [random_piece(11), band, chorales[0][1], chorales[1][1]]
    return [(p, with_changes(p)) for p in found]


@pytest.mark.parametrize("name", CLIP)
def test_declared_invariances_hold(
    name: str, pieces: list[tuple[Piece, dict[str, list[Piece]]]]
) -> None:
    broken = [b for piece, changed in pieces for b in broken_promises(CLIP[name], piece, changed)]
    assert not broken, "\n".join(broken)


def test_declared_invariances_hold_on_real_files(
    midi_paths: list[Path], read_midi: Callable[[Path], Piece]
) -> None:
    """One file of each folder, for every metric."""
    by_folder = {p.parent: p for p in midi_paths}
    for path in sorted(by_folder.values()):
        piece = read_midi(path)
        if piece.n_notes > 3000:
            continue
        changed = with_changes(piece)
        broken = [b for spec in CLIP.values() for b in broken_promises(spec, piece, changed)]
        assert not broken, f"{path.name}: " + "\n".join(broken)


ABC = b"X:1\nT:Tune\nM:3/4\nL:1/4\nQ:1/4=90\nK:C\nG c d/e/|d c2|B G c|e3|]\n"
TUNE = [[(67, 2), (72, 2), (74, 1), (76, 1)], [(74, 2), (72, 4)], [(71, 2), (67, 2), (72, 2)]]
TUNE = [*TUNE, [(76, 6)]]  # bars of (pitch, eighths)
NAMES = {67: ("G", 4), 71: ("B", 4), 72: ("C", 5), 74: ("D", 5), 76: ("E", 5)}
TYPES = {1: "eighth", 2: "quarter", 4: "half", 6: "half"}


def tune_as_midi() -> bytes:
    import symusic

    score = symusic.Score(480)
    score.time_signatures.append(symusic.TimeSignature(0, 3, 4))
    score.tempos.append(symusic.Tempo(0, 90))
    track = symusic.Track("Tune", 0, False)
    at = 0
    for pitch, eighths in (note for bar in TUNE for note in bar):
        track.notes.append(symusic.Note(at, 240 * eighths, pitch, 80))
        at += 240 * eighths
    score.tracks.append(track)
    return bytes(score.dumps_midi())


def tune_as_musicxml() -> bytes:
    bars = []
    for i, bar in enumerate(TUNE):
        notes = "".join(
            f"<note><pitch><step>{NAMES[p][0]}</step><octave>{NAMES[p][1]}</octave></pitch>"
            f"<duration>{d}</duration><type>{TYPES[d]}</type>{'<dot/>' if d == 6 else ''}</note>"
            for p, d in bar
        )
        first = (
            "<attributes><divisions>2</divisions><key><fifths>0</fifths></key>"
            "<time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
            '<direction><sound tempo="90"/></direction>'
        )
        bars.append(f'<measure number="{i + 1}">{"" if i else first}{notes}</measure>')
    return (
        '<?xml version="1.0"?><score-partwise version="3.1"><part-list><score-part id="P1">'
        f'<part-name>Tune</part-name></score-part></part-list><part id="P1">{"".join(bars)}'
        "</part></score-partwise>"
    ).encode()


def test_one_tune_in_three_formats() -> None:
    from concours.eval.load import load

    found = {
        "midi": load(Path("tune.mid"), tune_as_midi()).piece,
        "musicxml": load(Path("tune.musicxml"), tune_as_musicxml()).piece,
        "abc": load(Path("tune.abc"), ABC).piece,
    }
    assert len({p.n_notes for p in found.values()}) == 1
    declared = [s for s in CLIP.values() if "format" in s.invariant]
    assert declared
    for spec in declared:
        values = {k: value_of(spec.function(p)) for k, p in found.items()}
        first = values["midi"]
        for other in values.values():
            if isinstance(first, Undefined):
                assert other == first, (spec.name, values)
            else:
                assert other == pytest.approx(first, abs=TOLERANCE), (spec.name, values)


@pytest.mark.parametrize("invariance", CHANGES)
def test_a_wrong_declaration_is_caught(
    invariance: Invariance, pieces: list[tuple[Piece, dict[str, list[Piece]]]]
) -> None:
    """A metric that looks at just what may change, and declares that it does not."""
    looks: dict[str, Callable[[Piece], float]] = {
        "transposition": lambda p: float(p.pitch.sum()),
        "tempo": lambda p: p.seconds,
        "track-order": lambda p: float((p.track * p.pitch).sum()),
        "resolution": lambda p: float(p.end_tick),
    }
    if invariance == "note-order":
        pytest.skip("a Piece sorts its notes, so none of its readers can see their order")
    spec = replace(
        next(iter(CLIP.values())), function=looks[invariance], invariant=frozenset({invariance})
    )
    assert any(broken_promises(spec, piece, changed) for piece, changed in pieces[:2])


def test_every_kind_of_invariance_is_tested() -> None:
    assert set(get_args(Invariance)) == {*CHANGES, "format", "item-order"}


@pytest.mark.parametrize("name", CLIP)
@pytest.mark.parametrize("case", EXTREMES)
def test_a_value_in_range_or_a_reason(name: str, case: str) -> None:
    mannered(CLIP[name], CLIP[name].function(EXTREMES[case]))


@pytest.mark.parametrize("name", CLIP)
def test_values_of_real_pieces_lie_in_range(
    name: str, pieces: list[tuple[Piece, dict[str, list[Piece]]]]
) -> None:
    low, high = CLIP[name].range
    for piece, _ in pieces:
        result = CLIP[name].function(piece)
        value = value_of(result)
        if not isinstance(value, Undefined):
            assert low - TOLERANCE <= value <= high + TOLERANCE
        if isinstance(result, Scored):
            json_ready(result.detail)


@pytest.mark.parametrize("name", CLIP)
def test_a_metric_leaves_its_piece_alone(name: str, random_piece: Callable[..., Piece]) -> None:
    piece = random_piece(3)
    frozen = MappingProxyType({k: np.copy(v) for k, v in columns(piece).items() if k != "keys"})
    first = value_of(CLIP[name].function(piece))
    assert value_of(CLIP[name].function(piece)) == first
    for key, before in frozen.items():
        np.testing.assert_array_equal(columns(piece)[key], before)
