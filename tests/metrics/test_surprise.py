"""PPM against counting by hand, its probabilities, and the models that travel as arrays."""

import math
from typing import get_args

import numpy as np
import pytest

from concours.metrics.piece import make_piece
from concours.metrics.ppm import Ppm, train
from concours.metrics.spec import Undefined
from concours.metrics.surprise import SURPRISE, information_content
from concours.metrics.viewpoints import Viewpoint, events_of


def slow_chance(pieces, order, context, token):
    """The formula of the docstring with counts taken afresh for every context."""
    vocabulary = {int(t) for piece in pieces for t in piece}
    chance = 1 / (len(vocabulary) + 1)
    for k in range(min(order, len(context)) + 1):
        ending = list(context[len(context) - k :])
        after = [
            int(piece[i + k])
            for piece in pieces
            for i in range(len(piece) - k)
            if list(piece[i : i + k]) == ending
        ]
        if after:
            kinds = len(set(after))
            chance = (after.count(token) + kinds * chance) / (len(after) + kinds)
    return chance


@pytest.mark.parametrize("order", [0, 1, 3, 6])
def test_bits_follow_the_formula(order):
    rng = np.random.default_rng(order)
    pieces = [rng.integers(0, 4, n) for n in (30, 12, 1, 0, 5)]
    model = train(pieces, list("abcde"), order)
    query = np.array([0, 1, 2, 9, 3, 3, 0, 1, -5, 2, 2, 2])
    expected = [
        -math.log2(slow_chance(pieces, order, query[:i].tolist(), int(t)))
        for i, t in enumerate(query)
    ]
    np.testing.assert_allclose(model.bits(query), expected, atol=1e-12)


def test_probabilities_add_up_to_one_in_every_context():
    rng = np.random.default_rng(1)
    model = train([rng.integers(0, 5, 200)], ["a"], order=3)
    for context in ([], [0], [1, 2], [4, 4, 4], [0, 9, 1], [3, 2, 1, 0]):
        chances = [2 ** -model.bits(np.array([*context, t]))[-1] for t in (0, 1, 2, 3, 4, 99)]
        assert sum(chances) == pytest.approx(1)


def test_a_uniform_source_costs_log2_k():
    rng = np.random.default_rng(2)
    model = train([rng.integers(0, 8, 100_000)], ["a"], order=2)
    assert model.bits(rng.integers(0, 8, 5_000)).mean() == pytest.approx(3, abs=0.02)


def test_a_learned_pattern_costs_little():
    model = train([np.tile([1, 2, 3, 4], 50)], ["a"], order=3)
    assert model.bits(np.tile([1, 2, 3, 4], 5))[1:].max() < 0.1


def test_leaving_a_piece_out_is_never_having_read_it():
    rng = np.random.default_rng(3)
    pieces = [rng.integers(0, 3, 20) for _ in range(4)]
    whole = train(pieces, list("abcd"), order=3)
    rest = train([pieces[0], pieces[1], pieces[3]], list("abd"), order=3)
    np.testing.assert_allclose(whole.excluding("c").bits(pieces[2]), rest.bits(pieces[2]))
    assert whole.excluding("nobody") is whole


def test_the_order_of_the_reference_changes_nothing():
    rng = np.random.default_rng(4)
    pieces = [rng.integers(0, 3, 20) for _ in range(3)]
    one = train(pieces, list("abc"), order=2).to_arrays()
    other = train(pieces[::-1], list("cba"), order=2).to_arrays()
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_array_equal(one[key], other[key])


def test_a_model_survives_a_file(tmp_path):
    model = train([np.array([1, 2, 1, 2])], ["a"], order=2)
    np.savez(tmp_path / "model.npz", **model.to_arrays())
    with np.load(tmp_path / "model.npz") as arrays:
        again = Ppm.from_arrays({k: arrays[k] for k in arrays.files})
    query = np.array([1, 2, 2, 7])
    np.testing.assert_array_equal(again.bits(query), model.bits(query))


def tune(*pitches, lengths=None):
    lengths = [480] * len(pitches) if lengths is None else lengths
    end = np.cumsum(lengths)
    return make_piece(onset=end - lengths, end=end, pitch=pitches)


def test_viewpoints():
    piece = tune(60, 64, 64, 62, lengths=[480, 240, 240, 960])
    assert events_of(piece, "pitch").token.tolist() == [60, 64, 64, 62]
    assert events_of(piece, "interval").token.tolist() == [4, 0, -2]
    assert events_of(piece, "contour").token.tolist() == [1, 0, -1]
    assert events_of(piece, "duration").token.tolist() == [24, 12, 12, 48]
    assert events_of(piece, "ioi").token.tolist() == [24, 12, 12]
    linked = events_of(piece, "linked")
    assert len(set(linked.token.tolist())) == 3
    assert linked.tick.tolist() == [480, 720, 960]
    whole = events_of(piece, "pitch+duration")
    assert len(set(whole.token.tolist())) == 3  # the two 64s are equal in both
    assert whole.tick.tolist() == [0, 480, 720, 960]
    moved = events_of(tune(67, 71, 71, 69, lengths=[480, 240, 240, 960]), "interval+duration")
    assert moved.token.tolist() == events_of(piece, "interval+duration").token.tolist()
    assert len(set(events_of(piece, "contour+ioi").token.tolist())) == 3


@pytest.mark.parametrize("viewpoint", get_args(Viewpoint))
def test_the_reference_surprises_its_own_model_less(viewpoint):
    rng = np.random.default_rng(5)
    settings = {"viewpoint": viewpoint, "order": 3, "melody": "skyline"}
    theme = [60, 62, 64, 65, 67, 65, 64, 62]
    lengths = [480, 240, 240, 480, 240, 240, 960, 960]
    known = tune(*theme * 4, lengths=lengths * 4)
    strange = tune(*rng.integers(50, 75, 32).tolist(), lengths=rng.integers(1, 9, 32) * 120)
    arrays = SURPRISE.fit([SURPRISE.extract(known, settings)], ["known.mid"], settings)
    model = SURPRISE.open(arrays)
    at_home = information_content(known, model, **settings)
    abroad = information_content(strange, model, **settings)
    assert at_home.value < abroad.value
    assert len(at_home.detail["curve"]) == len(at_home.detail["tick"])


def test_undefined_and_mismatched():
    model = train([np.array([1, 2])], ["a"], order=4)
    assert information_content(tune(60), model) == Undefined("fewer than 2 notes in the melody")
    assert isinstance(information_content(make_piece(onset=[], end=[], pitch=[]), model), Undefined)
    nothing = train([np.empty(0, np.int64)], ["a"], order=4)
    assert information_content(tune(60, 62), nothing) == Undefined("the reference holds no melody")
    with pytest.raises(ValueError, match="order 4, not 2"):
        information_content(tune(60, 62), model, order=2)
