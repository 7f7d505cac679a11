import io
import sys

import numpy as np
import pytest
import soundfile

from concours.eval import render
from concours.metrics.piece import Piece, make_piece


def tune(n: int = 8, pitch: int = 60, **more: object) -> Piece:
    onset = np.arange(n) * 480
    return make_piece(onset=onset, end=onset + 480, pitch=[pitch] * n, **more)  # type: ignore[arg-type]


def samples(clip: render.Clip) -> tuple[np.ndarray, int]:
    return soundfile.read(io.BytesIO(clip.data))


def test_sound_lasts_as_long_as_the_piece() -> None:
    sound = render.render_audio(tune(), 22050)
    assert sound.shape[1] == 2
    assert sound.dtype == np.float32
    assert 4.0 <= len(sound) / 22050 <= 4.0 + render.TAIL_SECONDS
    assert 0 < np.abs(sound).max() <= 1


def test_notes_sound_at_their_pitch() -> None:
    sound = render.render_audio(make_piece(onset=[0], end=[960], pitch=[69]), 22050).mean(axis=1)
    spectrum = np.abs(np.fft.rfft(sound[:22050]))
    octave = spectrum[400:480]  # bins of 1 Hz
    assert abs(400 + int(octave.argmax()) - 440) <= 4


def test_notes_sound_when_the_tempo_map_says() -> None:
    piece = make_piece(
        onset=[0, 1920], end=[240, 2160], pitch=[60, 60], tempos=[(0, 60.0), (960, 240.0)]
    )
    sound = np.abs(render.render_audio(piece, 8000).mean(axis=1))
    second = float(piece.to_seconds([1920])[0])
    assert second == pytest.approx(2.5)
    before = sound[int((second - 0.2) * 8000) : int((second - 0.02) * 8000)]
    after = sound[int(second * 8000) : int((second + 0.2) * 8000)]
    assert after.max() > 5 * before.max()


def test_velocity_is_loudness() -> None:
    loud, soft = (np.abs(render.render_audio(tune(1, velocity=[v]), 8000)).max() for v in (120, 30))
    assert loud > 2 * soft


def test_no_notes_no_sound() -> None:
    empty = make_piece(onset=[], end=[], pitch=[])
    assert render.render_audio(empty).shape == (0, 2)
    with pytest.raises(render.RenderError, match="no notes"):
        render.clip(empty)


def test_notes_without_length_still_sound() -> None:
    piece = make_piece(onset=[0, 480], end=[0, 480], pitch=[60, 64])
    assert np.abs(render.render_audio(piece, 8000)).max() > 0


def test_a_piece_of_days_is_refused_and_its_start_plays() -> None:
    piece = make_piece(onset=[0, 10**9], end=[480, 10**9 + 480], pitch=[60, 60])
    with pytest.raises(render.RenderError, match="corrupt"):
        render.render_audio(piece)
    assert render.clip(piece).seconds == 20.0


def test_clip_is_the_same_every_time() -> None:
    first = render.clip(tune(80))
    render._font.cache_clear()
    assert render.clip(tune(80)) == first


def test_clip_decodes_and_fades() -> None:
    clip = render.clip(tune(80))
    sound, rate = samples(clip)
    assert (clip.start, clip.seconds, rate) == (0.0, 20.0, render.CLIP_RATE)
    assert len(sound) / rate == pytest.approx(20.0, abs=0.15)
    assert len(clip.data) < 1.1 * 20 * render.CLIP_BYTES_PER_SECOND
    level = [np.abs(sound[int(t * rate) : int((t + 0.5) * rate)]).max() for t in (10, 19.5)]
    assert level[1] < level[0] / 2


def test_clip_starts_with_the_first_note() -> None:
    late = make_piece(onset=[48000], end=[48480], pitch=[60])
    clip = render.clip(late)
    assert (clip.start, clip.seconds) == (50.0, 0.5)
    assert np.abs(samples(clip)[0]).max() > 0.5


def test_clips_share_one_peak() -> None:
    peaks = [np.abs(samples(render.clip(tune(8, velocity=[v] * 8)))[0]).max() for v in (20, 120)]
    assert peaks == pytest.approx([render.PEAK] * 2, abs=0.12)


def test_drums_and_programs_sound_unlike() -> None:
    drums = make_piece(onset=[0], end=[480], pitch=[38], is_drum=[True])
    piano = make_piece(onset=[0], end=[480], pitch=[38])
    organ = make_piece(onset=[0], end=[480], pitch=[38], program=[19])
    sounds = [render.render_audio(p, 8000)[:4000] for p in (drums, piano, organ)]
    assert not np.allclose(sounds[0], sounds[1], atol=1e-3)
    assert not np.allclose(sounds[1], sounds[2], atol=1e-3)


def test_the_soundfont_is_found_without_importing_its_package() -> None:
    before = "pretty_midi" in sys.modules
    assert render.soundfont().is_file()
    assert ("pretty_midi" in sys.modules) == before


def test_a_missing_soundfont_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "find_spec", lambda _name: None)
    with pytest.raises(render.RenderError, match="pip install"):
        render.soundfont()


def test_recordings_become_clips_like_those_of_notes() -> None:
    seconds = np.arange(44100 * 30) / 44100
    wave = np.stack([0.1 * np.sin(2 * np.pi * 440 * seconds)] * 2, axis=1)
    clip = render.sound_clip(wave, 44100)
    assert clip == render.sound_clip(wave, 44100)
    assert clip.seconds == 20.0
    sound, rate = samples(clip)
    assert abs(int(np.abs(np.fft.rfft(sound[rate : 2 * rate])).argmax()) - 440) <= 1
    assert np.abs(sound).max() == pytest.approx(render.PEAK, abs=0.1)


@pytest.mark.parametrize("bad", [np.zeros(0), np.array([np.nan, 0.0])])
def test_broken_recordings_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(render.RenderError, match="nothing to play"):
        render.sound_clip(bad, 44100)


def test_the_first_seconds_are_the_beginning_of_the_whole() -> None:
    piece = tune(20)
    whole = render.render_audio(piece, 8000)
    for seconds in (0.7, 2.0, 60.0):
        part = render.render_audio(piece, 8000, seconds)
        assert len(part) == min(len(whole), round(8000 * seconds))
        assert np.array_equal(part, whole[: len(part)])
    hours = make_piece(onset=[0, 8_000_000], end=[480, 8_000_480], pitch=[60, 62])
    assert len(render.render_audio(hours, 8000, 1.0)) == 8000
