"""The profile of a piece: by hand on small ones, consistent with the metrics on all."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.cli import cli
from concours.metrics.entropy import entropy_of
from concours.metrics.piece import Piece, make_piece
from concours.metrics.pitch import pitch_class_entropy, pitch_entropy
from concours.metrics.profile import PARTS, profile_of
from concours.metrics.tension import cloud_diameter


def test_by_hand() -> None:
    tune = make_piece(
        onset=[0, 480, 960, 1920],
        end=[480, 960, 1920, 2400],
        pitch=[60, 64, 60, 67],
        program=[0, 0, 0, 40],
        track_names=["lead"],
    )
    p = profile_of(tune)
    assert p["pitch_histogram"]["count"][60] == 2
    assert p["pitch_histogram"]["duration"][60] == 3
    assert p["pitch_class_histogram"]["duration"][7] == 1
    assert p["interval_histogram"] == {"-4": 1, "4": 1, "7": 1}
    assert p["pitch_class_transitions"]["counts"][0][4] == 1
    assert p["pitch_class_transitions"]["counts"][0][7] == 1
    assert p["ioi_histogram"] == {"12": 2, "24": 1}
    assert p["duration_histogram"] == {"12": 3, "24": 1}
    assert p["notes_per_bar"]["curve"] == [3, 1]
    assert p["self_similarity"]["matrix"][0][1] == 0
    assert p["registers"]["voices"][0]["highest"] == 67
    assert p["instruments"] == {"0": 3, "40": 1}


def test_histograms_are_what_the_metrics_see(random_piece: Callable[..., Piece]) -> None:
    piece = random_piece(5)
    p = profile_of(piece)
    counts = np.array(p["pitch_histogram"]["count"])
    assert entropy_of(counts) == pytest.approx(pitch_entropy(piece))
    classes = np.array(p["pitch_class_histogram"]["count"])
    assert entropy_of(classes) == pytest.approx(pitch_class_entropy(piece))
    curve = p["tension"]["cloud_diameter"]["curve"]
    assert float(np.mean(curve)) == pytest.approx(cloud_diameter(piece).value)  # type: ignore[union-attr]
    matrix = np.array(p["self_similarity"]["matrix"])
    np.testing.assert_allclose(matrix, matrix.T)
    assert ((matrix.diagonal() == 1) | (matrix.diagonal() == 0)).all()


@pytest.mark.parametrize("notes", [0, 1])
def test_hardly_a_piece(notes: int) -> None:
    piece = make_piece(onset=[0] * notes, end=[0] * notes, pitch=[60] * notes)
    assert set(profile_of(piece)) == set(PARTS)
    json.dumps(profile_of(piece), allow_nan=False)


def test_a_long_piece_is_taken_in_wider_frames() -> None:
    at = np.arange(0, 400 * 1920, 1920)
    found = profile_of(make_piece(onset=at, end=at + 480, pitch=60 + at // 1920 % 12))
    assert found["self_similarity"]["bars_per_frame"] == 4
    assert len(found["self_similarity"]["matrix"]) == 100


def test_from_the_command_line(midi_paths: list[Path]) -> None:
    words = ["score", str(midi_paths[0]), "--metrics", "pitch_range", "--detail", "--quiet"]
    drawn = CliRunner().invoke(cli, words, catch_exceptions=False).stdout
    assert "pitch classes by duration" in drawn
    assert "repetition by lag" in drawn
    made = CliRunner().invoke(cli, [*words, "--format", "json"], catch_exceptions=False).stdout
    assert set(json.loads(made)["items"][0]["profile"]) == set(PARTS)
