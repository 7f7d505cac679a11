"""The sample player against physics: pitch, loudness, time, channels."""

from pathlib import Path

import numpy as np
import pytest

from concours.eval.render import soundfont
from concours.eval.render.soundfont import SoundFont, SoundFontError, read_soundfont
from concours.eval.render.synth import Sounding, play

RATE = 44100


@pytest.fixture(scope="module")
def font() -> SoundFont:
    return read_soundfont(soundfont())


def note(key: int = 60, velocity: int = 100, program: int = 0, **more: float) -> Sounding:
    return Sounding(more.get("onset", 0.0), more.get("end", 1.0), key, velocity, program, False)


def fundamental(sound: np.ndarray, expected: float) -> float:
    """The strongest period near the expected one, from the autocorrelation, in Hz."""
    middle = sound[RATE // 4 : RATE].astype(np.float64)
    power = np.abs(np.fft.rfft(middle, 1 << 17)) ** 2
    correlation = np.fft.irfft(power)
    low, high = int(RATE / expected * 0.94), int(np.ceil(RATE / expected * 1.06)) + 1
    k = low + int(correlation[low:high].argmax())
    a, b, c = correlation[k - 1 : k + 2]
    return float(RATE / (k + (a - c) / (2 * (a - 2 * b + c))))


# Piano, nylon guitar, bass, violin, trumpet, clarinet, flute: steady, harmonic programs.
@pytest.mark.parametrize("program", [0, 24, 32, 40, 56, 71, 73])
@pytest.mark.parametrize("key", [45, 60, 69, 76])
def test_every_key_sounds_at_its_pitch(font: SoundFont, program: int, key: int) -> None:
    sound = play(font, [note(key, program=program, end=1.2)], RATE, RATE).mean(axis=1)
    expected = 440 * 2 ** ((key - 69) / 12)
    assert abs(1200 * np.log2(fundamental(sound, expected) / expected)) < 20


def test_loudness_grows_with_the_square_of_the_velocity(font: SoundFont) -> None:
    loud, soft = (play(font, [note(velocity=v)], RATE, RATE) for v in (120, 108))
    assert np.abs(loud).max() / np.abs(soft).max() == pytest.approx((120 / 108) ** 2, rel=1e-3)


def test_notes_add_up(font: SoundFont) -> None:
    one, other = note(60), note(67, onset=0.3)
    both = play(font, [one, other], RATE, RATE)
    alone = play(font, [one], RATE, RATE) + play(font, [other], RATE, RATE)
    assert np.allclose(both, alone, atol=1e-6)


def test_a_note_starts_and_stops(font: SoundFont) -> None:
    sound = np.abs(play(font, [note(end=1.0, onset=0.5, program=19)], 3 * RATE, RATE)).max(axis=1)
    assert sound[: RATE // 2 - 1].max() == 0
    assert sound[int(0.6 * RATE) : RATE].max() > 100 * sound[int(2.5 * RATE) :].max()


def test_long_notes_of_an_organ_hold(font: SoundFont) -> None:
    sound = play(font, [note(program=19, end=9.0)], 9 * RATE, RATE)
    early, late = (np.abs(sound[int(t * RATE) : int((t + 0.5) * RATE)]).max() for t in (1, 8))
    assert late > 0.7 * early


def test_the_rate_does_not_change_the_pitch(font: SoundFont) -> None:
    slow = play(font, [note(69, program=73)], 22050, 22050).mean(axis=1)
    spectrum = np.abs(np.fft.rfft(slow))
    assert abs(int(spectrum.argmax()) - 440) <= 6


def test_a_hi_hat_is_cut_off_by_the_next(font: SoundFont) -> None:
    open_hat = Sounding(0.0, 2.0, 46, 100, 0, True)
    closed = Sounding(0.3, 0.4, 42, 1, 0, True)
    alone = play(font, [open_hat], RATE, RATE)
    cut = play(font, [open_hat, closed], RATE, RATE)
    tail = slice(int(0.45 * RATE), int(0.6 * RATE))
    assert np.abs(cut[tail]).max() < 0.2 * np.abs(alone[tail]).max()


def test_unknown_kits_and_programs_fall_back(font: SoundFont) -> None:
    kit = play(font, [Sounding(0, 0.5, 38, 100, 77, True)], RATE, RATE)
    assert np.abs(kit).max() > 0
    assert font.voices(99, 0, 60, 100) == font.voices(0, 0, 60, 100)


@pytest.mark.parametrize("velocity", [1, 127])
@pytest.mark.parametrize("key", [0, 127])
@pytest.mark.parametrize("is_drum", [False, True])
def test_extremes_stay_finite(font: SoundFont, key: int, velocity: int, is_drum: bool) -> None:
    for program in range(0, 128, 16):
        sound = play(font, [Sounding(0, 0.2, key, velocity, program, is_drum)], 22050, RATE)
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() < 2


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\x10\0\0\0sfbkLIST\xff\xff\0\0"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.sf2"
    path.write_bytes(data)
    with pytest.raises(SoundFontError, match=r"broken\.sf2"):
        read_soundfont(path)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.sf2"
    path.write_bytes(soundfont().read_bytes()[:100_000])
    with pytest.raises(SoundFontError, match="cut short"):
        read_soundfont(path)
