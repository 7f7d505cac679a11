"""The chord recogniser against brute force, against music21, and under transposition."""

import itertools
import warnings

import numpy as np
import pytest

from concours.metrics import chords as rules
from concours.metrics.chords import TONES, chords_of
from concours.metrics.chroma import chroma_spans, lowest_pitch
from concours.metrics.keys import PROFILES, find_key, key_of
from concours.metrics.piece import make_piece


def test_labels_a_cadence(block_chords):
    cadence = block_chords([(48, 64, 67), (53, 65, 69), (43, 62, 71), (48, 60, 64)])
    chords = chords_of(cadence)
    assert [chords.label(i) for i in range(4)] == ["C:maj", "F:maj", "G:maj", "C:maj"]


def test_sevenths_and_suspensions_need_their_vocabulary(block_chords):
    piece = block_chords([(43, 62, 65, 71), (48, 65, 67, 72)])
    assert chords_of(piece, "beat", "triads").label(0) == "G:maj"
    assert chords_of(piece, "beat", "sevenths").label(0) == "G:7"
    assert chords_of(piece, "beat", "all").label(1) == "C:sus4"


def fit(sounding, bass, root, quality):
    tones = {(root + t) % 12 for t in TONES[quality]}
    share = sum(sounding[pc] for pc in tones) / sounding.sum()
    missing = sum(sounding[pc] == 0 for pc in tones) / len(tones)
    return (
        2 * share
        - 1
        - rules.MISSING * missing
        - rules.SIZE * (len(tones) - 3)
        + rules.BASS * (bass % 12 == root)
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_sequence_of_chords_beats_the_one_found(block_chords, seed):
    chance = np.random.default_rng(seed)
    piece = block_chords([tuple(chance.choice(24, 4, replace=False) + 48) for _ in range(4)])
    names = rules.VOCABULARIES["triads"]
    chords = chords_of(piece)
    spans = list(
        zip(
            chroma_spans(piece, piece.beat_edges),
            lowest_pitch(piece, piece.beat_edges),
            strict=True,
        )
    )
    states = list(itertools.product(range(12), names))
    fits = [np.array([fit(row, bass, r, q) for r, q in states]) for row, bass in spans]
    differs = 1.0 - np.eye(len(states))
    best = fits[0]
    for later in fits[1:]:
        best = (best[:, None] - rules.CHANGE * differs).max(axis=0) + later
    found = [(int(r), names[q]) for r, q in zip(chords.root, chords.quality, strict=True)]
    score = sum(fit(*span, *state) for span, state in zip(spans, found, strict=True))
    score -= rules.CHANGE * sum(a != b for a, b in itertools.pairwise(found))
    assert score == pytest.approx(best.max())


@pytest.mark.parametrize("seed", range(4))
def test_a_transposed_piece_gets_the_transposed_chords(random_piece, seed):
    home = chords_of(random_piece(seed))
    for up in range(1, 12):
        moved = chords_of(random_piece(seed, up=up))
        sounding = home.root >= 0
        assert ((moved.root - home.root - up) % 12)[sounding].sum() == 0
        np.testing.assert_array_equal(moved.quality, home.quality)


def test_agrees_with_music21_on_the_roots_of_chorales(chorales):
    """Over the time in which music21 hears a triad or a seventh chord."""
    same = heard = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for score, piece in chorales:
            chords = chords_of(piece, "beat", "sevenths")
            for sonority in score.chordify().flatten().getElementsByClass("Chord"):
                if not (sonority.isTriad() or sonority.isSeventh()):
                    continue
                start = round(float(sonority.offset) * 480)
                length = float(sonority.quarterLength)
                span = np.searchsorted(chords.edges, start, side="right") - 1
                heard += length
                same += length * (chords.root[span] == sonority.root().pitchClass)
    assert same / heard > 0.8


def test_spans_share_a_note_by_time():
    piece = make_piece(onset=[100], end=[3000], pitch=[61])
    spans = chroma_spans(piece, np.arange(0, 4000, 480))
    assert spans[:, 1].tolist() == [380, 480, 480, 480, 480, 480, 120, 0]
    assert spans.sum() == 2900


def test_spans_equal_a_dense_roll(random_piece):
    piece = random_piece(3, ticks_per_quarter=24)
    edges = np.array([0, 7, 30, 31, 100, 500])
    roll = np.zeros((1000, 12), np.int64)
    low = np.full(1000, 999)
    for a, b, p in zip(piece.onset, piece.end, piece.pitch, strict=True):
        roll[a:b, p % 12] += 1
        low[a:b] = np.minimum(low[a:b], p)
    dense = [roll[a:b].sum(axis=0) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(chroma_spans(piece, edges), dense)
    lowest = [low[a:b].min() for a, b in itertools.pairwise(edges)]
    assert lowest_pitch(piece, edges).tolist() == [-1 if p == 999 else p for p in lowest]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("krumhansl-kessler", "KrumhanslKessler"),
        ("temperley", "TemperleyKostkaPayne"),
        ("bellman-budge", "BellmanBudge"),
        ("aarden-essen", "AardenEssen"),
    ],
)
def test_key_profiles_find_the_same_keys_as_music21(chorales, ours, theirs):
    from music21.analysis import discrete

    for score, piece in chorales[:4]:
        theirs_found = getattr(discrete, theirs)().getSolution(score)
        key = key_of(piece, ours)
        assert key.tonic == theirs_found.tonic.pitchClass
        assert key.minor == (theirs_found.mode == "minor")
        assert key.correlation == pytest.approx(theirs_found.correlationCoefficient, abs=1e-6)


def test_a_key_is_the_best_correlation_of_numpy():
    rng = np.random.default_rng(1)
    for _ in range(20):
        weights = rng.integers(0, 50, 12)
        profiles = np.array(PROFILES["krumhansl-kessler"])
        table = [
            (np.corrcoef(np.roll(profiles[m], t), weights)[0, 1], t, bool(m))
            for m in range(2)
            for t in range(12)
        ]
        table.sort(reverse=True)
        key = find_key(weights)
        assert (key.tonic, key.minor) == table[0][1:]
        assert key.correlation == pytest.approx(table[0][0])
        assert key.margin == pytest.approx(table[0][0] - table[1][0])
