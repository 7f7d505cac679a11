"""Shared passages: hand-worked cases, and equality with a search that compares every pair."""

import io
from itertools import pairwise

import numpy as np
import pytest

from concours.metrics.originality.ngram import (
    NgramIndex,
    coverage_curve,
    longest_shared_passage,
    ngram_novelty,
    ngram_overlap,
)
from concours.metrics.originality.suffix import prefix_doubling, suffix_array
from concours.metrics.originality.tokens import VIEWS, tokenize, view_width
from concours.metrics.piece import Piece, make_piece
from concours.metrics.spec import Scored, Undefined


def melody(pitches, durations=None, *, start=0, tpq=4, track=0, **rest) -> Piece:
    durations = [tpq] * len(pitches) if durations is None else durations
    onset = start + np.concatenate([[0], np.cumsum(durations)[:-1]]).astype(int)
    end = onset + np.array(durations)
    return make_piece(
        onset=onset,
        end=end,
        pitch=pitches,
        track=[track] * len(pitches),
        ticks_per_quarter=tpq,
        **rest,
    )


def random_piece(rng, *, n=30, tracks=2, pitches=3, drums=False) -> Piece:
    onset = rng.integers(0, 40, n)
    return make_piece(
        onset=onset,
        end=onset + rng.integers(1, 5, n),
        pitch=60 + rng.integers(0, pitches, n),
        track=rng.integers(0, tracks, n),
        is_drum=(rng.random(n) < 0.2) if drums else None,
        ticks_per_quarter=2,
    )


def index_of(*pieces: Piece, view="interval-ratio") -> NgramIndex:
    names = [f"{i:02}.mid" for i in range(len(pieces))]
    return NgramIndex.build([tokenize(p, view=view) for p in pieces], names)


def lines(piece: Piece, how: str = "track") -> list[list[tuple]]:
    """(onset, pitch, pitch classes above it) of each line, the slow and obvious way."""
    found: dict[int, dict[int, list[int]]] = {}
    for i in range(piece.n_notes):
        if not piece.is_drum[i]:
            line = int(piece.track[i]) if how == "track" else 0
            starts = found.setdefault(line, {})
            starts.setdefault(int(piece.onset[i]), []).append(int(piece.pitch[i]))
    if how == "chords":
        chords = {t: (min(p), {(x - min(p)) % 12 for x in p} - {0}) for t, p in found[0].items()}
        return [[(t, low, above) for t, (low, above) in sorted(chords.items())]]
    return [[(t, max(p), set()) for t, p in sorted(starts.items())] for starts in found.values()]


def same(a, b, view) -> bool:
    """Whether two equally long passages of (onset, pitch) match under a view, from its meaning."""
    ioi = [[y[0] - x[0] for x, y in pairwise(p)] for p in (a, b)]
    step = [[y[1] - x[1] for x, y in pairwise(p)] for p in (a, b)]
    ratio = [[round(12 * np.log2(y / x)) for x, y in pairwise(p)] for p in ioi]
    if [x[2] for x in a] != [x[2] for x in b]:
        return False
    return {
        "absolute": [x[1] for x in a] == [x[1] for x in b] and ioi[0] == ioi[1],
        "interval-ioi": step[0] == step[1] and ioi[0] == ioi[1],
        "interval-ratio": step[0] == step[1] and ratio[0] == ratio[1],
        "interval-class-ratio": ratio[0] == ratio[1]
        and [s % 12 for s in step[0]] == [s % 12 for s in step[1]],
        "interval": step[0] == step[1],
    }[view.rpartition("/")[2]]


def covered_by_force(query: Piece, corpus: list[Piece], n: int, view: str) -> tuple[int, int]:
    how = view.rpartition("/")[0] or "track"
    passages = [v[i : i + n] for p in corpus for v in lines(p, how) for i in range(len(v) - n + 1)]
    possible = covered = 0
    for voice in lines(query, how):
        if len(voice) < n:
            continue
        possible += len(voice)
        hit = set()
        for i in range(len(voice) - n + 1):
            if any(same(voice[i : i + n], p, view) for p in passages):
                hit.update(range(i, i + n))
        covered += len(hit)
    return covered, possible


POLYPHONIC = ["melody/interval-ratio", "melody/absolute", "chords/interval", "chords/absolute"]


