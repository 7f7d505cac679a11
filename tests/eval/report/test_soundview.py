import base64
import io
import re

import numpy as np
import pytest

from concours.eval.report.soundview import BANDS, FRAMES, spectrogram, waveform

RATE = 22050


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def pixels(uri: str) -> np.ndarray:
    """The grey values of the image, as another decoder reads them."""
    from PIL import Image

    data = base64.b64decode(uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


def test_a_waveform_follows_the_envelope() -> None:
    sound = np.concatenate([tone(440), 0.1 * tone(440)])
    spans = [
        (int(x), int(b) - int(t)) for x, t, b in re.findall(r"M(\d+) (\d+)V(\d+)", waveform(sound))
    ]
    assert len(spans) == 500
    loud = np.mean([h for x, h in spans if x < 480])
    soft = np.mean([h for x, h in spans if x > 520])
    assert loud > 90
    assert soft == pytest.approx(loud / 10, abs=2)


def test_silence_is_flat_and_nothing_is_nothing() -> None:
    assert set(re.findall(r"(\d+)V(\d+)", waveform(np.zeros(5000)))) == {("50", "50")}
    assert waveform(np.zeros(0)) == ""
    assert spectrogram(np.zeros(100), RATE) is None
    quiet = spectrogram(np.zeros(RATE), RATE)
    assert quiet is not None
    assert len(np.unique(pixels(quiet.image))) == 1


@pytest.mark.parametrize("hertz", [110.0, 440.0, 3520.0])
def test_a_tone_is_a_line_at_its_frequency(hertz: float) -> None:
    view = spectrogram(tone(hertz), RATE)
    assert view is not None
    image = pixels(view.image)
    assert image.shape == (BANDS, FRAMES)
    brightest = image.mean(axis=1).argmax()
    wanted = BANDS * (1 - np.log(hertz / 40) / np.log(10_000 / 40))
    assert abs(brightest + 0.5 - wanted) <= 1.5


def test_time_runs_to_the_right() -> None:
    view = spectrogram(np.concatenate([tone(200), tone(2000)]), RATE)
    assert view is not None
    image = pixels(view.image)
    left, right = (
        image[:, part].mean(axis=1).argmax() for part in (slice(0, 140), slice(180, 320))
    )
    assert left > right + 20


def test_channels_are_mixed() -> None:
    stereo = np.stack([tone(440), -tone(440)], axis=1)
    assert set(re.findall(r"(\d+)V(\d+)", waveform(stereo))) == {("50", "50")}


def test_the_same_sound_gives_the_same_image() -> None:
    assert spectrogram(tone(440), RATE) == spectrogram(tone(440), RATE)


@pytest.mark.parametrize("bad", [np.zeros((2, 2, 2)), np.array([0.0, np.nan])])
def test_other_input_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="samples"):
        waveform(bad)
