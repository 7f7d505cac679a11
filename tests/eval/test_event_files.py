"""MusDr's event files through the command line, beside MusDr's own arithmetic done by hand."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.cli import cli

BAR, POSITION, TONE, SLASH, TYPE = 192, 193, 322, 334, 346


def events(seed: int, bars: int = 9) -> list[int]:
    """A pickup before the first bar, notes on positions, a chord a bar, other events between."""
    rng = np.random.default_rng(seed)
    found = [433, 439, POSITION + 32, 150, 70, 170]
    for _ in range(bars):
        root = int(rng.integers(0, 3))
        found += [BAR, POSITION, 260, TONE + root, TYPE + 2, SLASH + root]
        for at in np.sort(rng.choice(64, 6, replace=False)).tolist():
            found += [POSITION + at, 150, int(rng.integers(48, 84)), 165]
    return [*found, BAR]


def entropy(pitches: list[int]) -> float:
    shares = np.unique(np.array(pitches) % 12, return_counts=True)[1] / len(pitches)
    return float(-(shares * np.log2(shares)).sum())


def by_hand(sequence: list[int]) -> dict[str, float]:
    """H1, H4, GS and CPI as MusDr defines them, event by event."""
    inside = sequence[sequence.index(BAR) : -1]
    at = [i for i, e in enumerate(inside) if e == BAR]
    bars = [inside[a:b] for a, b in zip(at, [*at[1:], len(inside)], strict=True)]
    pitches = [[e for e in bar if e < 128] for bar in bars]
    onsets = []
    for bar in bars:
        position, filled = -1, set()
        for e in bar:
            if POSITION <= e < POSITION + 64:
                position = e - POSITION
            elif e < 128:
                filled.add(position)
        onsets.append(filled)
    fours = [[p for bar in pitches[i : i + 4] for p in bar] for i in range(len(pitches) - 3)]
    chords = [e - TONE for e in sequence if TONE <= e < SLASH]
    grams = {tuple(chords[i : i + 3]) for i in range(len(chords) - 3)}
    pairs = list(itertools.combinations(onsets, 2))
    return {
        "pitch_class_entropy_1bar": float(np.mean([entropy(p) for p in pitches])),
        "pitch_class_entropy_4bar": float(np.mean([entropy(p) for p in fours])),
        "grooving_similarity": float(np.mean([1 - len(a ^ b) / 64 for a, b in pairs])),
        "chord_progression_irregularity": len(grams) / (len(chords) - 3),
    }


def write(file: Path, sequence: list[int]) -> Path:
    rows = "".join(f"Some-Event,x,None,{e}\n" for e in sequence)
    file.write_text("EVENT,VALUE,VALUE_IDX,ENCODING\n" + rows)
    return file


@pytest.mark.parametrize("seed", range(3))
def test_event_files_are_scored_as_musdr_scores_them(tmp_path: Path, seed: int) -> None:
    write(tmp_path / "one_remi.csv", events(seed))
    (tmp_path / "broken.csv").write_text("EVENT,ENCODING\nBar,x\n")
    (tmp_path / "other.csv").write_text("path,prompt\na,b\n")
    words = ["score", str(tmp_path), "--compat", "musdr", "--format", "json", "--quiet"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    broken, one, other = json.loads(result.stdout)["items"]
    assert "line 2: no event number" in broken["reason"]
    assert "no column ENCODING" in other["reason"]
    found = {k: s["value"] for k, s in one["scores"].items()}
    assert found == pytest.approx(by_hand(events(seed)), abs=1e-9)


def test_some_metrics_of_some_files(tmp_path: Path) -> None:
    write(tmp_path / "one.csv", events(1))
    words = ["score", f"{tmp_path}/*.csv", "--compat", "musdr", "--metrics", "grooving_similarity"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert "grooving_similarity" in result.stdout
    assert "entropy" not in result.stdout


def test_a_file_without_a_bar_is_undefined(tmp_path: Path) -> None:
    write(tmp_path / "none.csv", [60, 61])
    words = ["score", str(tmp_path / "none.csv"), "--compat", "musdr", "--format", "json"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    scores = json.loads(result.stdout)["items"][0]["scores"]
    assert scores["grooving_similarity"]["status"] == "undefined"
