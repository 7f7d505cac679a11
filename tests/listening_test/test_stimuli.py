"""Blind clips: one form for all, loudness by BS.1770, nothing left that tells."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from concours.eval.errors import UsageError
from concours.eval.items import find_items
from concours.eval.load import load
from concours.eval.render import render_audio
from concours.listening_test import sounds, stimuli
from concours.listening_test.config import Audio
from concours.metrics.loudness import loudness_of

AUDIO = Audio(seconds=1.0, rate=44100, channels=2)


def tone(seconds: float, rate: int, level: float, frequency: float = 997.0) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    return np.stack([level * np.sin(2 * np.pi * frequency * t)] * 2, axis=1)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_loudness_of_the_reference_tone(rate: int, level: float) -> None:
    """EBU Tech 3341, cases 1 and 2: a 1 kHz stereo sine at its level in dBFS reads as LUFS."""
    found = loudness_of(tone(5, rate, 10 ** (level / 20), 1000), rate)
    assert found == pytest.approx(level, abs=0.1)


def test_loudness_gates_silence() -> None:
    """EBU Tech 3341, case 3: quieter parts around a loud one do not count."""
    rate = 48000
    parts = [(10, -36.0), (60, -23.0), (10, -36.0)]
    signal = np.concatenate([tone(s, rate, 10 ** (v / 20), 1000) for s, v in parts])
    assert loudness_of(signal, rate) == pytest.approx(-23.0, abs=0.1)
    assert loudness_of(np.zeros((rate, 2)), rate) is None


def write(path: Path, data: np.ndarray, rate: int) -> None:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, data, rate)


def test_files_of_any_form_become_clips_of_one_form(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    write(tmp_path / "a/quiet.wav", tone(3, 44100, 0.02), 44100)
    write(tmp_path / "a/loud.flac", 0.9 * tone(2, 48000, 1.0)[:, :1], 48000)
    write(tmp_path / "a/short.ogg", draw.normal(0, 0.1, (12000, 2)), 24000)
    clips = [stimuli.read_clip(i, AUDIO) for i in find_items(str(tmp_path / "a"))]
    levelled, target = stimuli.level(clips, AUDIO)
    loudness = [loudness_of(c.samples, 44100) for c in levelled]
    assert loudness == pytest.approx([target] * 3, abs=1e-6)
    files = [stimuli.wav_bytes(c.samples, 44100, i) for i, c in enumerate(levelled)]
    assert len({len(f) for f in files}) == 1
    assert len({f[:44] for f in files}) == 1
    assert len(files[0]) == 44 + 44100 * 4
    assert [c.padded for c in clips] == [False, False, True]


def test_copies_differ_in_bytes_but_not_in_sound() -> None:
    samples = tone(1, 44100, 0.1)
    one, two = (stimuli.wav_bytes(samples, 44100, seed) for seed in (1, 2))
    assert one != two
    heard = [np.frombuffer(f[44:], "<i2").astype(float) for f in (one, two)]
    assert np.abs(heard[0] - heard[1]).max() <= 3


def test_no_clip_exceeds_full_scale() -> None:
    spike = np.zeros((44100, 2))
    spike[::4410] = 1.0
    clip = stimuli.shape(spike, "x", "spike", AUDIO)
    (levelled,), target = stimuli.level([clip], AUDIO)
    assert np.abs(levelled.samples).max() <= stimuli.PEAK_LIMIT + 1e-9
    assert target <= AUDIO.lufs


def test_symbolic_pieces_are_rendered(tmp_path: Path) -> None:
    (tmp_path / "tune.abc").write_text("X:1\nM:4/4\nL:1/4\nK:C\nCEGc|cGEC|\n")
    (item,) = find_items(str(tmp_path))
    clip = stimuli.read_clip(item, AUDIO)
    assert clip.samples.shape == (44100, 2)
    assert clip.lufs is not None


@pytest.mark.parametrize(("data", "message"), [(np.zeros((4410, 1)), "silence")])
def test_what_cannot_be_heard_is_refused(tmp_path: Path, data: np.ndarray, message: str) -> None:
    write(tmp_path / "s/x.wav", data, 44100)
    (item,) = find_items(str(tmp_path / "s"))
    with pytest.raises(UsageError, match=message):
        stimuli.read_clip(item, AUDIO)


def test_anchors_lose_their_treble() -> None:
    draw = np.random.default_rng(0)
    clip = stimuli.shape(draw.normal(0, 0.1, (44100, 2)), "x", "noise", AUDIO)
    for cutoff in (3500.0, 7000.0):
        low = stimuli.anchor(clip, 44100, cutoff)
        power = np.abs(np.fft.rfft(low.samples[:, 0])) ** 2
        frequency = np.fft.rfftfreq(44100, 1 / 44100)
        above = power[frequency > cutoff * 1.2].mean() / power[frequency < cutoff * 0.8].mean()
        assert 10 * np.log10(above) < -25


def test_headphone_tones_cancel_over_loudspeakers_except_the_soft_one() -> None:
    data = np.frombuffer(sounds.tones("s", "r", "headphones:0")[44:], "<i2").reshape(-1, 2)
    third = len(data) // 3
    loud = [float(np.abs(data[i * third : (i + 1) * third]).max()) for i in range(3)]
    summed = [
        float(np.abs(data[i * third : (i + 1) * third].astype(float).sum(axis=1)).max())
        for i in range(3)
    ]
    soft = sounds.softest_tone("s", "r", "headphones:0")
    assert loud.index(min(loud)) == soft
    assert summed.index(min(summed)) != soft


def test_every_broken_recording_is_refused_with_its_name_or_heard(shared_data: Path) -> None:
    """One of them promises the decoder hours of samples."""
    heard, refused = 0, []
    for item in find_items(str(shared_data / "bad/audio")):
        try:
            clip = stimuli.read_clip(item, AUDIO)
        except UsageError as error:
            refused.append(f"{Path(item.location).name} in {error}")
        else:
            heard += 1
            assert clip.samples.shape == (44100, 2)
    assert heard > 0
    assert refused
    for name, said in (words.split(" in ", 1) for words in refused):
        assert name in said


def test_only_what_is_heard_of_a_piece_is_rendered(shared_data: Path) -> None:
    folder = shared_data / "symbolic/reference/pop909"
    item = next(i for i in find_items(str(folder)))
    clip = stimuli.read_clip(item, AUDIO)
    piece = load(Path(item.location)).piece
    first = float(piece.to_seconds(piece.onset[:1])[0])
    whole = render_audio(piece, AUDIO.rate)[round(first * AUDIO.rate) :]
    loud = np.flatnonzero(np.abs(whole).max(axis=1) > stimuli.SILENCE * np.abs(whole).max())[0]
    heard = clip.samples[10_000:30_000]  # between the fades
    shifted = [whole[loud + 10_000 + k :][: len(heard)] for k in range(-8, 9)]  # as peaks differ
    assert any(np.allclose(heard, part, atol=1e-6) for part in shifted)
