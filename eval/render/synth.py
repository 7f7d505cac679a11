"""A small sample player: notes and a soundfont to stereo sound.

Each note sounds the voices that the soundfont gives for its key and velocity: the sample at the
right speed (linear interpolation), a low-pass filter where the voice asks for one, and the volume
envelope of the standard (attack linear, decay and release linear in decibels). There is no
reverberation and no modulation, so that a rendering is the notes and nothing else. All sums run
in one fixed order: the same notes give the same samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.eval.render.soundfont import SoundFont, Voice
from concours.metrics.compiled import compiled

_SHORTEST = 0.005
_GAIN = 1.0


class Sounding(NamedTuple):
    """A note to play: seconds, key and velocity in 0-127, program in 0-127."""

    onset: float
    end: float
    key: int
    velocity: int
    program: int
    is_drum: bool


def play(
    font: SoundFont, notes: Sequence[Sounding], samples: int, sample_rate: int
) -> NDArray[np.float32]:
    """The notes as stereo sound, shape (``samples``, 2), float32; 0 dB is far from clipping.

    A drum of an exclusive class (a hi-hat) is cut off by the next of its class.
    """
    out = np.zeros((samples, 2), np.float64)
    known: dict[tuple[int, int, int, int], list[Voice]] = {}
    parts: list[tuple[Sounding, float, Voice]] = []
    for note in notes:
        at = (128 if note.is_drum else 0, note.program, note.key, note.velocity)
        if at not in known:
            known[at] = font.voices(*at)
        parts += [(note, note.end, voice) for voice in known[at]]
    rows = [_row(note, end, voice, sample_rate) for note, end, voice in _choked(parts)]
    if rows:
        _mix(out, font.samples, np.array(rows, np.float64), float(sample_rate))
    return out.astype(np.float32)


def _choked(parts: list[tuple[Sounding, float, Voice]]) -> list[tuple[Sounding, float, Voice]]:
    """The voices with those of exclusive classes ended where the next of the class starts."""
    starts: dict[int, list[float]] = {}
    for note, _, voice in parts:
        if note.is_drum and voice.exclusive:
            starts.setdefault(voice.exclusive, []).append(note.onset)
    edges = {k: np.unique(v) for k, v in starts.items()}
    out = []
    for note, end, voice in parts:
        if note.is_drum and voice.exclusive:
            later = edges[voice.exclusive]
            i = int(np.searchsorted(later, note.onset, side="right"))
            if i < len(later):
                voice = voice._replace(release=min(voice.release, 0.05))  # noqa: PLW2901
                end = min(end, float(later[i]))  # noqa: PLW2901
        out.append((note, end, voice))
    return out


def _row(note: Sounding, end: float, v: Voice, sample_rate: int) -> list[float]:
    """A voice as the numbers that the mixer reads, in its order."""
    gain = _GAIN * 10 ** (v.loudness / 20)
    angle = (v.pan + 0.5) * math.pi / 2
    cutoff = v.cutoff if v.cutoff < min(0.45 * sample_rate, 19000.0) else 0.0
    return [
        round(note.onset * sample_rate), round(max(end, note.onset) * sample_rate),
        v.start, v.end, v.loop_start, v.loop_end, v.loops if v.loop_end > v.loop_start + 1 else 0,
        v.speed / sample_rate, gain * math.cos(angle), gain * math.sin(angle),
        v.delay, v.attack, v.hold, max(v.decay, _SHORTEST), v.sustain, max(v.release, _SHORTEST),
        cutoff, v.resonance,
    ]  # fmt: skip


@compiled
def _mix(out: Any, wave: Any, rows: Any, rate: float) -> None:
    """Adds every voice to ``out``; ``rows`` are those of ``_row``.

    A voice passes stages (attack, hold, decay, sustain, release) in each of which its level
    changes by one sum and one factor a sample.
    """
    for r in range(len(rows)):
        first, stop = int(rows[r, 0]), int(rows[r, 1])
        end, loop_start, loop_end = rows[r, 3], rows[r, 4], rows[r, 5]
        loops, speed, left, right = int(rows[r, 6]), rows[r, 7], rows[r, 8], rows[r, 9]
        delay, attack, sustain = rows[r, 10], rows[r, 11], rows[r, 14]
        b0, b1, a1, a2 = 1.0, 0.0, 0.0, 0.0
        filtered = rows[r, 16] > 0
        if filtered:
            w = 2 * math.pi * rows[r, 16] / rate
            q = 0.7071 * 10 ** (rows[r, 17] / 20)
            alpha, c = math.sin(w) / (2 * q), math.cos(w)
            b0, b1 = (1 - c) / 2 / (1 + alpha), (1 - c) / (1 + alpha)
            a1, a2 = -2 * c / (1 + alpha), (1 - alpha) / (1 + alpha)
        x1 = x2 = y1 = y2 = 0.0
        at = rows[r, 2]
        start = max(0, first + math.ceil(delay * rate))
        sounds = start <= max(0, first, stop)  # what its delay puts after its end never does
        while sounds and start < len(out):
            level, step, factor, until = _stage(rows[r], start, rate)
            ends = start >= stop or sustain <= -96.0
            attacks = start < stop and (start - first) / rate - delay < attack
            until = min(until, len(out))
            for i in range(start, until):
                if ends and level < 1.6e-5 and not attacks:
                    sounds = False
                    break
                looping = loops == 1 or (loops == 3 and i < stop)
                if looping and at >= loop_end:
                    at = loop_start + (at - loop_end) % (loop_end - loop_start)
                j = int(at)
                if j + 1 >= end or j + 1 >= len(wave):
                    sounds = False
                    break
                following = int(loop_start) if looping and j + 1 >= loop_end else j + 1
                x = wave[j] + (at - j) * (wave[following] - wave[j])
                at += speed
                if filtered:
                    y = b0 * x + b1 * x1 + b0 * x2 - a1 * y1 - a2 * y2
                    x2, x1, y2, y1 = x1, x, y1, y
                    x = y
                out[i, 0] += x * level * left
                out[i, 1] += x * level * right
                level = level * factor + step
            start = until


@compiled
def _stage(row: Any, at: int, rate: float) -> tuple[float, float, float, int]:
    """(level at sample ``at``, what is added to it and what it is multiplied by a sample, the
    first sample of the next stage) of a voice's envelope."""
    first, stop, release = int(row[0]), int(row[1]), row[15]
    delay, attack, hold, decay, sustain = row[10], row[11], row[12], row[13], row[14]
    if at >= stop:
        held = _decibels((stop - 1 - first) / rate - delay, attack, hold, decay, sustain)
        level = 10 ** ((held - 100.0 * (at - stop) / rate / release) / 20)
        return level, 0.0, 10 ** (-5.0 / rate / release), 1 << 60
    t = max(0.0, (at - first) / rate - delay)
    falls = attack + hold
    rests = falls - sustain / 100.0 * decay
    level = 10 ** (_decibels(t, attack, hold, decay, sustain) / 20)
    if t < attack:
        level, step, factor, lasts = t / attack, 1.0 / (rate * attack), 1.0, attack - t
    elif t < falls:
        step, factor, lasts = 0.0, 1.0, falls - t
    elif t < rests:
        step, factor, lasts = 0.0, 10 ** (-5.0 / rate / decay), rests - t
    else:
        return level, 0.0, 1.0, stop
    return level, step, factor, min(stop, at + max(1, math.ceil(lasts * rate)))


@compiled
def _decibels(t: float, attack: float, hold: float, decay: float, sustain: float) -> float:
    """The envelope before the release, ``t`` seconds after the delay; 0 dB before its start."""
    if t < 0:
        return 0.0
    if t < attack:
        return 20 * math.log10(t / attack) if t > 0 else -96.0
    fall: float = min(0.0, -100.0 * (t - attack - hold) / decay)
    return max(fall, sustain)
