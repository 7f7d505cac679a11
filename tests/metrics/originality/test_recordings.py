"""Landmarks, Qmax, neighbours and their nulls on sound made here: what they find, and where."""

import numpy as np
import pytest

from concours.metrics.clip import Clip, make_clip
from concours.metrics.originality.audio_originality import (
    ChromaModel,
    LandmarkModel,
    VectorModel,
    audio_reuse,
    cover_similarity,
    embedding_novelty,
)
from concours.metrics.originality.landmark_index import LandmarkIndex
from concours.metrics.originality.landmarks import (
    constellation,
    query_landmarks,
    reference_landmarks,
)
from concours.metrics.originality.neighbours import VectorIndex
from concours.metrics.originality.qmax import SECONDS_A_PROFILE, align, profiles
from concours.metrics.originality.sound_null import Null, gumbel_level, joined, recordings
from concours.metrics.spec import Undefined

RATE = 11_025


def clip(sound: np.ndarray) -> Clip:
    return make_clip(np.asarray(sound, np.float32), RATE)


def with_noise(sound: np.ndarray, db: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=len(sound))
    return sound + noise * np.sqrt((sound**2).mean()) * 10 ** (-db / 20)


@pytest.fixture(scope="module")
def tunes(tune) -> list[np.ndarray]:
    return [tune(i) for i in range(8)]


@pytest.fixture(scope="module")
def index(tunes: list[np.ndarray]) -> LandmarkIndex:
    return LandmarkIndex.build([constellation(clip(t)) for t in tunes], [f"{i}" for i in range(8)])


@pytest.mark.parametrize("db", [20, 10, 0])
@pytest.mark.parametrize("gain", [1.0, 0.25])
def test_an_excerpt_in_noise_is_found_with_its_times(tune, tunes, index, db, gain) -> None:
    inside = with_noise(tunes[3][2 * RATE : 9 * RATE], db) * gain
    query = np.concatenate([tune(100, 4), inside, tune(101, 4)])
    found = index.search(query_landmarks(constellation(clip(query))))
    assert found[0].clip == 3
    assert all(r.clip == 3 for r in found)
    assert found[0].start == pytest.approx(4, abs=1)
    assert found[0].end == pytest.approx(11, abs=1)
    assert found[0].source_start - found[0].start == pytest.approx(-2, abs=0.05)


def test_unrelated_sound_and_other_pitch_share_no_landmarks(tune, index) -> None:
    for other in (tune(200), tune(201), tune(3, semitones=1), tune(3, semitones=-2)):
        assert index.search(query_landmarks(constellation(clip(other)))) == []


def test_landmarks_do_not_hear_gain(tunes) -> None:
    loud, soft = (reference_landmarks(constellation(clip(t))) for t in (tunes[0], tunes[0] / 16))
    np.testing.assert_array_equal(loud.key, soft.key)


def test_silence_has_no_landmarks_and_short_clips_no_error(index) -> None:
    for n in (0, 1, 100, 600, 5000):
        for sound in (np.zeros(n), np.random.default_rng(0).normal(size=n) * 0.1):
            found = constellation(clip(sound))
            assert index.search(query_landmarks(found)) == [] or n > 4000
    assert len(constellation(clip(np.zeros(RATE))).frame) == 0


def test_an_index_is_its_arrays(tunes, index) -> None:
    again = LandmarkIndex.from_arrays(index.to_arrays())
    query = query_landmarks(constellation(clip(tunes[5])))
    assert again.search(query) == index.search(query)
    for i, t in enumerate(tunes):
        for a, b in zip(index.constellation(i), constellation(clip(t)), strict=True):
            np.testing.assert_array_equal(a, b)
    assert index.without([5]).search(query) == []
    assert index.scores(query).argmax() == 5


@pytest.mark.parametrize(("semitones", "tempo"), [(0, 1.0), (3, 1.0), (-4, 0.9), (6, 1.1)])
def test_covers_align_in_any_key_and_near_tempo(tune, tunes, semitones, tempo) -> None:
    cover = profiles(clip(tune(2, 10, semitones, tempo, partials=2)))
    found = [align(cover, profiles(clip(t))) for t in tunes]
    best = max(range(8), key=lambda i: found[i].score)
    assert best == 2
    assert found[2].transposition == semitones
    stretch = (found[2].source_end - found[2].source_start) / (found[2].end - found[2].start)
    assert stretch == pytest.approx(tempo, abs=0.06)


def test_an_alignment_names_the_excerpt(tune) -> None:
    source = tune(7, 12)
    query = np.concatenate([tune(300, 4), source[3 * RATE : 9 * RATE], tune(301, 4)])
    found = align(profiles(clip(query)), profiles(clip(source)))
    assert found.start * SECONDS_A_PROFILE == pytest.approx(4, abs=2)
    assert found.end * SECONDS_A_PROFILE == pytest.approx(10, abs=2)
    assert (found.source_start - found.start) * SECONDS_A_PROFILE == pytest.approx(-1, abs=0.4)


