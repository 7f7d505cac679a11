"""The peers' numbers: muspy, pretty_midi and pypianoroll themselves beside ours, MusDr by hand."""

import itertools
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from concours.eval.load import load
from concours.metrics.compat import PEERS, compat_catalogue, mgeval, musdr
from concours.metrics.piece import Piece, make_piece
from concours.metrics.spec import Undefined

EXACT = 1e-9
MUSPY = compat_catalogue("muspy")


def muspy_settings(name: str, resolution: int) -> dict[str, object]:
    return {
        "groove_consistency": {"measure_resolution": 4 * resolution},
        "empty_measure_rate": {"measure_resolution": 4 * resolution},
        "pitch_in_scale_rate": {"root": 0, "mode": "major"},
        "drum_in_pattern_rate": {"meter": "duple"},
    }.get(name, {})


def agrees_with_muspy(path: Path) -> int:
    """Compares every metric of muspy on a file; returns how many."""
    import muspy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = muspy.read_midi(str(path))
        ours = load(path).piece
        for name, spec in MUSPY.items():
            settings = muspy_settings(name, theirs.resolution)
            want = float(getattr(muspy, name)(theirs, **settings))
            got = spec.function(ours)
            if isinstance(got, Undefined):
                assert math.isnan(want), (path.name, name, want)
            else:
                assert got == pytest.approx(want, abs=EXACT), (path.name, name)
    return len(MUSPY)


def test_muspy_on_real_files(midi_paths: list[Path]) -> None:
    chosen = midi_paths[::25]
    assert sum(agrees_with_muspy(path) for path in chosen) == 14 * len(chosen)


@pytest.mark.slow
def test_muspy_on_every_real_file(midi_paths: list[Path]) -> None:
    assert sum(agrees_with_muspy(path) for path in midi_paths) == 14 * len(midi_paths)


def test_muspy_where_nothing_sounds() -> None:
    drums = make_piece(onset=[0], end=[480], pitch=[36], is_drum=[True])
    assert MUSPY["pitch_range"].function(drums) == -127
    assert isinstance(MUSPY["polyphony"].function(drums), Undefined)
    nothing = make_piece(onset=[], end=[], pitch=[])
    for name, spec in MUSPY.items():
        value = spec.function(nothing)
        assert isinstance(value, Undefined) or value == 0, name


def test_muspy_counts_an_end_on_the_beat_as_another_beat() -> None:
    piece = make_piece(onset=[0, 1440], end=[480, 1920], pitch=[60, 62])
    assert MUSPY["empty_beat_rate"].function(piece) == pytest.approx(0.2)


def pretty_files(midi_paths: list[Path]) -> list[Path]:
    return [p for p in midi_paths if "nottingham" in str(p) or "aimgef" in str(p)][::20]


def test_mgeval_is_what_pretty_midi_says(midi_paths: list[Path]) -> None:
    import pretty_midi

    for path in pretty_files(midi_paths):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = pretty_midi.PrettyMIDI(str(path))
        piece = load(path).piece
        roll = theirs.instruments[0].get_piano_roll(fs=100, pedal_threshold=None).sum(axis=1)
        np.testing.assert_allclose(mgeval.roll_weights(piece), roll, err_msg=path.name)
        used = np.flatnonzero(roll)
        assert mgeval.total_used_pitch(piece) == len(used)
        assert mgeval.pitch_range(piece) == used.max() - used.min()
        want = np.diff(theirs.get_onsets()).mean()
        assert mgeval.avg_ioi(piece) == pytest.approx(want, abs=EXACT), path.name


