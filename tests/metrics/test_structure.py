"""Fitness against a direct reading of its definition; repetition and compression by hand."""

import itertools
import math

import numpy as np
import pytest

from concours.metrics.factors import chained_factors, n_factors
from concours.metrics.fitness import best_fitness, fitness
from concours.metrics.piece import make_piece
from concours.metrics.similarity import PENALTY, STEPS, self_similarity, similar, thresholded
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
    """The definition, cell by cell: of all path families the largest (score, fewest cells, most
    frames covered), in exact numbers."""
    n = len(matrix)
    best = {(0, 0): (0, 0, 0), (0, 1): (int(matrix[0, start]), -1, 1)}
    for i in range(1, n):
        best[i, 0] = max(best[c] for c in ((i - 1, 0), (i - 1, length)) if c in best)
        for m in range(1, length + 1):
            frames = {(i - 1, m - 1): 1, (i - 2, m - 1): 2, (i - 1, m - 2): 1}
            if m == 1:
                frames = {(i, 0): 1}
            if m == 2:
                del frames[i - 1, 0]
            gain = int(matrix[i, start + m - 1])
            families = [
                (best[c][0] + gain, best[c][1] - 1, best[c][2] + covered)
                for c, covered in frames.items()
                if c in best
            ]
            if families:
                best[i, m] = max(families)
    score, cells, covered = max(best[c] for c in ((n - 1, 0), (n - 1, length)) if c in best)
    gain, spread = score / STEPS - length, (covered - length) / n
    if gain <= 0 or spread <= 0:
        return 0.0
    return 2 * gain / -cells * spread / (gain / -cells + spread)


def returning(seed, n, shifts):
    """A self-similarity matrix of frames whose second half is much like the first."""
    rng = np.random.default_rng(seed)
    frames = rng.random((n, 12))
    frames[n // 2 :] = frames[: n - n // 2] + 0.1 * rng.random((n - n // 2, 12))
    return thresholded(self_similarity(frames, shifts=shifts), keep=0.3)


@pytest.mark.parametrize("seed", range(8))
def test_fitness_is_its_definition(seed):
    n = int(np.random.default_rng(seed).integers(6, 18))
    matrix = returning(seed, n, shifts=bool(seed % 2))
    table = {(s, m): slow_fitness(matrix, s, m) for m in range(1, n) for s in range(n - m + 1)}
    for (s, m), expected in table.items():
        assert fitness(matrix, s, m) == pytest.approx(expected, abs=1e-12)
    assert best_fitness(matrix, 1, n - 1)[0] == pytest.approx(max(table.values()), abs=1e-12)


# about the most that 32 bits hold: 63 frames at any length, 126 at up to 42, then 64 bits
@pytest.mark.parametrize("n", [63, 64, 126, 127])
def test_fitness_of_many_frames(n):
    matrix = returning(3, n, shifts=False)
    for start, length in ((0, 30), (17, 42), (15, 43), (2, n - 4), (50, 5)):
        expected = slow_fitness(matrix, start, length)
        assert fitness(matrix, start, length) == pytest.approx(expected, abs=1e-12)
    for shortest, longest in ((25, 42), (25, 48)):
        value, start, length = best_fitness(matrix, shortest, longest)
        assert value == pytest.approx(slow_fitness(matrix, start, length), abs=1e-12)
        assert value > 0.4


@pytest.mark.parametrize(("n", "longest"), [(63, 63), (126, 42), (126, 126)])
def test_fitness_where_nothing_and_where_everything_is_alike(n, longest):
    everything = np.full((n, n), STEPS, np.int32)
    nothing = np.where(np.eye(n, dtype=bool), STEPS, PENALTY).astype(np.int32)
    assert best_fitness(nothing, 1, longest) == (0, 0, 0)
    value, start, length = best_fitness(everything, 2, longest)
    assert value == pytest.approx(slow_fitness(everything, start, length), abs=1e-12)
    assert value > 0.96
    for length in (2, longest - 1):
        expected = slow_fitness(everything, 1, length)
        assert fitness(everything, 1, length) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("silence", [0.0, 1.0])
def test_frames_that_are_all_alike_are_all_similar(silence):
    assert (similar(np.full((5, 12), silence), 1, keep=0.15) == STEPS).all()


def test_equal_and_transposed_frames_are_alike_to_the_last_bit():
    frames = np.random.default_rng(0).random((40, 12)) ** 4
    turned = np.array([np.roll(f, k % 12) for k, f in enumerate(frames)])
    found = self_similarity(np.concatenate([frames, 3 * turned]))
    assert (np.diagonal(found[:40, 40:]) == 1).all()
    assert (found == found.T).all()
    unit = frames / np.linalg.norm(frames, axis=1, keepdims=True)
    cosines = self_similarity(frames, shifts=False)
    assert cosines == pytest.approx(unit @ unit.T, abs=1e-3)


def test_threshold_keeps_the_highest_share():
    rng = np.random.default_rng(0)
    raw = rng.random((20, 20))
    raw = np.maximum(raw, raw.T)
    matrix = thresholded(raw, keep=0.25)
    off = ~np.eye(20, dtype=bool)
    kept = (matrix >= 0) & off
    assert raw[kept].min() >= np.quantile(raw, 0.74)
    assert (matrix[~kept & off] == PENALTY).all()
    assert matrix.max() == STEPS


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


def test_factors_where_one_token_recurs_all_the_time():
    """Chains of its places get too long to follow; each run is the one before it and one more."""
    tokens = np.array([t for run in range(600) for t in [0] * run + [1]])
    assert chained_factors(tokens) == -1
    assert n_factors(tokens) == 601


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
    chroma, half = rng.integers(1, 1000, (12, 12)), 3
    unit = chroma / np.linalg.norm(chroma, axis=1, keepdims=True)
    similarity = unit @ unit.T
    sign = np.kron([[1, -1], [-1, 1]], np.ones((half, half))) / (2 * half**2)
    slow = [(similarity[i : i + 6, i : i + 6] * sign).sum() for i in range(7)]
    np.testing.assert_allclose(_novelty(chroma, half, 1.0)[0], slow, atol=1e-12)


def test_sections_of_a_piece_in_two_halves():
    found = mean_section_length(bars(*[(60, 64, 67)] * 8, *[(61, 66, 70)] * 8))
    assert found.value == 8
    assert found.detail["boundaries"] == [9]
    assert math.isclose(mean_section_length(bars(*[(60,)] * 8)).value, 8)
    assert mean_section_length(bars((60,))) == Undefined("fewer than 8 bars")
