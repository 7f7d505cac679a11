"""CLAP scores, ranks and divergences of classes by hand."""

from __future__ import annotations

import numpy as np
import pytest

from concours.metrics.clap import (
    clap_score,
    clip_vector,
    kl_generated_to_reference,
    kl_reference_to_generated,
)


def test_ranks_among_different_prompts() -> None:
    text = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0, 0, 1.0]])
    audio = np.array([[1.0, 0.1, 0], [1.0, 0.5, 0.7], [0, 0, 2.0], [0.1, 0.2, 0.3]])
    found = clap_score(audio, text)
    assert found.ranks.tolist() == [1, 3, 1, 1]
    assert found.recall(1) == 0.75
    assert found.recall(3) == 1.0
    expected = [a @ t / np.linalg.norm(a) for a, t in zip(audio, text, strict=True)]
    np.testing.assert_allclose(found.cosines, expected)
    assert clap_score(audio * 7, text * 3).value == pytest.approx(found.value)
    assert clap_score(audio, audio).value == pytest.approx(1.0)


def test_a_clips_vector_is_the_mean_of_its_windows() -> None:
    frames = np.random.default_rng(0).normal(size=(5, 8))
    whole = clip_vector(frames)
    assert np.linalg.norm(whole) == pytest.approx(1.0)
    np.testing.assert_allclose(clip_vector(frames[::-1]), whole)
    with pytest.raises(ValueError, match="no direction"):
        clip_vector(np.array([[1.0, 0.0], [-1.0, 0.0]]))


def test_the_two_directions_of_kl_differ() -> None:
    g, r = [[0.7, 0.2, 0.1]], [[0.2, 0.2, 0.6]]
    forward = 0.2 * np.log(0.2 / 0.7) + 0.6 * np.log(0.6 / 0.1)
    backward = 0.7 * np.log(0.7 / 0.2) + 0.1 * np.log(0.1 / 0.6)
    assert kl_reference_to_generated(g, r) == pytest.approx(forward)
    assert kl_generated_to_reference(g, r) == pytest.approx(backward)
    assert kl_reference_to_generated(r, r) == 0.0
    assert np.isfinite(kl_reference_to_generated([[1.0, 0, 0]], r))
    with pytest.raises(ValueError, match="sum to 1"):
        kl_reference_to_generated([[0.5, 0.1, 0.1]], r)


def test_one_prompt_a_clip() -> None:
    with pytest.raises(ValueError, match="one a clip"):
        clap_score(np.eye(3), np.eye(3)[:2])
