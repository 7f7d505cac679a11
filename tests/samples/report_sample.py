"""A small benchmark with everything a report meets, computed from pieces made here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from concours.eval.report.model import (
    Benchmark,
    Cell,
    Column,
    Item,
    ItemScore,
    Report,
    Status,
    System,
)
from concours.eval.report.overall import overall
from concours.eval.stats.standing import places
from concours.metrics.piece import Piece, make_piece

QUARTER = 480
SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
HOSTILE = '<script>alert("x")</script>'
EMOJI = "emoji 🎹 & “quotes” 'n' {braces} 100% $x$ #1 a_b^c~\\end"
RTL = "موسيقى\u202eevil"


@dataclass(frozen=True)
class Sample:
    """A report and the notes behind its items."""

    report: Report
    notes: dict[tuple[str, str], Piece]

    def pieces(self, system: System, item: Item) -> Piece | None:
        return self.notes.get((system.name, item.path))


def walk(seed: int, *, stride: int, spread: float, tracks: int = 2, bars: int = 14) -> Piece:
    """A tune in C: a random walk over the scale with ``spread``, over held bass notes."""
    rng = np.random.default_rng(seed)
    n = bars * 4 * QUARTER // stride
    step = np.clip(np.cumsum(np.rint(rng.normal(0, spread, n))), -12, 12).astype(int)
    pitch = 67 + 12 * (step // 7) + SCALE[step % 7]
    onset = np.arange(n) * stride
    end = onset + rng.choice([stride // 2, stride], n)
    bass_onset = np.arange(bars) * 4 * QUARTER
    bass_pitch = 48 + SCALE[rng.integers(0, 7, bars)]
    if tracks == 1:
        bass_onset, bass_pitch = bass_onset[:0], bass_pitch[:0]
    return make_piece(
        onset=[*onset, *bass_onset],
        end=[*end, *(bass_onset + 4 * QUARTER)],
        pitch=[*pitch, *bass_pitch],
        velocity=[*rng.integers(50, 110, n), *([70] * len(bass_onset))],
        track=[*([0] * n), *([1] * len(bass_onset))],
        program=[*([0] * n), *([32] * len(bass_onset))],
        tempos=[(0, float(rng.integers(90, 150)))],
        meters=[(0, 4, 4)],
        track_names=("melody", "bass")[:tracks],
    )


def drums(seed: int) -> Piece:
    rng = np.random.default_rng(seed)
    onset = np.arange(32) * QUARTER // 2
    pitch = rng.choice([36, 38, 42], 32)
    return make_piece(onset=onset, end=onset + 60, pitch=pitch, is_drum=[True] * 32)


def pitch_range(piece: Piece) -> float | None:
    pitch = piece.pitched.pitch
    return float(pitch.max() - pitch.min()) if len(pitch) else None


def pitch_class_entropy(piece: Piece) -> float | None:
    pitch = piece.pitched.pitch
    if not len(pitch):
        return None
    share = np.bincount(pitch % 12) / len(pitch)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def note_density(piece: Piece) -> float | None:
    return piece.n_notes / piece.seconds if piece.n_notes else None


def mean_velocity(piece: Piece) -> float | None:
    return float(piece.velocity.mean()) if piece.n_notes else None


def grams(piece: Piece) -> set[tuple[int, ...]]:
    step = np.diff(piece.pitched.pitch)
    return {tuple(step[i : i + 4].tolist()) for i in range(len(step) - 3)}


CLIP: dict[str, Callable[[Piece], float | None]] = {
    "pitch_range": pitch_range,
    "pitch_class_entropy": pitch_class_entropy,
    "note_density": note_density,
    "mean_velocity": mean_velocity,
}


def column(key: str, family: str, level: str, direction: str, unit: str, summary: str) -> Column:
    return Column(
        key=key,
        name=key.partition(":")[0],
        family=family,
        level=level,  # type: ignore[arg-type]
        direction=direction,  # type: ignore[arg-type]
        unit=unit,
        range=(0.0, float("inf")),
        version=1,
        parameters={"window": 4} if ":" in key else {},
        summary=summary,
        citation="Yang & Lerch 2020, doi:10.1007/s00521-018-3849-7" if level == "set" else "",
        definition=f"{summary}\n\nFormula, conventions, source.",
    )


COLUMNS = (
    column("pitch_range", "pitch", "clip", "reference", "semitone", "Highest minus lowest pitch."),
    column("pitch_class_entropy", "pitch", "clip", "reference", "bit", "Entropy of pitch classes."),
    column("note_density", "rhythm", "clip", "reference", "note/s", "Notes a second."),
    column("mean_velocity", "dynamics", "clip", "none", "", "Mean velocity of the notes."),
    column("frechet_distance", "distribution", "set", "lower", "", "Distance of two Gaussians."),
    column(
        "wasserstein_distance:feature=note_density",
        "distribution",
        "set",
        "lower",
        "note/s",
        "Earth mover's distance of one feature.",
    ),
    column(
        "frechet_distance:feature=pitch_range",
        "distribution",
        "set",
        "lower",
        "",
        "Distance of two Gaussians.",
    ),
    column("ngram_overlap", "originality", "corpus", "lower", "share", "Notes shared with it."),
)


def build(
    systems: dict[str, list[tuple[str, Piece | str]]], reference: str, name: str = "tunes"
) -> tuple[Benchmark, dict[tuple[str, str], Piece]]:
    """A benchmark over the given pieces; a text in a piece's place is the cause of a failure."""
    notes = {
        (s, path): p for s, files in systems.items() for path, p in files if isinstance(p, Piece)
    }
    known = set().union(*(grams(p) for (s, _), p in notes.items() if s == reference))
    raw = {
        at: {
            **{k: f(p) for k, f in CLIP.items()},
            "ngram_overlap": len(grams(p) & known) / len(grams(p)) if grams(p) else None,
        }
        for at, p in notes.items()
    }
    home = _values(raw, reference)
    built = tuple(
        System(
            name=s,
            is_reference=s == reference,
            source=f"folder {s}",
            card={"what": f"pieces of {s}", "trained_on": "nothing"},
            items=tuple(_item(s, path, p, raw.get((s, path), {}), home) for path, p in files),
        )
        for s, files in systems.items()
    )
    own = [_cell(s, c, raw, home) for s in built for c in COLUMNS]
    columns = [[c for c in own if c.metric == metric.key] for metric in COLUMNS]
    ranked = [c for column_ in columns for c in _ranked(column_, reference)]
    cells = {(c.system, c.metric): c for c in ranked}
    benchmark = Benchmark(name, reference, COLUMNS, built, cells)
    return replace(benchmark, overall=overall(benchmark)), notes