@pytest.mark.parametrize("view", [*VIEWS, *POLYPHONIC, "chords/interval-ratio"])
def test_every_n_equals_a_search_over_all_pairs(view):
    rng = np.random.default_rng(7)
    for trial in range(6):
        corpus = [random_piece(rng, drums=trial % 2 == 0) for _ in range(3)]
        query = random_piece(rng, drums=trial % 2 == 1)
        index = index_of(*corpus, view=view)
        longest = 0
        for n in range(view_width(view), 16):
            covered, possible = covered_by_force(query, corpus, n, view)
            result = ngram_overlap(query, index, n=n, view=view)
            if possible == 0:
                assert isinstance(result, Undefined)
                continue
            assert isinstance(result, Scored)
            assert (result.detail["notes_shared"], result.detail["notes_compared"]) == (
                covered,
                possible,
            )
            longest = n if covered else longest
        passage = longest_shared_passage(query, index, view=view)
        assert isinstance(passage, Scored)
        assert passage.value == longest


def test_a_piece_left_out_answers_as_if_it_were_not_in_the_corpus():
    rng = np.random.default_rng(3)
    corpus = [random_piece(rng) for _ in range(5)]
    index = index_of(*corpus)
    for i, piece in enumerate(corpus):
        others = index_of(*(p for j, p in enumerate(corpus) if j != i))
        without = index.excluding(f"{i:02}.mid")
        assert coverage_curve(tokenize(piece), without, range(3, 12)) == coverage_curve(
            tokenize(piece), others, range(3, 12)
        )
        assert coverage_curve(tokenize(piece), index, range(3, 12))[3] == 1.0


@pytest.mark.parametrize("view", VIEWS)
def test_a_corpus_queried_with_itself_is_covered_to_the_last_note(view):
    rng = np.random.default_rng(11)
    corpus = [random_piece(rng, n=60, tracks=3, pitches=12, drums=True) for _ in range(4)]
    index = index_of(*corpus, view=view)
    for i, piece in enumerate(corpus):
        curve = coverage_curve(tokenize(piece, view=view), index, range(view_width(view), 30))
        assert set(curve.values()) == {1.0}
        found = longest_shared_passage(piece, index, view=view)
        assert isinstance(found, Scored)
        assert found.value == max(len(v) for v in lines(piece))
        assert found.detail["source"] == f"{i:02}.mid"


THEME = ([60, 64, 62, 67, 65, 69, 71, 60], [4, 2, 2, 4, 8, 1, 1, 2])


@pytest.mark.parametrize(
    ("shift", "slower", "view"),
    [(0, 1, "absolute"), (5, 1, "interval-ioi"), (-7, 2, "interval-ratio"), (3, 3, "interval")],
)
def test_a_planted_passage_is_named_by_file_track_and_bars(shift, slower, view):
    # In 4/4 with 4 ticks a quarter a bar has 16 ticks. The source holds the theme from tick 32
    # (bar 3) to the onset at tick 54 (bar 4), in track 1.
    source = make_piece(
        onset=[0, 16, *(32 + np.concatenate([[0], np.cumsum(THEME[1])[:-1]])), 60],
        end=[8, 20, *(32 + np.cumsum(THEME[1])), 64],
        pitch=[40, 90, *THEME[0], 30],
        track=[1] * 11,
        ticks_per_quarter=4,
    )
    unrelated = melody([50, 51, 50, 52, 53, 50, 50])
    start = 64  # bar 5 of the query
    onset = start + np.concatenate([[0], np.cumsum(THEME[1])[:-1]]) * slower
    query = make_piece(
        onset=[0, 30, *onset, 200],
        end=[5, 31, *(start + np.cumsum(THEME[1]) * slower), 201],
        pitch=[100, 20, *(np.array(THEME[0]) + shift), 110],
        ticks_per_quarter=4,
    )
    found = longest_shared_passage(query, index_of(unrelated, source, view=view), view=view)
    assert isinstance(found, Scored)
    assert found.value == 8
    last_bar = 1 + (start + 22 * slower) // 16
    assert found.detail == {
        "source": "01.mid",
        "track": 0,
        "source_track": 1,
        "bars": [5, last_bar],
        "source_bars": [3, 4],
        "beats": [1.0, 1.0 + (22 * slower % 16) / 4],
        "source_beats": [1.0, 2.5],
        "transposition": shift,
        "tempo_factor": round(1 / slower, 4),
        "length": 8,
        "n_places": 1,
    }


