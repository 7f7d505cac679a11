"""Planted copies in single melodies and in pieces with accompaniment; run it by hand:

    python tests/benchmarks/planted_copies.py ../shared/data [nottingham pop909] [--splits 4]
        [--seed 7] [--whole] [--only-played]

A corpus is split in two, near-duplicates together: three quarters are indexed and calibrated, the
rest are hosts. 24 notes of a melody of the corpus, edited as in
tests/eval/originality/test_planted_on_chorales.py, or played (a third of an octave faster at most,
each onset moved by a normal deviate), replace 24 notes of a host's melody of 84 notes. With
``--whole`` all tracks count on both sides. Found: a passage of at least 12 notes that names the
source or a near-duplicate of it. False alarms: hosts without a plant that have a passage of the
kind.
"""

import argparse
import importlib.util
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from concours.eval.baselines import write_midi
from concours.eval.items import Item, items_of
from concours.eval.load import load
from concours.eval.originality.calibration import calibrate, near_duplicates
from concours.eval.originality.corpus_index import build_index, store_calibration
from concours.eval.originality.report import Search, item_report
from concours.metrics.originality.tokens import tokenize
from concours.metrics.piece import Piece, make_piece

FOLDERS = {"nottingham": "nottingham/midi", "pop909": "pop909"}
QUARTER, NOTES, MELODY = 480, 24, 84
KINDS = ("altered", "octaves moved", "rhythm replaced", "expressive timing")
ANY = "any of these"
PLAYED = {"played, jitter 1/48": 1 / 48, "jitter 1/24": 1 / 24, "jitter 1/16": 1 / 16}