def _values(
    raw: dict[tuple[str, str], dict[str, float | None]], system: str
) -> dict[str, np.ndarray]:
    keys = [*CLIP, "ngram_overlap"]
    mine = [scores for (s, _), scores in raw.items() if s == system]
    return {k: np.array([v for m in mine if (v := m[k]) is not None]) for k in keys}


def _item(
    system: str,
    path: str,
    piece: Piece | str,
    scores: dict[str, float | None],
    home: dict[str, np.ndarray],
) -> Item:
    failed = isinstance(piece, str)
    z = [
        (scores[k] - home[k].mean()) / (home[k].std() or 1.0)
        for k in ("pitch_range", "pitch_class_entropy", "note_density")
        if scores.get(k) is not None and len(home[k])
    ]
    return Item(
        path=path,
        location=f"/somewhere/private/{path}",
        sha256=None if failed else hashlib.sha256(f"{system}/{path}".encode()).hexdigest(),
        status="failed" if failed else "ok",
        reason=str(piece) if failed else "",
        warnings=("type 2 file: tracks put side by side",) if path.endswith("2.mid") else (),
        scores={
            k: ItemScore(v, "ok", "", {})
            if v is not None
            else ItemScore(None, "undefined", "no pitched notes", {})
            for k, v in scores.items()
        },
        distance=float(np.sqrt(np.mean(np.square(z)))) if z else None,
    )


def _cell(
    system: System,
    metric: Column,
    raw: dict[tuple[str, str], dict[str, float | None]],
    home: dict[str, np.ndarray],
) -> Cell:
    mine = _values(raw, system.name)
    n = len(system.items) - len(system.failed)
    gap: float | None = None
    if metric.level == "set":
        return _set_cell(system, metric, mine, home, n)
    values = mine[metric.key]
    status: Status = "ok" if len(values) else "failed" if not n else "undefined"
    reason = "" if len(values) else "every item failed" if not n else "no item has a value"
    if len(values) and len(home[metric.key]) and metric.direction == "reference":
        gap = _wasserstein(values, home[metric.key]) / (float(home[metric.key].std()) or 1.0)
    low, high = _interval(values)
    return Cell(
        system=system.name,
        metric=metric.key,
        value=float(values.mean()) if len(values) else None,
        ci_low=low,
        ci_high=high,
        n=len(values),
        n_undefined=n - len(values),
        status=status,
        reason=reason or ("" if low is not None else "one item has no interval"),
        direction=metric.direction,
        rank=None,
        gap=None if system.is_reference else gap,
    )