def test_the_melody_is_the_track_that_is_named_so_or_the_skyline():
    tune = [60, 64, 62, 67, 65]
    columns = {"onset": [*range(5)] * 2, "end": [*range(1, 6)] * 2, "track": [0] * 5 + [1] * 5}
    pitch = [p + 24 for p in [1, 1, 1, 2, 2]] + tune
    named = make_piece(**columns, pitch=pitch, track_names=("Piano", "MELODY"))
    below = make_piece(**columns, pitch=[p + 60 for p in pitch[:5]] + tune)
    assert tokenize(named, view="melody/interval").pitch.tolist() == tune
    assert tokenize(below, view="melody/interval").pitch.tolist() == [p + 60 for p in pitch[:5]]


def test_chords_match_in_any_key_and_not_with_another_note():
    triads = [[60, 64, 67], [65, 69, 72], [67, 71, 74], [60, 64, 67]]

    def chords(voicings, shift=0):
        rows = [(t, p + shift) for t, chord in enumerate(voicings) for p in chord]
        onset, pitch = zip(*rows, strict=True)
        return make_piece(onset=onset, end=[t + 1 for t in onset], pitch=pitch)

    index = index_of(chords(triads), view="chords/interval-ratio")
    other = [triads[0], triads[1], [67, 70, 74], triads[3]]
    found = [
        longest_shared_passage(p, index, view="chords/interval-ratio")
        for p in (chords(triads, 5), chords(other))
    ]
    assert [r.value for r in found] == [4, 0]  # type: ignore[union-attr]


def test_octave_shifts_survive_in_the_interval_class_view_only():
    theme = melody(*THEME)
    scattered = melody([p + 12 * (i % 3) for i, p in enumerate(THEME[0])], THEME[1])
    found = {}
    for view in VIEWS:
        result = longest_shared_passage(scattered, index_of(theme, view=view), view=view)
        assert isinstance(result, Scored)
        found[view] = result.value
    assert found["interval-class-ratio"] == 8
    assert max(v for k, v in found.items() if k != "interval-class-ratio") < 4


def test_an_upbeat_is_bar_0():
    piece = melody([60, 62, 64, 65, 67], bar_edges=[0, 4, 20])
    found = longest_shared_passage(piece, index_of(piece))
    assert isinstance(found, Scored)
    assert found.detail["bars"] == [0, 1]


def test_a_passage_never_runs_across_two_voices_or_two_pieces():
    a, b = melody([60, 62, 64, 65]), melody([67, 60, 61, 63])
    joined = melody([60, 62, 64, 65, 67, 60, 61, 63])
    found = longest_shared_passage(joined, index_of(a, b))
    assert isinstance(found, Scored)
    assert found.value == 4


def test_nothing_shared_is_0():
    result = longest_shared_passage(melody([60, 61, 62]), index_of(melody([60, 67, 60])))
    assert result == Scored(0.0, {"length": 0})
    overlap = ngram_overlap(melody([60, 61, 62]), index_of(melody([60, 67, 60])), n=3)
    assert isinstance(overlap, Scored)
    assert overlap.value == 0.0


@pytest.mark.parametrize(
    "piece",
    [
        make_piece(onset=[], end=[], pitch=[]),
        melody([60]),
        melody([60, 62]),
        melody([36] * 20, is_drum=[True] * 20),
        make_piece(onset=[0] * 12, end=[4] * 12, pitch=range(60, 72)),
    ],
    ids=["empty", "one note", "two notes", "drums", "one chord"],
)
def test_without_a_passage_to_compare_both_are_undefined(piece):
    index = index_of(melody(*THEME), piece)
    assert ngram_overlap(piece, index, n=3) == Undefined("no voice has 3 notes")
    assert longest_shared_passage(piece, index) == Undefined("no voice has 3 notes")


def test_a_corpus_of_empty_pieces_shares_nothing():
    index = index_of(make_piece(onset=[], end=[], pitch=[]))
    result = longest_shared_passage(melody(*THEME), index)
    assert isinstance(result, Scored)
    assert result.value == 0


