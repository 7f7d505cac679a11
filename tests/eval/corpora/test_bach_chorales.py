"""The chorale corpus: its splits, and the committed grouping against the installed files."""

import hashlib

import pytest

from concours.eval.corpora import CorpusError, bach_chorales, corpus_files
from concours.eval.load import load


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_group_lies_on_both_sides(seed):
    group_of = bach_chorales.groups()
    sides = [
        {group_of[p.name] for p in corpus_files("bach-chorales", split, seed)}
        for split in ("reference", "held-out")
    ]
    assert not sides[0] & sides[1]
    assert sides[0] | sides[1] == set(group_of.values())


def test_the_splits_share_out_the_corpus():
    everything = corpus_files("bach-chorales", "all")
    reference = corpus_files("bach-chorales", "reference")
    held_out = corpus_files("bach-chorales", "held-out")
    assert sorted(reference + held_out) == everything
    assert len(everything) == 364
    assert len(held_out) >= 50


def test_seed_and_limit_choose_the_files():
    assert corpus_files("bach-chorales", "held-out", 3) == corpus_files(
        "bach-chorales", "held-out", 3
    )
    assert corpus_files("bach-chorales", "held-out", 3) != corpus_files(
        "bach-chorales", "held-out", 4
    )
    few = corpus_files("bach-chorales", "held-out", 3, limit=50)
    assert len(few) == 50
    assert set(few) < set(corpus_files("bach-chorales", "held-out", 3))
    assert few == sorted(few)
    assert few[-1] > corpus_files("bach-chorales", "held-out", 3)[49]


def test_what_does_not_exist_is_told():
    with pytest.raises(CorpusError, match="no corpus is called 'bach'; there are: bach-chorales"):
        corpus_files("bach")
    with pytest.raises(CorpusError, match="no split is called 'test'"):
        corpus_files("bach-chorales", "test")
    with pytest.raises(CorpusError, match="at least 1"):
        corpus_files("bach-chorales", "all", limit=0)


def test_known_settings_of_one_tune_are_one_group():
    group_of = bach_chorales.groups()
    same = {
        "Herzlich tut mich verlangen": ["135.6", "153.5", "244.15", "244.54", "244.62", "270"],
        "Jesu, meine Freude": ["227.1", "227.11", "358", "64.8", "81.7", "87.7"],
        "Herzliebster Jesu": ["244.3", "244.46", "245.3"],
        "Wer nur den lieben Gott": ["434", "84.5", "88.7", "93.7", "166.6", "179.6", "197.10"],
    }
    for tune, works in same.items():
        assert len({group_of[f"bwv{w}.mxl"] for w in works}) == 1, tune
    tunes = [group_of[f"bwv{works[0]}.mxl"] for works in same.values()]
    assert len(set(tunes)) == len(same)


def test_the_files_are_those_the_table_was_made_from():
    for row in bach_chorales.table():
        content = (bach_chorales.folder() / row.file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row.sha256, row.file


@pytest.mark.slow
def test_the_committed_table_is_what_the_code_makes():
    assert bach_chorales.make_table(lambda path: load(path).piece) == bach_chorales.table()
