"""The cardinality score: its documented example, spelling, windows, and a search over all pairs."""

from collections import Counter

import numpy as np
import pytest

from concours.metrics.originality.cardinality import (
    POINTS,
    PointCorpus,
    cardinality,
    cardinality_score,
    morphetic,
    originality,
    points,
    windows,
)
from concours.metrics.piece import make_piece
from concours.metrics.spec import Scored, Undefined

P = np.array([[1, 1], [1, 3], [1, 4], [2, 2], [3, 1], [4, 1], [4, 4]])
Q = np.array([[3, 4], [3, 6], [3, 7], [4, 2], [5, 4], [5, 5], [6, 7], [7, 1]])


def test_the_documented_example_gives_5_of_8():
    assert cardinality(P, Q) == (5 / 8, (2, 3))


def test_points_that_stand_twice_count_once():
    assert cardinality(np.concatenate([P, P]), Q) == cardinality(P, Q)


def test_it_equals_a_count_of_all_differences():
    rng = np.random.default_rng(1)
    for _ in range(20):
        p, q = (np.unique(rng.integers(0, 8, (rng.integers(1, 15), 2)), axis=0) for _ in range(2))
        most = Counter((int(b[0] - a[0]), int(b[1] - a[1])) for a in p for b in q).most_common(1)[
            0
        ][1]
        assert cardinality(p, q).score == most / max(len(p), len(q))


def test_a_shifted_set_scores_1_and_an_empty_one_0():
    assert cardinality(P, P + np.array([7, -2])) == (1.0, (7, -2))
    assert cardinality(P, np.empty((0, 2), int)).score == 0.0


@pytest.mark.parametrize(
    ("fifths", "pitch", "letter"),
    [
        (0, 60, 60),  # C4
        (0, 61, 60),  # C sharp
        (0, 63, 62),  # E flat
        (0, 66, 63),  # F sharp
        (0, 68, 65),  # A flat
        (0, 59, 59),  # B3
        (4, 63, 61),  # D sharp in E major
        (4, 60, 60),  # C natural in E major: nearer on the line of fifths than B sharp
        (5, 60, 59),  # B sharp in B major
        (-5, 61, 61),  # D flat in D flat major
        (-5, 66, 64),  # G flat in D flat major
        (-5, 59, 60),  # C flat in D flat major
        (0, 72, 67),  # C5
    ],
)
def test_pitches_are_spelt_in_the_key(fifths, pitch, letter):
    piece = make_piece(onset=[0], end=[1], pitch=[pitch], keys=[(0, fifths, False)])
    assert morphetic(piece).tolist() == [letter]


def test_points_are_24ths_of_a_quarter_without_drums():
    piece = make_piece(
        onset=[0, 120, 160, 480],
        end=[10, 130, 170, 490],
        pitch=[60, 62, 64, 36],
        is_drum=[False, False, False, True],
    )
    assert points(piece).tolist() == [[0, 60], [6, 61], [8, 62]]


def test_windows_are_16_quarters_every_8():
    line = np.stack([np.arange(40) * 24, np.full(40, 60)], axis=1)
    found = windows(line, 16, 8)
    assert [(w[0, 0] // 24, len(w)) for w in found] == [
        (0, 16),
        (8, 16),
        (16, 16),
        (24, 16),
        (32, 8),
    ]


def test_a_copy_has_no_originality_and_a_stranger_some():
    rng = np.random.default_rng(4)
    tunes = [
        make_piece(
            onset=np.arange(64) * 480,
            end=np.arange(1, 65) * 480,
            pitch=60 + rng.integers(0, 24, 64),
        )
        for _ in range(3)
    ]
    for window in [(16, 8), (8, 4)]:
        kept = dict(zip(("length", "hop"), window, strict=True))
        assert set(originality(tunes[0], tunes, **kept)) == {0.0}
        assert min(originality(tunes[0], tunes[1:], **kept)) > 0.3


@pytest.mark.parametrize("window", [16, 8])
def test_the_metric_equals_trying_all_pairs_of_windows(window):
    rng = np.random.default_rng(window)
    tunes = [
        make_piece(
            onset=np.sort(rng.integers(0, 40 * 480, 70) // 120 * 120),
            end=np.full(70, 41 * 480),
            pitch=60 + rng.integers(0, 20, 70),
        )
        for _ in range(4)
    ]
    corpus = POINTS.open(POINTS.fit([points(t) for t in tunes[1:]], ["b", "c", "d"], {}))

    def by_hand(others):
        known = [w for t in others for w in windows(points(t), window, window // 2)]
        own = [w for w in windows(points(tunes[0]), window, window // 2) if len(w) > 3]
        return float(np.mean([max(cardinality(w, k).score for k in known) for w in own]))

    found = cardinality_score(tunes[0], corpus, window=window)
    assert isinstance(found, Scored)
    assert found.value == pytest.approx(by_hand(tunes[1:]), abs=1e-12)
    without = cardinality_score(tunes[0], corpus.excluding("c"), window=window)
    assert isinstance(without, Scored)
    assert without.value == pytest.approx(by_hand([tunes[1], tunes[3]]), abs=1e-12)
    copied = cardinality_score(tunes[2], corpus, window=window)
    assert isinstance(copied, Scored)
    assert (copied.value, copied.detail["source"]) == (1.0, "c")


def test_the_metric_is_undefined_without_windows_or_reference():
    tune = make_piece(onset=range(5), end=range(1, 6), pitch=[60, 62, 64, 65, 67])
    corpus: PointCorpus = POINTS.open(POINTS.fit([points(tune)], ["a"], {}))
    short = make_piece(onset=[0, 1], end=[1, 2], pitch=[60, 62])
    assert isinstance(cardinality_score(short, corpus), Undefined)
    assert cardinality_score(tune, corpus.excluding("a")) == Undefined(
        "the reference has no other piece"
    )