def brute_qmax(recurs: np.ndarray) -> float:
    """Equation by equation, as in Serrà, Serra & Andrzejak 2009."""
    n, m = recurs.shape
    q = np.zeros((n + 2, m + 2))
    r = np.zeros((n + 2, m + 2), bool)
    r[2:, 2:] = recurs
    for i in range(2, n + 2):
        for j in range(2, m + 2):
            before = [(i - 1, j - 1), (i - 2, j - 1), (i - 1, j - 2)]
            if r[i, j]:
                q[i, j] = max(q[p] for p in before) + 1
            else:
                q[i, j] = max(0, *(q[p] - (5.0 if r[p] else 0.5) for p in before))
    return q.max()


def test_qmax_is_the_published_recursion() -> None:
    from concours.metrics.originality.qmax import GAP_GOES_ON, GAP_OPENS, _qmax

    random = np.random.default_rng(4)
    for size in ((1, 1), (7, 3), (40, 60)):
        for share in (0.1, 0.4, 0.8):
            recurs = random.random(size) < share
            for i in range(min(size)):
                recurs[i, i] |= random.random() < 0.8
            assert _qmax(recurs, GAP_OPENS, GAP_GOES_ON)[0] == pytest.approx(brute_qmax(recurs))


def test_neighbours_are_those_of_brute_force() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(50, 7)) * [1, 10, 100, 1, 1, 1, 0] + 3
    index = VectorIndex.build(list(rows), [str(i) for i in range(50)])
    z = ((rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0, ddof=1), 1e-9))[:, :6]
    for k in range(50):
        assert index.nearest(rows[k])[0] == (k, pytest.approx(0, abs=1e-4))
        away = np.sqrt(((z - z[k]) ** 2).mean(axis=1))
        away[k] = np.inf
        other = index.without([k]).nearest(rows[k])[0]
        assert other == (away.argmin(), pytest.approx(away.min(), abs=1e-4))
    with pytest.raises(ValueError, match="3 dimensions"):
        index.nearest(np.zeros(3))
    with pytest.raises(ValueError, match="of 2 and of 3"):
        VectorIndex.build([np.zeros(3), np.zeros(2)], ["a", "b"])


def test_cuts_are_told_by_name_where_that_leaves_recordings() -> None:
    assert recordings(["a/x_00.wav", "a/x_01.wav", "b/x_00.wav", "y.wav"]) == [0, 0, 1, 2]
    assert recordings([f"track_{i}.wav" for i in range(9)]) == list(range(9))
    assert joined([0, 1, 2, 3], [(3, 1), (1, 0)]) == [0, 0, 1, 0]


def test_the_level_is_the_gumbel_quantile() -> None:
    sample = np.random.default_rng(0).gumbel(10, 2, 20_000)
    assert gumbel_level(sample) == pytest.approx(np.percentile(sample, 99), rel=0.02)
    assert gumbel_level(np.arange(4.0)) is None
    assert Null(np.array([1.0, 2, 3, 4]), None).percentile(3) == 62.5
    assert Null(np.zeros(0), None).percentile(3) is None


def test_the_metrics_and_their_models(tunes) -> None:
    names = [f"{i}.wav" for i in range(8)]
    names[7] = "b.wav"
    cases = (
        (LandmarkModel(), audio_reuse, max),
        (ChromaModel(), cover_similarity, max),
        (VectorModel(), embedding_novelty, min),
    )
    for model, function, most_alike in cases:
        clips = [clip(t) for t in tunes]
        arrays = model.fit([model.extract(c, {}) for c in clips], names, {})
        reference = model.open(arrays)
        own = function(clips[4], reference)
        assert own.detail["source"] == "4.wav"
        assert own.detail["percentile"] == 100
        other = function(clips[4], reference.excluding("4.wav"))
        assert other.detail.get("source") != "4.wav"
        assert most_alike(own.value, other.value) == own.value != other.value
    assert audio_reuse(clip(tunes[0]), LandmarkModel().open(
        LandmarkModel().fit([constellation(clip(tunes[0]))], ["a"], {}))).value > 11  # fmt: skip


def test_silence_and_short_clips_are_undefined(tunes) -> None:
    silence, short = clip(np.zeros(RATE)), clip(tunes[0][:RATE])
    for model, function, reason in (
        (LandmarkModel(), audio_reuse, "silence"),
        (ChromaModel(), cover_similarity, "shorter than 1.7 s"),
        (VectorModel(), embedding_novelty, "shorter than 3 s"),
    ):
        arrays = model.fit([model.extract(clip(t), {}) for t in tunes[:2]], ["a", "b"], {})
        found = function(silence, model.open(arrays))
        assert isinstance(found, Undefined)
        assert reason in found.reason
        if function is not audio_reuse:
            assert isinstance(function(short, model.open(arrays)), Undefined)
