"""Sounds that are no stimuli: the volume check and the headphone check.

The headphone check follows the idea of Woods et al. 2017 (doi:10.3758/s13414-017-1361-2): of three
200 Hz tones one is 6 dB softer, and one of the others is in opposite phase between the ears. Over
loudspeakers that one cancels and sounds softest; over headphones it does not.
"""

from __future__ import annotations

import numpy as np

from concours.listening_test.config import Audio
from concours.listening_test.stimuli import example_music, level, wav_bytes
from concours.listening_test.tokens import sign

_TONE_SECONDS = 0.7
_PAUSE_SECONDS = 0.35
_SOFTER = 10 ** (-6 / 20)
CHECK_RATE = 44100


def level_sound(audio: Audio) -> bytes:
    """Music at the study's loudness, in the form of every stimulus."""
    clips, _ = level([example_music(audio, 1)], audio)
    return wav_bytes(clips[0].samples, audio.rate, 1)


def softest_tone(secret: str, rater_id: str, page: str) -> int:
    """Which of the three tones is the softer one, 0-2; only the server can tell."""
    return int(sign(secret, "tones", rater_id, page)[:8], 16) % 3


def tones(secret: str, rater_id: str, page: str) -> bytes:
    """The three tones of one round of the headphone check, stereo."""
    softest = softest_tone(secret, rater_id, page)
    others = [i for i in range(3) if i != softest]
    opposite = others[int(sign(secret, "phase", rater_id, page)[:8], 16) % 2]
    n, pause = round(_TONE_SECONDS * CHECK_RATE), round(_PAUSE_SECONDS * CHECK_RATE)
    t = np.arange(n) / CHECK_RATE
    ramp = np.minimum(1, np.minimum(t, t[::-1]) / 0.1)
    tone = 0.2 * np.sin(2 * np.pi * 200 * t) * ramp
    parts = []
    for i in range(3):
        left = tone * (_SOFTER if i == softest else 1)
        right = -left if i == opposite else left
        parts += [np.stack([left, right], axis=1), np.zeros((pause, 2))]
    return wav_bytes(np.concatenate(parts), CHECK_RATE, 2)


def tones_seconds() -> float:
    return 3 * (_TONE_SECONDS + _PAUSE_SECONDS)
