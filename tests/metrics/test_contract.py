"""What every registered metric on notes promises, walked over the whole registry.

A new metric is tested from the moment that it is registered: its declared invariances on real and
random pieces, its range, and its manners on pieces that are hardly pieces.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import numpy as np
import pytest

from concours.metrics.features import FeatureTable
from concours.metrics.piece import Piece, make_piece
from concours.metrics.registry import catalogue
from concours.metrics.spec import Invariance, MetricResult, MetricSpec, Scored, Undefined

SYMBOLIC = {n: s for n, s in catalogue().items() if s.inputs == "symbolic"}
CLIP = {n: s for n, s in SYMBOLIC.items() if s.level == "clip"}
PAIR = {n: s for n, s in SYMBOLIC.items() if s.level == "pair"}
CORPUS = {n: s for n, s in SYMBOLIC.items() if s.level == "corpus"}
SETS = {n: s for n, s in catalogue().items() if s.level == "set" and s.inputs == "features"}
TOLERANCE = 1e-9


def columns(piece: Piece) -> dict[str, Any]:
    """The arguments of ``make_piece`` that give this piece again."""
    return {
        **{
            name: getattr(piece, name)
            for name in (
                *("onset", "end", "pitch", "velocity", "track", "program", "is_drum"),
                *("ticks_per_quarter", "bar_edges", "track_names", "has_velocity"),
            )
        },
        "tempos": list(zip(piece.tempo_tick, piece.tempo_qpm, strict=True)),
        "meters": list(
            zip(piece.meter_tick, piece.meter_numerator, piece.meter_denominator, strict=True)
        ),
        "keys": list(zip(piece.key_tick, piece.key_fifths, piece.key_minor, strict=True)),
    }


def transposed(piece: Piece) -> list[Piece]:
    own = columns(piece)
    sounding = piece.pitch[~piece.is_drum]
    fits = [u for u in (-5, 1, 4, 7) if sounding.min() + u >= 0 and sounding.max() + u < 128]
    assert fits
    return [
        make_piece(**{**own, "pitch": np.where(piece.is_drum, piece.pitch, piece.pitch + u)})
        for u in fits
    ]


def retimed(piece: Piece) -> list[Piece]:
    own = columns(piece)
    return [
        make_piece(**{**own, "tempos": [(t, q * factor) for t, q in own["tempos"]]})
        for factor in (0.5, 1.3)
    ]


def relabelled(piece: Piece) -> list[Piece]:
    own = columns(piece)
    n = max(len(piece.track_names), int(piece.track.max()) + 1)
    names = [*piece.track_names, *[""] * (n - len(piece.track_names))]
    moved = np.arange(n)[::-1]
    turned = {"track": moved[piece.track], "track_names": [names[i] for i in moved]}
    return [make_piece(**{**own, **turned})]


def shuffled(piece: Piece) -> list[Piece]:
    own = columns(piece)
    order = np.random.default_rng(0).permutation(piece.n_notes)
    per_note = ("onset", "end", "pitch", "velocity", "track", "program", "is_drum")
    return [make_piece(**{**own, **{name: own[name][order] for name in per_note}})]


def refined(piece: Piece) -> list[Piece]:
    own = columns(piece)
    many = []
    for factor in (3, 21):
        scaled = {k: own[k] * factor for k in ("onset", "end", "ticks_per_quarter", "bar_edges")}
        for key in ("tempos", "meters", "keys"):
            scaled[key] = [(tick * factor, *rest) for tick, *rest in own[key]]
        many.append(make_piece(**{**own, **scaled}))
    return many


CHANGES: dict[str, Callable[[Piece], list[Piece]]] = {
    "transposition": transposed,
    "tempo": retimed,
    "track-order": relabelled,
    "note-order": shuffled,
    "resolution": refined,
}


def value_of(result: MetricResult) -> float | Undefined:
    return result.value if isinstance(result, Scored) else result


def broken_promises(spec: MetricSpec, piece: Piece, changed: dict[str, list[Piece]]) -> list[str]:
    """The declared invariances that do not hold on a piece."""
    home = value_of(spec.function(piece))
    broken = []
    for name in spec.invariant & set(changed):
        for other in changed[name]:
            away = value_of(spec.function(other))
            same = (
                home == away
                if isinstance(home, Undefined) or isinstance(away, Undefined)
                else math.isclose(home, away, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            )
            if not same:
                broken.append(f"{spec.name} under {name}: {home} became {away}")
    return broken


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


def with_changes(piece: Piece) -> dict[str, list[Piece]]:
    return {name: change(piece) for name, change in CHANGES.items()}


def broken_pair_promises(spec: MetricSpec, piece: Piece, other: Piece) -> list[str]:
    """The declared invariances of a pair metric that do not hold where both pieces change alike."""
    home = value_of(spec.function(piece, other))
    broken = []
    for name in spec.invariant & set(CHANGES):
        for a, b in zip(CHANGES[name](piece), CHANGES[name](other), strict=True):
            away = value_of(spec.function(a, b))
            same = (
                home == away
                if isinstance(home, Undefined) or isinstance(away, Undefined)
                else math.isclose(home, away, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
            )
            if not same:
                broken.append(f"{spec.name} under {name}: {home} became {away}")
    return broken


@pytest.mark.parametrize("name", PAIR)
def test_declared_invariances_of_pairs_hold(
    name: str, pieces: list[tuple[Piece, dict[str, list[Piece]]]]
) -> None:
    whole = [p for p, _ in pieces]
    twos = [(whole[0], whole[1]), (whole[2], whole[3]), (whole[3], whole[3])]
    broken = [b for piece, other in twos for b in broken_pair_promises(PAIR[name], piece, other)]
    assert not broken, "\n".join(broken)


def test_every_metric_of_notes_declares_what_it_is_blind_to() -> None:
    """The order of notes and tracks in a file is never music, and neither is its resolution."""
    for spec in (*CLIP.values(), *PAIR.values(), *CORPUS.values()):
        assert {"note-order", "track-order", "resolution"} <= spec.invariant, spec.name
    for spec in SETS.values():
        assert "item-order" in spec.invariant, spec.name


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


HOUR = 3600 * 2 * 480  # ticks at 120 quarters a minute


def extremes() -> dict[str, Piece]:
    """Pieces at the edge of being pieces; the last two are long and large."""
    chance = np.random.default_rng(0)
    large = np.sort(chance.integers(0, 2_000_000, 200_000))
    return {
        "empty": make_piece(onset=[], end=[], pitch=[]),
        "one note": make_piece(onset=[480], end=[960], pitch=[60]),
        "one instant": make_piece(onset=[0], end=[0], pitch=[60]),
        "instants": make_piece(onset=[0, 480, 960], end=[0, 480, 960], pitch=[60, 62, 64]),
        "one chord": make_piece(onset=[0] * 3, end=[480] * 3, pitch=[60, 64, 67]),
        "one pitch": make_piece(
            onset=range(0, 9600, 480), end=range(480, 10080, 480), pitch=[0] * 20
        ),
        "drums only": make_piece(onset=[0, 480], end=[10, 490], pitch=[36, 38], is_drum=[True] * 2),
        "late": make_piece(onset=[480_000], end=[480_480], pitch=[127]),
        "one tick a quarter": make_piece(
            onset=[0, 1, 2], end=[1, 2, 4], pitch=[60, 62, 64], ticks_per_quarter=1
        ),
        "two parts, one silent": make_piece(
            onset=[0, 480], end=[480, 480], pitch=[60, 62], track=[0, 1]
        ),
        "ten hours": make_piece(
            onset=np.linspace(0, 10 * HOUR - 480, 500).astype(int),
            end=np.linspace(480, 10 * HOUR, 500).astype(int),
            pitch=chance.integers(40, 80, 500),
        ),
        "one note of ten hours": make_piece(onset=[0], end=[10 * HOUR], pitch=[60]),
        "200,000 notes": make_piece(
            onset=large,
            end=large + chance.integers(1, 960, 200_000),
            pitch=chance.integers(0, 128, 200_000),
            track=np.arange(200_000) % 5,
        ),
    }


EXTREMES = extremes()


@pytest.mark.parametrize("name", CLIP)
@pytest.mark.parametrize("case", EXTREMES)
def test_a_value_in_range_or_a_reason(name: str, case: str) -> None:
    mannered(CLIP[name], CLIP[name].function(EXTREMES[case]))


SMALL = [n for n in EXTREMES if n not in ("ten hours", "200,000 notes")]
PARTNER = make_piece(
    onset=[0, 480, 960, 1920], end=[480, 960, 1920, 3840], pitch=[60, 64, 67, 72], program=[5] * 4
)


@pytest.mark.parametrize("name", PAIR)
def test_pairs_have_a_value_in_range_or_a_reason(name: str) -> None:
    """Every edge case as the output, as what it is held against, and against itself."""
    spec = PAIR[name]
    cases = [EXTREMES[n] for n in SMALL]
    twos = [(c, PARTNER) for c in cases] + [(PARTNER, c) for c in cases] + [(c, c) for c in cases]
    for piece, other in twos:
        mannered(spec, spec.function(piece, other))


@pytest.mark.parametrize("name", PAIR)
@pytest.mark.parametrize("case", ["ten hours", "200,000 notes"])
def test_pairs_survive_long_and_large_pieces(name: str, case: str) -> None:
    spec = PAIR[name]
    mannered(spec, spec.function(EXTREMES[case], PARTNER))
    mannered(spec, spec.function(PARTNER, EXTREMES[case]))


@pytest.mark.parametrize("name", CORPUS)
def test_corpus_metrics_have_a_value_in_range_or_a_reason(name: str) -> None:
    spec = CORPUS[name]
    assert spec.corpus is not None
    parameters = {k: spec.parameters[k] for k in spec.corpus.parameters}
    cases = {n: EXTREMES[n] for n in SMALL}
    for held in ({"one": PARTNER}, cases):
        extracts = [spec.corpus.extract(p, parameters) for p in held.values()]
        model = spec.corpus.open(spec.corpus.fit(extracts, list(held), parameters))
        for piece in cases.values():
            mannered(spec, spec.function(piece, model))


@pytest.mark.parametrize("name", CORPUS)
def test_declared_invariances_of_corpus_metrics_hold(
    name: str, pieces: list[tuple[Piece, dict[str, list[Piece]]]]
) -> None:
    spec = CORPUS[name]
    assert spec.corpus is not None
    parameters = {k: spec.parameters[k] for k in spec.corpus.parameters}
    held = [pieces[0][0], pieces[2][0]]
    extracts = [spec.corpus.extract(p, parameters) for p in held]
    model = spec.corpus.open(spec.corpus.fit(extracts, ["a", "b"], parameters))
    against = replace(spec, function=lambda p: spec.function(p, model))
    broken = [b for piece, changed in pieces for b in broken_promises(against, piece, changed)]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("name", SETS)
def test_the_order_of_items_never_shows(name: str) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(40, 3)), rng.normal(0.5, 1.2, size=(35, 3))
    names = ("x", "y", "z")
    home = value_of(SETS[name].function(FeatureTable(names, a), FeatureTable(names, b)))
    turned = FeatureTable(names, a[rng.permutation(40)]), FeatureTable(names, b[::-1].copy())
    assert value_of(SETS[name].function(*turned)) == pytest.approx(home, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("case", ["copies", "constant", "one", "empty", "holes", "far"])
def test_sets_have_a_value_in_range_or_a_reason(name: str, case: str) -> None:
    rng = np.random.default_rng(4)
    plain = rng.normal(size=(32, 2))
    other = {
        "copies": np.repeat(plain[:16], 2, axis=0),
        "constant": np.ones((32, 2)),
        "one": plain[:1],
        "empty": plain[:0],
        "holes": np.where(rng.random((32, 2)) < 0.3, np.nan, plain),
        "far": plain + 1e6,
    }[case]
    tables = [FeatureTable(("x", "y"), v) for v in (plain, other)]
    for first, second in (tables, tables[::-1], [tables[1], tables[1]]):
        mannered(SETS[name], SETS[name].function(first, second))


def mannered(spec: MetricSpec, result: MetricResult) -> None:
    """A plain finite number in the declared range with JSON-ready detail, or a reason."""
    value = value_of(result)
    if isinstance(value, Undefined):
        assert value.reason
        return
    assert isinstance(value, float | int)
    assert not isinstance(value, np.generic), "a plain number"
    low, high = spec.range
    assert math.isfinite(value)
    assert low - TOLERANCE <= value <= high + TOLERANCE
    if isinstance(result, Scored):
        json_ready(result.detail)


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


def json_ready(detail: Any) -> None:
    """Only what JSON holds, and no NaN among it."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            assert isinstance(key, str)
            json_ready(value)
    elif isinstance(detail, list | tuple):
        for value in detail:
            json_ready(value)
    else:
        assert detail is None or isinstance(detail, str | int | float)
        assert not isinstance(detail, np.generic)
        assert not isinstance(detail, float) or math.isfinite(detail)
