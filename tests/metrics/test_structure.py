"""Fitness against a direct reading of its definition; repetition and compression by hand."""

import itertools
import math

import numpy as np
import pytest

from concours.metrics.factors import n_factors
from concours.metrics.fitness import best_fitness, fitness, self_similarity, thresholded
from concours.metrics.piece import make_piece
from concours.metrics.spec import Undefined
from concours.metrics.structure import (
    _novelty,
    compression_ratio,
    lag_repetition,
    mean_section_length,
    self_repetition,
    structureness_long,
    structureness_mid,
    structureness_short,
)


def slow_fitness(matrix, start, length):
    """The definition with dictionaries: accumulated scores, then the path family walked back."""
    n = len(matrix)
    score, came = {}, {}

    def settle(cell, gain, candidates):
        known = [(score[c], -i, c) for i, c in enumerate(candidates) if c in score]
        if known:
            best = max(known)
            score[cell], came[cell] = best[0] + gain, best[2]

    for i in range(n):
        if i == 0:
            score[0, 0], came[0, 0] = 0.0, None
        else:
            settle((i, 0), 0.0, [(i - 1, 0), (i - 1, length)])
        settle((i, 1), matrix[i, start], [(i, 0)])
        for m in range(2, length + 1):
            steps = [(i - 1, m - 1), (i - 2, m - 1), *([(i - 1, m - 2)] if m > 2 else [])]
            settle((i, m), matrix[i, start + m - 1], steps)
    ends = [(score[c], -c[1], c) for c in ((n - 1, 0), (n - 1, length)) if c in score]
    total, _, cell = max(ends)
    covered, cells, rows = 0, 0, []
    while cell is not None:
        if cell[1] > 0:
            rows.append(cell[0])
        elif rows:
            covered, cells, rows = covered + max(rows) - min(rows) + 1, cells + len(rows), []
        cell = came[cell]
    if cells == 0:
        return 0.0
    scored, spread = (total - length) / cells, (covered - length) / n
    if scored <= 0 or spread <= 0:
        return 0.0
    return 2 * scored * spread / (scored + spread)


