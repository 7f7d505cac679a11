"""The ladder and the cards: what is planted in the degradations is what the cards say."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from concours.eval.cli import cli
from concours.eval.stats.ratings import Strings
from concours.eval.store import open_store, runs
from concours.eval.store.trust import read_cards
from concours.eval.trust.cards import TrustCard, separation, set_stability, stability
from concours.eval.trust.climbing import (
    SOUND,
    Step,
    climb,
    climbed_as_pair,
    climbed_as_set,
    degrade,
    gap,
)
from concours.eval.trust.ladder import (
    DEGRADATIONS,
    bar_scramble,
    note_shuffle,
    pitch_noise,
    time_jitter,
    transposition,
)
from concours.eval.trust.sound_ladder import SOUND_DEGRADATIONS, ignores_gain, quieter
from concours.metrics.clip import Clip, make_clip
from concours.metrics.piece import Piece, make_piece
from concours.metrics.registry import request
from concours.metrics.spec import Undefined


def scale_tune(seed: int) -> Piece:
    """Four-bar tunes in C major on a strict eighth grid: in key, in time."""
    rng = np.random.default_rng(seed)
    n = 48
    degrees = np.clip(np.cumsum(rng.integers(-2, 3, n)) + 7, 0, 13)
    pitch = np.array([60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83])[degrees]
    onset = np.arange(n) * 240
    return make_piece(onset=onset, end=onset + 240, pitch=pitch)


PIECES = [scale_tune(k) for k in range(24)]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("degrade", [*DEGRADATIONS.values(), transposition])
def test_strength_0_changes_nothing_and_1_keeps_the_notes(degrade) -> None:
    piece = PIECES[0]
    same = degrade(piece, 0.0, rng())
    for column in ("onset", "end", "pitch"):
        assert getattr(same, column).tolist() == getattr(piece, column).tolist()
    worse = degrade(piece, 1.0, rng())
    assert worse.n_notes == piece.n_notes
    assert (
        worse.pitch.tolist() != piece.pitch.tolist() or worse.onset.tolist() != piece.onset.tolist()
    )


def test_each_degradation_touches_what_its_name_says() -> None:
    piece = PIECES[1]
    shuffled = note_shuffle(piece, 1.0, rng())
    assert sorted(shuffled.pitch.tolist()) == sorted(piece.pitch.tolist())
    assert shuffled.onset.tolist() == piece.onset.tolist()
    noisy = pitch_noise(piece, 0.5, rng())
    assert np.sum(noisy.pitch != piece.pitch) == piece.n_notes // 2
    late = time_jitter(piece, 1.0, rng())
    assert sorted(late.pitch.tolist()) == sorted(piece.pitch.tolist())
    assert late.onset.min() >= 0
    moved = bar_scramble(piece, 1.0, rng())
    assert sorted(moved.pitch.tolist()) == sorted(piece.pitch.tolist())
    assert set((moved.onset % 240).tolist()) == {0}


@pytest.mark.parametrize("degrade", [*DEGRADATIONS.values(), transposition])
def test_stated_bar_lines_stay(degrade) -> None:
    pickup = make_piece(
        onset=np.arange(18) * 240, end=np.arange(18) * 240 + 240, pitch=60 + np.arange(18) % 5,
        bar_edges=[0, 480, 2400, 4320],
    )  # fmt: skip
    for level in (0.0, 0.5, 1.0):
        assert degrade(pickup, level, rng()).bar_edges.tolist() == [0, 480, 2400, 4320]


def test_drums_keep_their_instruments() -> None:
    drums = make_piece(onset=[0, 240], end=[240, 480], pitch=[36, 60], is_drum=[True, False])
    for change in (note_shuffle, pitch_noise, transposition):
        assert 36 in change(drums, 1.0, rng()).pitch.tolist()


def test_a_key_metric_climbs_pitch_noise_and_is_blind_to_time() -> None:
    ladder, moved = climb([request("pitch_class_entropy")], PIECES)["pitch_class_entropy"]
    answers = {s.degradation: s.answer for s in ladder}
    assert answers["pitch noise"] == "orders"
    assert answers["time jitter"] == answers["note shuffle"] == "blind"
    assert moved == 0


def test_a_metric_with_one_value_on_the_reference_is_not_tested() -> None:
    ladder, _ = climb([request("scale_consistency")], PIECES)["scale_consistency"]
    assert "one value on all reference pieces" in ladder.reason


def test_a_metric_of_pairs_climbs_away_from_the_original() -> None:
    asked = [request(name) for name in ("note_f1", "density_error", "duration_overlap")]
    degraded = degrade(asked, PIECES)
    notes, density, durations = (climbed_as_pair(degraded, a, 0).ladder for a in asked)
    assert {s.degradation: s.answer for s in notes} == {
        "note shuffle": "orders", "pitch noise": "orders", "time jitter": "orders",
        "bar scramble": "orders",
    }  # fmt: skip
    assert all(s.gaps[0] == -1 for s in notes)  # nothing differs from itself
    for never in (density, durations):  # no degradation adds a note or changes a length
        answers = {s.degradation: s.answer for s in never}
        assert answers["pitch noise"] == answers["note shuffle"] == "blind"


def test_gap_by_hand() -> None:
    assert gap(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == pytest.approx(2 / np.sqrt(0.5))


def test_clear_systems_are_stable_and_separated_and_equal_ones_are_not() -> None:
    noise = np.random.default_rng(3)
    far = {f"s{k}": noise.normal(5 * k, 1, 40) for k in range(4)}
    near = {f"s{k}": noise.normal(0, 1, 40) for k in range(4)}
    reference = noise.normal(0, 1, 100)

    def named(systems: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, Strings]]:
        return {k: (v, np.char.add(k, np.arange(40).astype(str))) for k, v in systems.items()}

    assert stability(far, reference) == 1
    assert stability(near, reference) < 0.5
    assert separation(named(far)) == (6, 6)
    equal = [{f"s{k}": noise.normal(0, 1, 40) for k in range(4)} for _ in range(100)]
    assert np.mean([separation(named(e))[0] > 0 for e in equal]) < 0.12
    assert isinstance(stability({"a": noise.normal(size=9)}, reference), Undefined)


def chord(seed: int) -> Clip:
    """Two seconds of three decaying harmonic tones, louder or softer."""
    rng = np.random.default_rng(seed)
    t = np.arange(16000) / 8000
    tones = 220 * 2 ** (rng.choice(12, 3, replace=False) / 12)
    wave = sum(
        np.sin(2 * np.pi * f * k * t) / k for f in tones for k in range(1, 12) if f * k < 3900
    )
    return make_clip((0.05 + 0.05 * rng.random()) * wave * np.exp(-t), 8000)


CLIPS = [chord(k) for k in range(16)]


@pytest.mark.parametrize("degrade", [*SOUND_DEGRADATIONS.values(), quieter])
def test_sound_at_strength_0_stays_and_at_1_changes_but_keeps_its_form(degrade) -> None:
    clip = CLIPS[0]
    same = degrade(clip, 0.0, rng())
    assert np.array_equal(same.samples, clip.samples)
    worse = degrade(clip, 1.0, np.random.default_rng(1))
    assert worse.samples.shape == clip.samples.shape
    assert worse.sample_rate == clip.sample_rate
    assert not np.array_equal(worse.samples, clip.samples)


def test_each_sound_degradation_touches_what_its_name_says() -> None:
    clip = CLIPS[1]
    x = clip.samples.astype(float)
    level = np.sqrt(np.mean(x**2))
    added = SOUND_DEGRADATIONS["noise"](clip, 0.5, rng()).samples - x
    assert np.sqrt(np.mean(added**2)) == pytest.approx(0.1 * level, rel=0.05)
    dull = np.abs(np.fft.rfft(SOUND_DEGRADATIONS["low-pass"](clip, 0.5, rng()).samples[:, 0]))
    assert dull[5000:].max() < 0.01 * dull.max()
    cut = SOUND_DEGRADATIONS["clipping"](clip, 1.0, rng()).samples
    assert np.mean(np.abs(cut) > 0.999 * np.abs(cut).max()) > 0.2
    mixed = SOUND_DEGRADATIONS["scramble"](clip, 1.0, np.random.default_rng(1)).samples
    assert np.array_equal(np.sort(mixed[:, 0]), np.sort(clip.samples[:, 0]))


def test_metrics_of_sound_climb_their_ladder_and_ignore_gain_where_they_must() -> None:
    asked = [request("effective_bandwidth"), request("integrated_loudness")]
    found = climb(asked, CLIPS, SOUND)
    bandwidth, loudness = found["effective_bandwidth"], found["integrated_loudness"]
    assert {s.degradation: s.answer for s in bandwidth.ladder}["low-pass"] == "orders"
    assert bandwidth.moved == 0
    assert loudness.moved == pytest.approx(6.02, abs=0.01)
    assert ignores_gain(asked[0].spec)
    assert not ignores_gain(asked[1].spec)


def test_a_metric_of_sets_climbs_by_itself() -> None:
    features = ["pitch_class_entropy", "pitch_range"]
    degraded = degrade([request(f) for f in features], PIECES)
    found = climbed_as_set(degraded, request("wasserstein_distance"), features, 0)
    answers = {s.degradation: s.answer for s in found.ladder}
    assert answers["pitch noise"] == "orders"
    assert answers["time jitter"] == "blind"
    # neither feature hears a transposition, so the distance doesn't either
    assert found.moved == pytest.approx(0, abs=1e-9)
    neither = climbed_as_set(degraded, request("vendi_score"), features, 0)
    assert isinstance(neither.ladder, Undefined)


def test_sets_whose_halves_agree_are_stable() -> None:
    noise = np.random.default_rng(5)
    clear = {s: (k + 0.1 * noise.normal(size=20)).tolist() for k, s in enumerate("abcd")}
    assert set_stability(clear) == 1
    assert abs(set_stability({s: noise.normal(size=40).tolist() for s in "abcd"})) < 0.5
    assert isinstance(set_stability({"a": [1.0], "b": [2.0]}), Undefined)


def card(
    answers: list[str], *, stable: float = 0.9, moved: float = 0.0, declared: bool = True
) -> TrustCard:
    steps = tuple(Step("pitch noise", a, (0.0, 1.0), 0.5) for a in answers)
    return TrustCard("m", steps, moved, declared, stable, (1, 1), None)


def test_verdicts() -> None:
    assert card(["orders", "blind"]).verdict == "trusted"
    assert card(["blind"]).verdict == "blind"
    assert card(["orders", "misled"]).verdict == "misled"
    assert card(["orders"], stable=0.2).verdict == "unstable"
    assert card(["orders"], moved=1.0).verdict == "broken"
    assert card(["orders"], moved=1.0, declared=False).verdict == "trusted"


def test_the_command_prints_a_card_for_each_metric(
    tmp_path: Path, more_music: Callable[[Path, range], Path]
) -> None:
    for name, seeds in (("corpus", range(10)), ("m", range(20, 26)), ("n", range(40, 46))):
        more_music(tmp_path / name, seeds)
    file = tmp_path / "b.yaml"
    file.write_text(
        "references: {corpus: {path: corpus}}\n"
        "systems: {m: {path: m}, n: {path: n}}\n"
        "benchmarks: {b: {reference: corpus, systems: [m, n],\n"
        "  metrics: [pitch_range, pitch_entropy], resamples: 100}}\n",
        encoding="utf-8",
    )
    run = CliRunner().invoke(cli, ["run", str(file), "--workers", "1", "--no-html", "--quiet"])
    assert run.exit_code == 0
    ratings = tmp_path / "r.csv"
    lines = [
        f"{k:03d},{s},{(k * 7) % 5 + 1}"
        for s, r in (("m", range(20, 26)), ("n", range(40, 46)))
        for k in r
    ]
    ratings.write_text("item,system,value\n" + "\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["trust", "b", "--config", str(file), "--items", "8", "--ratings", str(ratings)]
    cards = json.loads(CliRunner().invoke(cli, [*arguments, "--format", "json"]).stdout)
    assert [c["metric"] for c in cards] == ["pitch_range", "pitch_entropy"]
    with open_store(f"sqlite:///{tmp_path / 'concours.db'}") as store:
        run_id = runs.latest_run(store, "b")
        assert run_id is not None
        kept = read_cards(store, run_id)
    assert {k: c.verdict for k, c in kept.items()} == {c["metric"]: c["verdict"] for c in cards}
    assert all(len(c["ladder"]) == 4 for c in cards)
    assert all(c["listeners"] is not None for c in cards)
    assert "| pitch_entropy |" in CliRunner().invoke(cli, arguments).stdout
