"""Does the default embedding's FAD rise with each fault, the worse it gets?

Recordings, or MIDI files as the bundled soundfont plays them, are made worse by known amounts and
compared with the others of their folder:

    python tests/benchmarks/audio_ladder.py ../shared/data/audio/reference/real_clips
    python tests/benchmarks/audio_ladder.py ../shared/data/symbolic/systems/aimgef_cpi/Orig

One line a fault: the distance at strength 0, 1, 2, 3, and whether it rises at every step.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from concours.eval.load import load
from concours.eval.load.audio import load_audio
from concours.eval.render import render_audio
from concours.metrics.clip import make_clip
from concours.metrics.embeddings.protocol import embed
from concours.metrics.embeddings.spectral_stats import SpectralStats
from concours.metrics.frechet import frechet_distance

RATE = 22_050
MOST = 8
Samples = NDArray[np.float32]


def noise(x: Samples, level: int, rng: np.random.Generator) -> Samples:
    """White noise 30, 20 and 10 dB below the clip."""
    power = float(np.sqrt(np.mean(x**2))) * 10 ** (-(40 - 10 * level) / 20)
    return (x + rng.normal(0, power, len(x))).astype(np.float32)


def low_pass(x: Samples, level: int, _: np.random.Generator) -> Samples:
    """At 4,000, 2,000 and 1,000 Hz."""
    cutoff = 8_000 / 2**level
    return np.asarray(sosfilt(butter(6, cutoff, fs=RATE, output="sos"), x), np.float32)


def pitch_shift(x: Samples, level: int, _: np.random.Generator) -> Samples:
    """Up by 2, 4 and 8 semitones."""
    return np.asarray(librosa.effects.pitch_shift(x, sr=RATE, n_steps=2**level), np.float32)


def scramble(x: Samples, level: int, rng: np.random.Generator) -> Samples:
    """Pieces of 1 s, 0.25 s and 0.06 s in random order."""
    size = round(RATE * 4.0 ** (1 - level))
    pieces = [x[i : i + size] for i in range(0, len(x), size)]
    return np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])


def clipping(x: Samples, level: int, _: np.random.Generator) -> Samples:
    """Cut off at the 95th, 80th and 50th percentile of its magnitude."""
    ceiling = float(np.quantile(np.abs(x), (1.0, 0.95, 0.8, 0.5)[level]))
    return np.clip(x, -ceiling, ceiling)


FAULTS: dict[str, Callable[[Samples, int, np.random.Generator], Samples]] = {
    "noise": noise, "low-pass": low_pass, "pitch shift": pitch_shift,
    "time scramble": scramble, "clipping": clipping,
}  # fmt: skip


def frames(clips: list[Samples]) -> NDArray[np.float32]:
    model = SpectralStats()
    return np.concatenate([embed(model, make_clip(x, RATE)) for x in clips])


def sound(file: Path) -> Samples:
    """A recording as it is, or the first 20 s of notes as they are played."""
    if file.suffix == ".mid":
        return render_audio(load(file).piece, RATE).mean(axis=1)[: 20 * RATE]
    return load_audio(file).clip.mono(sample_rate=RATE)


def ladder(folder: Path) -> dict[str, list[float]]:
    """The distances at strength 0 to 3 of each fault."""
    files = sorted(f for f in folder.rglob("*") if f.suffix in (".flac", ".wav", ".ogg", ".mid"))
    clips = [sound(f) for f in files]
    clips = [x for x in clips if len(x) >= 6 * RATE]
    victims, others = clips[::2][:MOST], clips[1::2]
    reference = frames(others)
    untouched = frechet_distance(frames(victims), reference)
    found = {}
    for name, fault in FAULTS.items():
        rng = np.random.default_rng(0)
        found[name] = [untouched] + [
            frechet_distance(frames([fault(x, level, rng) for x in victims]), reference)
            for level in (1, 2, 3)
        ]
    return found


def main() -> None:
    for name, values in ladder(Path(sys.argv[1])).items():
        rises = all(a < b for a, b in itertools.pairwise(values))
        print(f"{name:14} {'  '.join(f'{v:8.3f}' for v in values)}  {'rises' if rises else 'NO'}")


if __name__ == "__main__":
    main()