@pytest.mark.parametrize("seed", range(8))
def test_fitness_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 18))
    frames = rng.random((n, 12))
    frames[n // 2 :] = frames[: n - n // 2] + 0.1 * rng.random((n - n // 2, 12))
    matrix = thresholded(self_similarity(frames, shifts=bool(seed % 2)), keep=0.3)
    table = {(s, m): slow_fitness(matrix, s, m) for m in range(1, n) for s in range(n - m + 1)}
    for (s, m), expected in table.items():
        assert fitness(matrix, s, m) == pytest.approx(expected, abs=1e-12)
    assert best_fitness(matrix, 1, n - 1)[0] == pytest.approx(max(table.values()), abs=1e-12)


def test_threshold_keeps_the_highest_share():
    rng = np.random.default_rng(0)
    raw = rng.random((20, 20))
    matrix = thresholded(raw, keep=0.25)
    off = ~np.eye(20, dtype=bool)
    kept = (matrix >= 0) & off
    assert raw[kept].min() >= np.quantile(raw, 0.74)
    assert (matrix[~kept & off] == -2).all()
    assert matrix.max() == 1


def song(form, seconds=10, seed=0, at_qpm=120):
    """Sections of random quarters, one for each letter; the same letter is the same notes."""
    rng = np.random.default_rng(seed)
    quarters = round(seconds * at_qpm / 60)
    parts = {letter: rng.integers(48, 72, quarters) for letter in sorted(set(form))}
    pitch = np.concatenate([parts[letter] for letter in form])
    at = 480 * np.arange(len(pitch))
    return make_piece(onset=at, end=at + 480, pitch=pitch, tempos=[(0, at_qpm)])


@pytest.mark.parametrize("metric", [structureness_short, structureness_mid, structureness_long])
def test_a_song_that_returns_has_more_structure(metric):
    seconds = {structureness_short: 6, structureness_mid: 12, structureness_long: 20}[metric]
    assert metric(song("ABABAB", seconds)).value > metric(song("ABCDEF", seconds)).value + 0.1


def test_structureness_names_its_segment():
    found = structureness_mid(song("ABA", 12))
    assert 8 <= found.detail["end"] - found.detail["start"] < 15


def test_structureness_needs_time():
    assert structureness_long(song("A", 20)) == Undefined("shorter than two segments of 15 seconds")
    assert isinstance(structureness_short(make_piece(onset=[], end=[], pitch=[])), Undefined)


def test_structureness_of_very_long_pieces_is_undefined_where_frames_get_too_long():
    hours = make_piece(onset=[0, 34_000_000], end=[480, 34_000_480], pitch=[60, 62])
    assert structureness_short(hours) == Undefined("too long: of 96 frames none is under 8 seconds")
    assert 0 <= structureness_long(hours).value <= 1


def bars(*content):
    """One bar of quarters for each tuple of pitches."""
    notes = [(1920 * i + 480 * j, p) for i, bar in enumerate(content) for j, p in enumerate(bar)]
    return make_piece(
        onset=[t for t, _ in notes], end=[t + 480 for t, _ in notes], pitch=[p for _, p in notes]
    )


def test_self_repetition_counts_bars_heard_before():
    piece = bars((60, 62), (64,), (), (60, 62), (64, 65), (64,))
    assert self_repetition(piece) == pytest.approx(2 / 5)
    assert self_repetition(bars((60,))) == Undefined("fewer than 2 bars with onsets")


def test_lag_repetition_finds_the_period():
    found = lag_repetition(bars(*[(60,), (62,), (64,)] * 3), max_lag=8)
    assert found.value == 1
    assert found.detail["lag"] == 3
    assert found.detail["curve"] == [0, 0, 1, 0, 0, 1, 0, 0]


def brute_factors(tokens):
    count, i = 0, 0
    while i < len(tokens):
        best = 0
        for j in range(i):
            k = 0
            while i + k < len(tokens) and tokens[j + k] == tokens[i + k]:
                k += 1
            best = max(best, k)
        i += max(best, 1)
        count += 1
    return count


def test_factors_equal_brute_force():
    rng = np.random.default_rng(0)
    for kinds, n in itertools.product((1, 2, 3, 8), (0, 1, 2, 7, 40, 90)):
        tokens = rng.integers(0, kinds, n)
        assert n_factors(tokens) == brute_factors(tokens.tolist())


def test_compression_rewards_returns_and_ignores_transposition():
    rng = np.random.default_rng(0)
    theme = rng.integers(50, 70, 16).tolist()
    assert compression_ratio(bars(*[theme[:4], theme[4:8]] * 6)) > compression_ratio(
        bars(*rng.integers(50, 70, (12, 4)).tolist())
    )
    moved = [p + 5 for p in theme]
    assert compression_ratio(bars(*[moved[:4]] * 4)) == compression_ratio(bars(*[theme[:4]] * 4))


def test_novelty_is_foote_s_checkerboard():
    rng = np.random.default_rng(0)
    chroma, half = rng.random((12, 12)), 3
    unit = chroma / np.linalg.norm(chroma, axis=1, keepdims=True)
    similarity = unit @ unit.T
    sign = np.kron([[1, -1], [-1, 1]], np.ones((half, half))) / (2 * half**2)
    slow = [(similarity[i : i + 6, i : i + 6] * sign).sum() for i in range(7)]
    np.testing.assert_allclose(_novelty(chroma, half), slow, atol=1e-12)


def test_sections_of_a_piece_in_two_halves():
    found = mean_section_length(bars(*[(60, 64, 67)] * 8, *[(61, 66, 70)] * 8))
    assert found.value == 8
    assert found.detail["boundaries"] == [9]
    assert math.isclose(mean_section_length(bars(*[(60,)] * 8)).value, 8)
    assert mean_section_length(bars((60,))) == Undefined("fewer than 8 bars")