def test_the_index_goes_to_a_file_and_back():
    rng = np.random.default_rng(5)
    corpus = [random_piece(rng) for _ in range(4)]
    index, query = index_of(*corpus), random_piece(rng)
    buffer = io.BytesIO()
    np.savez(buffer, **index.to_arrays())
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as arrays:
        again = NgramIndex.from_arrays(arrays)
    assert longest_shared_passage(query, again) == longest_shared_passage(query, index)
    cut = {**index.to_arrays(), "text": index.text[:-1]}
    with pytest.raises(ValueError, match="cut short"):
        NgramIndex.from_arrays(cut)
    with pytest.raises(ValueError, match="suffixes missing"):
        NgramIndex.from_arrays({k: v for k, v in index.to_arrays().items() if k != "suffixes"})
    with pytest.raises(ValueError, match="format 99"):
        NgramIndex.from_arrays({**index.to_arrays(), "format": np.array(99)})


def test_both_ways_to_build_a_suffix_array_agree():
    pytest.importorskip("pydivsufsort")
    rng = np.random.default_rng(2)
    for size, kinds in [(0, 2), (1, 2), (2, 2), (500, 2), (500, 300), (3000, 100_000)]:
        text = rng.integers(0, kinds, size).astype(np.int32)
        assert np.array_equal(suffix_array(text), prefix_doubling(text))


def test_the_order_in_which_a_corpus_is_given_does_not_show():
    rng = np.random.default_rng(9)
    tokens = [tokenize(random_piece(rng)) for _ in range(5)]
    names = [f"{i}.mid" for i in range(5)]
    one, other = NgramIndex.build(tokens, names), NgramIndex.build(tokens[::-1], names[::-1])
    for key, array in one.to_arrays().items():
        assert np.array_equal(array, other.to_arrays()[key])


def test_misuse_is_told():
    piece = melody(*THEME)
    index = index_of(piece)
    with pytest.raises(ValueError, match="no view is called 'contour'"):
        tokenize(piece, view="contour")
    with pytest.raises(ValueError, match="build an index of that view"):
        ngram_overlap(piece, index, view="interval")
    with pytest.raises(ValueError, match="3 notes or more"):
        ngram_overlap(piece, index, n=2)
    with pytest.raises(ValueError, match=r"no piece called 'x\.mid'"):
        index.excluding("x.mid")
    with pytest.raises(ValueError, match=r"two pieces of the index are called 'a\.mid'"):
        NgramIndex.build([tokenize(piece)] * 2, ["a.mid"] * 2)
    with pytest.raises(ValueError, match="at least one piece"):
        NgramIndex.build([], [])


@pytest.mark.parametrize("view", ["interval-ratio", "interval-class-ratio", "interval"])
def test_neither_key_nor_tempo_nor_resolution_nor_order_of_tracks_shows(view):
    rng = np.random.default_rng(21)
    corpus, query = [random_piece(rng) for _ in range(3)], random_piece(rng)
    index = index_of(*corpus, view=view)
    columns = {"onset": query.onset, "end": query.end, "pitch": query.pitch, "track": query.track}
    changes = [
        {"pitch": query.pitch + 5},
        {"onset": query.onset * 3, "end": query.end * 3},
        {"onset": query.onset * 5, "end": query.end * 5, "ticks_per_quarter": 10},
        {"track": 1 - query.track},
        {"tempos": [(0, 90.0), (7, 33.0)]},
    ]
    want = ngram_overlap(query, index, n=4, view=view)
    for change in changes:
        changed = make_piece(**{**columns, "ticks_per_quarter": 2, **change})
        assert ngram_overlap(changed, index, n=4, view=view) == want


def test_novelty_counts_the_passages_that_the_corpus_lacks():
    rng = np.random.default_rng(77)
    corpus, query = [random_piece(rng) for _ in range(4)], random_piece(rng)
    index = index_of(*corpus)
    for n in (3, 4, 5, 6):
        known = [p[i : i + n] for c in corpus for p in lines(c) for i in range(len(p) - n + 1)]
        own = [p[i : i + n] for p in lines(query) for i in range(len(p) - n + 1)]
        new = [not any(same(a, b, "interval-ratio") for b in known) for a in own]
        found = ngram_novelty(query, index, n=n)
        assert isinstance(found, Scored)
        assert found.value == pytest.approx(np.mean(new))
        assert index.holds(tokenize(query), n).sum() == len(own) - sum(new)
        if n >= 4:
            overlap = ngram_overlap(query, index, n=n)
            assert isinstance(overlap, Scored)
            assert overlap.detail["curve"][str(n)] == overlap.value
            assert found.detail["curve"][str(n)] == found.value
    assert ngram_novelty(melody([60, 62]), index, n=3) == Undefined("no voice has 3 notes")
    with pytest.raises(ValueError, match="3 notes or more"):
        ngram_novelty(query, index, n=2)
