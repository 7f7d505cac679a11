"""Systems of which it is known how much they copy, placed by an index; run it by hand:

    python tests/benchmarks/originality_ladder.py ../shared/data [nottingham aimgef] [--splits 6]

Nottingham: three quarters of the tunes, near-duplicates together, are indexed, calibrated and
learnt from; the rest are held out, in several splits, of which the first is shown whole. Markov
chains of order 1 to 8 recite the more the higher their order. AIMGEF: 25 human piano excerpts are
indexed; each system is held against them, each original against the others. Per cent of notes in
shared passages of n notes, the longest passage, and the mean percentile and the share above the
95th percentile, by the reference's own pieces.
"""

import argparse
import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from concours.eval.baselines import generate
from concours.eval.items import find_items
from concours.eval.load import load
from concours.eval.originality.calibration import calibrate, held_out, near_duplicates, percentile
from concours.eval.originality.corpus_index import CorpusIndex, build_index, store_calibration
from concours.eval.originality.report import Search, item_report
from concours.eval.originality.search import longest, longest_passage
from concours.metrics.originality.ngram import curve_of
from concours.metrics.originality.tokens import tokenize
from concours.metrics.piece import Piece

SIZES = (4, 6, 8, 10, 12, 16, 20)
SYSTEMS = ("MVAE", "MuTr", "LiTr")


def _planted():
    file = Path(__file__).with_name("planted_copies.py")
    spec = importlib.util.spec_from_file_location("planted", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def place(pieces: Sequence[Piece], index: CorpusIndex, view: str, apart=None):
    """(mean curve, longest passages, percentiles) of pieces; ``apart[i]`` are the shards for
    piece i."""
    curves, lengths = [], []
    for i, piece in enumerate(pieces):
        tokens = tokenize(piece, view=view)
        found = longest(tokens, apart[i] if apart else index.shards[view])
        lengths.append(longest_passage(tokens, found.length))
        curves.append(curve_of(tokens, found.length, SIZES))
    usual = index.calibration["views"][view]["longest_values"]
    mean = [np.mean([c[n] for c in curves if n in c]) for n in SIZES]
    return mean, np.array(lengths), np.array([percentile(n, usual) for n in lengths])


def row(name: str, found, index: CorpusIndex, view: str) -> None:
    mean, lengths, places = found
    p95 = index.calibration["views"][view]["longest"]["p95"]
    cells = [f"{100 * share:.1f}" for share in mean]
    cells += [f"{np.median(lengths):g} / {np.percentile(lengths, 95):.3g}", f"{places.mean():.0f}",
              f"{100 * (lengths > p95).mean():.0f}"]  # fmt: skip
    print(f"| {name} ({len(lengths)}) | " + " | ".join(cells) + " |", flush=True)


def heading(title: str) -> None:
    print(f"\n{title}\n| | " + " | ".join(f"n = {n}" for n in SIZES)
          + " | longest p50 / p95 | mean percentile | % above p95 |")  # fmt: skip


def nottingham(data: Path, splits: int, count: int, folder: Path) -> None:
    files = sorted((data / "symbolic/reference/nottingham/midi").glob("*.mid"))
    items = {i.path: i for i in find_items(str(files[0].parent))}
    pieces = {name: load(i.location).piece for name, i in items.items()}
    clusters = near_duplicates(build_index(items.values(), folder / "all"))
    view, held = "interval-ratio", []
    for seed in reversed(range(splits)):
        indexed, apart = _planted().split(pieces, clusters, np.random.default_rng(seed))
        index = build_index([items[n] for n in indexed], folder / f"index {seed}")
        index = store_calibration(index, calibrate(index))
        found = place([pieces[n] for n in apart], index, view)
        levels = index.calibration["views"][view]["longest"]
        above = [(found[1] > levels[q]).mean() for q in ("p50", "p95", "p99")]
        held.append([found[2].mean() / 100, *above])
        print(f"split {seed}: {len(apart)} held out, levels {levels}, "
              f"mean percentile {100 * held[-1][0]:.0f}, % above them "
              f"{[round(100 * float(x), 1) for x in above]}", flush=True)  # fmt: skip
    means = [round(100 * float(x), 1) for x in np.mean(held, axis=0)]
    print(f"held out in {splits} splits: mean percentile {means[0]}, % above p50, p95, p99 "
          f"{means[1:]}")  # fmt: skip
    train = [pieces[n] for n in indexed]
    heading(f"Nottingham, {len(indexed)} tunes indexed, all tracks")
    row("held-out tunes", found, index, view)
    shuffled = list(generate("shuffled", train=train, count=count, seed=3))
    row("notes shuffled", place(shuffled, index, view), index, view)
    ladder = []
    for order in range(1, 9):
        made = list(generate("markov", train=train, count=count, seed=3, order=order))
        ladder.append(place(made, index, view))
        row(f"Markov {order}", ladder[-1], index, view)
    copies = list(generate("copycat", train=train, count=count, seed=3))
    row("copies", place(copies, index, view), index, view)
    songs = sorted((data / "symbolic/reference/pop909").glob("*.mid"))[:count]
    row("POP909 songs", place([load(f).piece for f in songs], index, view), index, view)
    for what, values in (
        ("mean longest passage", [lengths.mean() for _, lengths, _ in ladder]),
        *((f"coverage at n = {n}", [m[i] for m, *_ in ladder]) for i, n in enumerate(SIZES)),
    ):
        falls = [k + 1 for k in range(7) if values[k + 1] <= values[k]]
        print(f"{what}: {[round(float(v), 3) for v in values]}",
              f"falls after order {falls}" if falls else "rises with every order")  # fmt: skip


def aimgef(data: Path, folder: Path) -> None:
    music = data / "symbolic/systems/aimgef_cpi"
    index = build_index(find_items(str(music / "Orig")), folder / "aimgef")
    index = store_calibration(index, calibrate(index))
    clusters = near_duplicates(index)
    search = Search(index, cardinality=False)
    for view in index.views:
        heading(f"AIMGEF, {len(index.pieces)} human excerpts indexed, {view}")
        shards = [held_out(index, view, clusters, 0, i) for i in range(len(index.pieces))]
        own = [load(music / "Orig" / p.name).piece for p in index.pieces]
        names = index.shards[view][0].names.tolist()
        apart = [shards[names.index(p.name)] for p in index.pieces]
        row("human originals", place(own, index, view, apart), index, view)
        for system in SYSTEMS:
            made = [load(i.location).piece for i in find_items(str(music / system))]
            row(system, place(made, index, view), index, view)
    for system in SYSTEMS:
        kinds: dict[str, int] = {}
        for item in find_items(str(music / system)):
            found = item_report(item, load(item.location).piece, search)
            for kind in {p["kind"] for p in found.passages} - {"exact"}:
                kinds[kind] = kinds.get(kind, 0) + 1
        print(f"{system}: items with passages of other kinds: {kinds or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("parts", nargs="*", default=["nottingham", "aimgef"])
    parser.add_argument("--splits", type=int, default=6)
    parser.add_argument("--count", type=int, default=100)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if "nottingham" in args.parts:
            nottingham(args.data, args.splits, args.count, Path(folder))
        if "aimgef" in args.parts:
            aimgef(args.data, Path(folder))


if __name__ == "__main__":
    main()