def _edits():
    file = Path(__file__).parents[1] / "eval/originality/test_planted_on_chorales.py"
    spec = importlib.util.spec_from_file_location("plants", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(module.FEWEST_FOUND), module.edited


EDITS, edited = _edits()


def melody(piece: Piece) -> np.ndarray:
    """(onset at 480 a quarter, pitch) of the first track's upper line."""
    tokens = tokenize(piece, view="interval")
    first = tokens.voice == 0
    onset = tokens.onset[first] * QUARTER // tokens.ticks_per_quarter
    return np.stack([onset, tokens.pitch[first]], axis=1)


def as_piece(line: np.ndarray, rest: np.ndarray) -> Piece:
    """A melody, and the (onset, end, pitch, track) of other tracks."""
    onset = line[:, 0]
    end = np.maximum(np.append(onset[1:], onset[-1] + QUARTER), onset + 1)
    rows = np.stack([onset, end, np.clip(line[:, 1], 0, 127), 0 * onset], axis=1)
    onset, end, pitch, track = np.concatenate([rows, rest]).T
    return make_piece(onset=onset, end=end, pitch=pitch, track=track, ticks_per_quarter=QUARTER)


def accompaniment(piece: Piece, whole: bool) -> np.ndarray:
    keep = (piece.track > 0) & ~piece.is_drum & np.full(piece.n_notes, whole)
    onset, end = (x[keep] * QUARTER // piece.ticks_per_quarter for x in (piece.onset, piece.end))
    return np.stack([onset, np.maximum(end, onset + 1), piece.pitch[keep], piece.track[keep]], 1)


def played(passage: np.ndarray, jitter: float, rng: np.random.Generator) -> np.ndarray:
    line = passage.astype(float)
    line[:, 0] = (line[:, 0] - line[0, 0]) / 2 ** rng.uniform(-1 / 3, 1 / 3)
    line[:, 0] += rng.normal(0, jitter * QUARTER, len(line))
    line[:, 1] += rng.choice([-4, -2, 3, 5])
    line = np.rint(line[np.argsort(line[:, 0], kind="stable")]).astype(int)
    line[:, 0] -= line[0, 0]
    line[1:, 0] = np.maximum(line[1:, 0], line[:-1, 0] + 10)
    return line


def planted(host: np.ndarray, passage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    at = int(rng.integers(4, max(5, min(len(host), MELODY) - NOTES - 4)))
    inner = passage - [passage[0, 0] - host[at, 0], 0]
    after = host[at + NOTES :]
    after = after - [after[0, 0] - inner[-1, 0] - QUARTER, 0] if len(after) else after
    return np.concatenate([host[:at], inner, after])


def split(pieces: dict[str, Piece], clusters: dict[str, int], rng: np.random.Generator):
    """(names that are indexed, names of hosts)."""
    order = rng.permutation(sorted(set(clusters.values()))).tolist()
    hosts: list[str] = []
    for cluster in order:
        if len(hosts) >= len(pieces) // 4:
            break
        hosts += [n for n, c in clusters.items() if c == cluster]
    return [n for n in pieces if n not in hosts], hosts


def measure(name: str, data: Path, args, place: Path) -> None:
    files = sorted((data / "symbolic/reference" / FOLDERS[name]).glob("*.mid"))
    pieces = {f.name: load(f).piece for f in files}
    pieces = {n: p for n, p in pieces.items() if len(melody(p)) >= MELODY}
    parts = {n: (melody(p), accompaniment(p, args.whole)) for n, p in pieces.items()}
    (place / "all").mkdir(parents=True)
    for n, (line, rest) in parts.items():
        write_midi(as_piece(line, rest), place / "all" / n)
    every = items_of({n: place / "all" / n for n in pieces})
    clusters = near_duplicates(build_index(every, place / "index"))
    found, trials = Counter(), Counter()
    alarms: list[Counter] = []
    for number in range(args.splits):
        rng = np.random.default_rng([args.seed, number])
        indexed, hosts = split(pieces, clusters, rng)
        begin = time.process_time()
        index = build_index([i for i in every if i.path in set(indexed)], place / f"index {number}")
        index = store_calibration(index, calibrate(index))
        spent = time.process_time() - begin
        search = Search(index, cardinality=False)
        levels = {k: index.calibration[k]["level"] for k in ("altered", "expressive")}
        item = Item("planted", place, "", "symbolic", "0" * 64)

        def passages(line, host, search=search, item=item):
            rest = host[1]
            rest = rest[rest[:, 0] < line[-1, 0]] if len(rest) else rest
            return item_report(item, as_piece(line, rest), search).passages

        alarm = Counter(hosts=len(hosts))
        for n in hosts:
            line, rest = parts[n]
            kinds = {}
            for p in passages(line[:MELODY], (line, rest)):
                kinds.setdefault(p["kind"], p)
            alarm.update([k for k in KINDS if k in kinds] + [ANY] * bool(kinds.keys() & set(KINDS)))
            if "altered" in kinds and args.verbose:
                p = kinds["altered"]
                print(f"  altered: {n} {p['source']} {p['score_bits']} bits, {p['length']} notes")
        alarms.append(alarm)
        for kind in PLAYED if args.only_played else (*EDITS, *PLAYED):
            for _ in range(args.plants):
                host = parts[hosts[int(rng.integers(len(hosts)))]]
                source = indexed[int(rng.integers(len(indexed)))]
                line = parts[source][0]
                first = int(rng.integers(0, len(line) - NOTES + 1))
                passage = line[first : first + NOTES]
                passage = (
                    played(passage, PLAYED[kind], rng)
                    if kind in PLAYED
                    else edited(kind, passage, rng)
                )
                named = [
                    p
                    for p in passages(planted(host[0][:MELODY], passage, rng), host)
                    if clusters[p["source"]] == clusters[source] and p["length"] >= NOTES // 2
                ]
                trials[kind] += 1
                found[kind] += bool(named)
                if kind in PLAYED:
                    found[f"{kind}, named so"] += any(
                        p["kind"] == "expressive timing" for p in named
                    )
                    trials[f"{kind}, named so"] += 1
        shares = {k: round(100 * alarm[k] / alarm["hosts"], 1) for k in (*KINDS, ANY)}
        print(f"split {number}: {len(indexed)} indexed, {len(hosts)} hosts, levels {levels}, "
              f"calibrated in {spent:.0f} CPU s, false alarms % {shares}")  # fmt: skip
        print(f"  found so far: { {k: f'{found[k]}/{n}' for k, n in trials.items()} }", flush=True)
    total = sum(alarms, Counter())
    print(f"| {name}{', all tracks' if args.whole else ''} | % |")
    for kind in trials:
        print(f"| {kind} | {100 * found[kind] / trials[kind]:.0f} of {trials[kind]} |")
    for k in (*KINDS, ANY):
        print(f"| no plant: {k} | {100 * total[k] / total['hosts']:.1f} of {total['hosts']} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("corpora", nargs="*", default=list(FOLDERS))
    parser.add_argument("--splits", type=int, default=4)
    parser.add_argument("--plants", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--only-played", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    for name in args.corpora:
        place = Path(tempfile.mkdtemp())
        try:
            measure(name, args.data, args, place)
        finally:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