@pytest.mark.parametrize("seed", range(6))
def test_pypianoroll_itself(random_piece: Callable[..., Piece], seed: int) -> None:
    from pypianoroll import metrics as theirs

    piece = random_piece(seed, ticks_per_quarter=24, up=45 if seed % 2 else 0)
    length = -(-piece.end_tick // 24) * 24
    roll = np.zeros((length, 128), np.uint8)
    for a, b, p in zip(piece.onset, piece.end, piece.pitch, strict=True):
        roll[a:b, p] = 1
    ours = compat_catalogue("pypianoroll")
    calls = {
        "empty_beat_rate": lambda: theirs.empty_beat_rate(roll, 24),
        "n_pitches_used": lambda: theirs.n_pitches_used(roll),
        "n_pitch_classes_used": lambda: theirs.n_pitch_classes_used(roll.astype(int)),
        "pitch_range": lambda: theirs.pitch_range(roll),
        "polyphonic_rate": lambda: theirs.polyphonic_rate(roll),
        "qualified_note_rate": lambda: theirs.qualified_note_rate(roll.astype(np.int8)),
    }
    assert set(calls) == set(ours)
    for name, call in calls.items():
        assert ours[name].function(piece) == pytest.approx(float(call()), abs=EXACT), name


def test_pypianoroll_finds_four_classes_in_a_triad() -> None:
    pitch = [p + 12 * o for o in range(3) for p in (48, 52, 55)]
    triad = make_piece(onset=[0] * 9, end=[480] * 9, pitch=pitch)
    assert compat_catalogue("pypianoroll")["n_pitch_classes_used"].function(triad) == 4


def slow_similarity(events: list[int]) -> float:
    """MusDr's GS read off the events bar by bar, over every pair."""
    bars: list[set[int]] = []
    for event in events:
        if event == 192:
            bars.append(set())
            position = 63
        elif 193 <= event < 257:
            position = event - 193
        elif event < 128:
            bars[-1].add(position)
    pairs = itertools.combinations(bars, 2)
    return float(np.mean([1 - len(a ^ b) / 64 for a, b in pairs]))


def test_musdr_on_events() -> None:
    rng = np.random.default_rng(0)
    events: list[int] = []
    for _ in range(12):
        events.append(192)
        for position in np.sort(rng.choice(64, 5, replace=False)).tolist():
            events += [193 + position, int(rng.integers(40, 90)), 130]
    bars = musdr.event_bars([*events, 192])
    assert bars.n_bars == 12
    assert musdr.onset_similarity(bars) == pytest.approx(slow_similarity(events), abs=EXACT)
    first = bars.pitch[bars.bar == 0] % 12
    alone = musdr.event_bars(events[: events.index(192, 1)])
    shares = np.unique(first, return_counts=True)[1] / 5
    assert musdr.window_entropy(alone, 4) == pytest.approx(-(shares * np.log2(shares)).sum())


def test_musdr_divides_by_one_trigram_too_few() -> None:
    assert musdr.progression_irregularity("ABCABC") == 1  # ABC, BCA, CAB of 3; the 4th unseen
    assert musdr.progression_irregularity("AAAAA") == 0.5
    assert musdr.progression_irregularity("AAA") == 1


def test_musdr_on_a_piece_is_musdr_on_its_events(random_piece: Callable[..., Piece]) -> None:
    piece = random_piece(4)
    events: list[int] = []
    for bar in range(len(piece.bar_edges) - 1):
        events.append(192)
        for t, p in zip(piece.onset, piece.pitch, strict=True):
            if piece.bar_of(t) == bar:
                events += [193 + int((t - piece.bar_edges[bar]) * 64 // 1920), int(p)]
    ours, bars = compat_catalogue("musdr"), musdr.event_bars(events)
    assert ours["grooving_similarity"].function(piece) == musdr.onset_similarity(bars)
    for name, window in (("pitch_class_entropy_1bar", 1), ("pitch_class_entropy_4bar", 4)):
        assert ours[name].function(piece) == pytest.approx(musdr.window_entropy(bars, window))


@pytest.mark.parametrize("peer", PEERS)
def test_every_peer_metric_is_described_and_mannered(peer: str) -> None:
    pieces = [
        make_piece(onset=[], end=[], pitch=[]),
        make_piece(onset=[0], end=[0], pitch=[60]),
        make_piece(onset=[0], end=[480], pitch=[36], is_drum=[True]),
    ]
    for spec in compat_catalogue(peer).values():
        assert spec.summary.endswith(".")
        for piece in pieces:
            value = spec.function(piece)
            assert isinstance(value, Undefined) or math.isfinite(value)


def test_unknown_peers_are_named() -> None:
    with pytest.raises(ValueError, match="there are muspy"):
        compat_catalogue("muspi")