def _set_cell(
    system: System,
    metric: Column,
    mine: dict[str, np.ndarray],
    home: dict[str, np.ndarray],
    n: int,
) -> Cell:
    a, b = mine["note_density"], home["note_density"]
    enough = len(a) >= 2 and len(b) >= 2 and not system.is_reference
    value = _wasserstein(a, b) if enough else None
    if enough and metric.name == "frechet_distance":
        value = float((a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2)
    cause = "the reference itself" if system.is_reference else "fewer than 2 items"
    reason = "" if enough else cause
    half = None if value is None else 0.2 * value
    return Cell(
        system=system.name,
        metric=metric.key,
        value=value,
        ci_low=None if value is None or half is None else value - half,
        ci_high=None if value is None or half is None else value + half,
        n=len(a),
        n_undefined=n - len(a),
        status="ok" if enough else "failed" if not n else "undefined",
        reason=reason,
        direction=metric.direction,
        rank=None,
        gap=None,
    )


def _wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    q = (np.arange(200) + 0.5) / 200
    return float(np.abs(np.quantile(a, q) - np.quantile(b, q)).mean())


def _interval(values: np.ndarray) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (400, len(values)))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _ranked(cells: list[Cell], reference: str) -> list[Cell]:
    """The cells of one metric with places, by value where lower is better, else by gap; systems
    whose intervals are apart count as told apart."""

    def key(c: Cell) -> float | None:
        if c.system == reference or c.direction == "none":
            return None
        return c.gap if c.direction == "reference" else c.value

    merits = {c.system: k for c in cells if (k := key(c)) is not None}
    ends = {
        c.system: (c.value, c.value) if c.ci_low is None else (c.ci_low, c.ci_high) for c in cells
    }
    apart = [
        (a, b)
        for a in merits
        for b in merits
        if (high := ends[a][1]) is not None and (low := ends[b][0]) is not None and high < low
    ]
    found = places(merits, apart)
    return [
        replace(c, rank=p.rank, rank_low=p.low, rank_high=p.high, group=p.letters)
        if (p := found.get(c.system))
        else c
        for c in cells
    ]


REFERENCE = "chorales of the reference"


def make_sample() -> Sample:
    """Six systems and a reference: hostile names, failures, drums alone, a system of one item."""
    systems: dict[str, list[tuple[str, Piece | str]]] = {
        REFERENCE: [(f"bach/{i}.mid", walk(i, stride=240, spread=1.2)) for i in range(12)],
        "human": [(f"{i}.mid", walk(50 + i, stride=240, spread=1.3)) for i in range(8)],
        "markov-3": [
            *((f"out/{i}.mid", walk(90 + i, stride=240, spread=2.0)) for i in range(7)),
            ("out/broken.mid", "not a MIDI file: it starts with b'<htm'; export it again"),
            ("out/drums.mid", drums(1)),
        ],
        HOSTILE: [
            (f'"><img src=x onerror=alert({i})>.mid', walk(200 + i, stride=480, spread=3, tracks=1))
            for i in range(5)
        ],
        EMOJI: [(f"{i}.mid", walk(300 + i, stride=120, spread=4)) for i in range(4)],
        RTL + " " + "long-name-" * 20: [("one.mid", walk(400, stride=960, spread=1))],
        "all-broken": [(f"{i}.mid", "empty file") for i in range(3)],
    }
    benchmark, notes = build(systems, REFERENCE)
    manifest = {
        "tunes": {
            "versions": {"concours": "0.1.0", "numpy": "2.0.0"},
            "config_hash": "ab" * 32,
            "seeds": {"bootstrap": 0},
            "config": {"systems": [{"name": HOSTILE}], "reference": {"path": "bach/*.mid"}},
            "command": ["concours", "run", "/somewhere/private/benchmarks.yaml"],
        },
        "schema": 3,
    }
    return Sample(Report(manifest, (benchmark,)), notes)
