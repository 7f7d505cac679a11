"""Sound metrics: parity with librosa, synthetic sounds with known answers, short clips."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from concours.metrics import audio_pairs, signal
from concours.metrics.clip import Clip, make_clip
from concours.metrics.registry import catalogue
from concours.metrics.spec import Scored, Undefined
from concours.metrics.spectra import chroma_bank, mfcc, onset_strength, slaney_mel, spectra

RATE = 22_050


def _notes(midi: list[int], seconds: float = 0.5) -> Clip:
    """Decaying tones with three overtones, one after another."""
    t = np.arange(round(seconds * RATE)) / RATE
    parts = []
    for pitch in midi:
        hz = 440.0 * 2 ** ((pitch - 69) / 12)
        tone = sum(np.sin(2 * np.pi * k * hz * t) / k**2 for k in (1, 2, 3, 4))
        parts.append(0.2 * tone * np.exp(-3 * t))
    return make_clip(np.concatenate(parts), RATE)


@pytest.fixture(scope="module")
def sound() -> Clip:
    noise = np.random.default_rng(0).normal(size=5 * RATE) * 0.01
    tones = _notes([60, 64, 67, 72, 69, 65, 62, 59, 55, 60]).samples[:, 0]
    return make_clip(tones + noise[: len(tones)], RATE)


def test_parity_with_librosa(sound: Clip) -> None:
    librosa = pytest.importorskip("librosa")
    x = sound.samples[:, 0]
    np.testing.assert_allclose(
        slaney_mel(RATE, 2048, 128),
        librosa.filters.mel(sr=RATE, n_fft=2048, dtype=np.float64), atol=1e-12,
    )  # fmt: skip
    np.testing.assert_allclose(
        chroma_bank(RATE, 2048), librosa.filters.chroma(sr=RATE, n_fft=2048, dtype=np.float64),
        atol=1e-12,
    )  # fmt: skip
    mel = librosa.feature.melspectrogram(y=x, sr=RATE)
    np.testing.assert_allclose(spectra(sound).mel_db, librosa.power_to_db(mel), atol=5e-4)
    np.testing.assert_allclose(
        spectra(sound).chroma, librosa.feature.chroma_stft(y=x, sr=RATE, tuning=0), atol=1e-5
    )
    np.testing.assert_allclose(mfcc(sound), librosa.feature.mfcc(y=x, sr=RATE), atol=2e-3)
    np.testing.assert_allclose(
        onset_strength(sound), librosa.onset.onset_strength(y=x, sr=RATE, center=False), atol=1e-4
    )


def test_onsets_are_those_of_librosa(sound: Clip) -> None:
    librosa = pytest.importorskip("librosa")
    strength = onset_strength(sound)
    ours = signal.onset_frames(strength)
    theirs = librosa.onset.onset_detect(onset_envelope=strength, sr=RATE)
    common = sum(np.abs(theirs - t).min() <= 2 for t in ours)
    assert common >= 0.9 * len(ours) >= 0.8 * len(theirs)
    density = signal.audio_onset_density(sound)
    assert isinstance(density, float)
    assert 1.8 <= density <= 3.0  # two notes a second, each cut off with a click


@pytest.mark.parametrize("bpm", [70, 96, 120, 150])
def test_tempo_of_clicks(bpm: int) -> None:
    random = np.random.default_rng(0)
    x = np.zeros(12 * RATE)
    burst = random.normal(size=400) * np.exp(-np.arange(400) / 80)
    for beat in np.arange(0, 11.5, 60 / bpm):
        start = round(beat * RATE)
        x[start : start + 400] += 0.3 * burst
    clip = make_clip(x + 1e-4 * random.normal(size=len(x)), RATE)
    assert signal.audio_tempo(clip) == pytest.approx(bpm, rel=0.03)
    steady = signal.pulse_clarity(clip)
    noise = signal.pulse_clarity(make_clip(random.normal(size=len(x)) * 0.1, RATE))
    assert isinstance(steady, float)
    assert isinstance(noise, float)
    assert steady > 0.7
    assert noise < 0.3


@pytest.mark.parametrize(
    ("scale", "name"),
    [
        ([60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60], "C major"),
        ([67, 69, 71, 72, 74, 76, 78, 79, 74, 71, 67], "G major"),
        ([57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57], "A minor"),
    ],
)
def test_key_of_a_scale(scale: list[int], name: str) -> None:
    found = signal.audio_key(_notes(scale))
    assert isinstance(found, Scored)
    assert found.detail["key"] == name
    up = signal.audio_key(_notes([p + 1 for p in scale]))
    assert isinstance(up, Scored)
    assert up.value % 12 == (found.value + 1) % 12
    clear = signal.audio_key_margin(_notes(scale))
    vague = signal.audio_key_margin(_notes(list(range(60, 72))))
    assert isinstance(clear, float)
    assert isinstance(vague, float)
    assert clear > vague >= 0


def test_chroma_entropy_of_one_note_and_of_all() -> None:
    one = signal.chroma_entropy(_notes([69] * 4))
    every = signal.chroma_entropy(_notes(list(range(60, 72))))
    assert isinstance(one, float)
    assert isinstance(every, float)
    assert one < every <= math.log2(12)


@pytest.mark.parametrize("cut", [3_000, 8_000, 16_000])
def test_bandwidth_sees_through_the_stated_rate(cut: int) -> None:
    from scipy.signal import butter, sosfilt

    noise = np.random.default_rng(0).normal(size=3 * 44_100) * 0.1
    low = sosfilt(butter(24, cut, fs=44_100, output="sos"), noise)
    found = signal.effective_bandwidth(make_clip(low, 44_100))
    assert isinstance(found, float)
    assert cut < found < 1.5 * cut
    full = signal.effective_bandwidth(make_clip(noise, 44_100))
    assert full == pytest.approx(22_050, rel=0.01)


def test_statistics_of_cepstra(sound: Clip) -> None:
    rows = mfcc(sound)
    assert signal.mfcc_mean(sound, coefficient=3) == pytest.approx(rows[3].mean(), rel=1e-4)
    assert signal.mfcc_std(sound, coefficient=3) == pytest.approx(rows[3].std(), rel=1e-4)
    louder = make_clip(sound.samples * 2, RATE)
    for k in (1, 5):  # level is coefficient 0's alone
        assert signal.mfcc_mean(louder, coefficient=k) == pytest.approx(
            float(rows[k].mean()), abs=0.01
        )
    with pytest.raises(ValueError, match="0 to 19"):
        signal.mfcc_mean(sound, coefficient=20)


def test_pairs(sound: Clip) -> None:
    same = make_clip(sound.samples, RATE)
    assert audio_pairs.chroma_cosine(same, sound) == pytest.approx(1.0, abs=1e-6)
    assert audio_pairs.melody_accuracy(same, sound) == 1.0
    assert audio_pairs.mel_distance(same, sound) == 0.0
    melody = [60, 64, 67, 72, 69, 65, 62, 59]
    right, wrong = _notes(melody), _notes([p + 1 for p in melody])
    octave = _notes([p + 12 for p in melody])
    for metric in (audio_pairs.chroma_cosine, audio_pairs.melody_accuracy):
        good, bad, other = metric(right, right), metric(wrong, right), metric(octave, right)
        assert isinstance(good, float)
        assert isinstance(bad, float)
        assert isinstance(other, float)
        assert good > other > bad
    assert audio_pairs.melody_accuracy(wrong, right) < 0.1  # type: ignore[operator]


def test_distance_of_mel_rises_with_noise(sound: Clip) -> None:
    noise: NDArray[np.float64] = np.random.default_rng(1).normal(size=sound.samples.shape)
    found = [
        audio_pairs.mel_distance(make_clip(sound.samples + level * noise, RATE), sound)
        for level in (0.001, 0.01, 0.1)
    ]
    assert found == sorted(found, key=float)  # type: ignore[arg-type]


AUDIO = [s for s in catalogue().values() if s.inputs == "audio" and s.level == "clip"]


@pytest.mark.parametrize("spec", AUDIO, ids=lambda s: s.name)
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.02, 0.3, 3.0])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_clip_has_a_number_in_range_or_a_reason(
    spec: object, seconds: float, channels: int
) -> None:
    from concours.metrics.spec import MetricSpec

    assert isinstance(spec, MetricSpec)
    n = round(seconds * RATE)
    random = np.random.default_rng(n)
    for x in (np.zeros((n, channels)), random.normal(size=(n, channels)) * 0.2,
              np.ones((n, channels))):  # fmt: skip
        result = spec.function(make_clip(x, RATE))
        if isinstance(result, Undefined):
            assert result.reason
            continue
        value = result.value if isinstance(result, Scored) else result
        assert spec.range[0] - 1e-9 <= value <= spec.range[1] + 1e-9
        if seconds == 0.0:
            pytest.fail(f"{spec.name} has a value for no samples")


def test_a_clip_of_silence_is_undefined_where_sound_is_measured() -> None:
    silent = make_clip(np.zeros(5 * RATE), RATE)
    for name in ("effective_bandwidth", "audio_tempo", "pulse_clarity", "chroma_entropy",
                 "audio_key", "audio_key_margin", "mfcc_mean", "mfcc_std"):  # fmt: skip
        assert isinstance(getattr(signal, name)(silent), Undefined), name
    assert signal.audio_onset_density(silent) == 0.0
