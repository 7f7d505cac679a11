"""A beat estimate for a piece that has none: the same notes on beats found from their onsets.

Conventions
-----------
- The beat period is the lag of 0.25 to 1.5 s at which onsets best agree with themselves
  (autocorrelation of the notes that start in each 10 ms, smoothed over 30 ms), under a log-normal
  preference for 0.5 s that is one octave wide. Drums count.
- Beats maximise the notes that start on them less ``TIGHTNESS`` times the squared logarithm of
  each gap over the period (Ellis 2007), so they follow a tempo that drifts: by an eighth up
  and down in the tests, while a drift by a fifth gains or loses beats.
- Four beats make a bar, in whatever meter; the downbeat is the one of four on which most notes
  start.
"""

from __future__ import annotations

import numpy as np

from concours.metrics.compiled import compiled
from concours.metrics.piece import Floats, Ints, Piece, make_piece
from concours.metrics.spec import Undefined

FRAME = 0.01
TIGHTNESS = 25.0
SHORTEST, LONGEST, PREFERRED = 0.25, 1.5, 0.5
RESOLUTION = 480
MAX_FRAMES = 6_000_000


def on_estimated_beats(piece: Piece) -> Piece | Undefined:
    """The piece with its notes moved to a tick grid of estimated beats, computed once a piece.

    480 ticks a beat, one meter of 4/4, a constant tempo; times between beats are interpolated.
    Undefined where the notes span fewer than four beats.

    >>> at = [37 + 333 * i for i in range(64)]
    >>> loose = make_piece(onset=at, end=[t + 300 for t in at], pitch=[60] * 64)
    >>> beats = np.diff(on_estimated_beats(loose).onset) / 480
    >>> bool(np.abs(beats - 1).max() < 0.05)  # a note a beat
    True
    """
    return piece.shared("on_estimated_beats", lambda: _estimated(piece))


def _estimated(piece: Piece) -> Piece | Undefined:
    if not piece.n_notes:
        return Undefined("no notes")
    seconds = piece.to_seconds(piece.onset)
    frames = int(seconds[-1] / FRAME) + 2
    if frames > MAX_FRAMES:
        return Undefined("too long to estimate beats")
    strength = np.bincount(np.rint(seconds / FRAME).astype(np.int64), minlength=frames)
    smooth = np.convolve(strength, [0.25, 0.5, 0.25], mode="same")
    period = _period(smooth)
    if period is None or frames < 4 * period:
        return Undefined("the notes span fewer than four beats")
    beats = _beats(smooth / smooth.std(), period, TIGHTNESS)
    if len(beats) < 4:
        return Undefined("the notes span fewer than four beats")
    times = np.asarray(beats * FRAME, np.float64)
    hits = smooth[beats]
    phase = int(np.argmax([hits[p::4].sum() for p in range(4)]))
    onset, end = (_position(piece.to_seconds(t), times) for t in (piece.onset, piece.end))
    before = int(np.ceil(max(0.0, -onset.min())))  # beats before the first found, in whole bars
    shift = before + (-(before + phase)) % 4
    ticks = [np.rint((x + shift) * RESOLUTION).astype(np.int64) for x in (onset, end)]
    return make_piece(
        onset=ticks[0],
        end=np.maximum(ticks[0], ticks[1]),
        pitch=piece.pitch,
        velocity=piece.velocity,
        track=piece.track,
        program=piece.program,
        is_drum=piece.is_drum,
        ticks_per_quarter=RESOLUTION,
        tempos=[(0, 60.0 / float(np.median(np.diff(times))))],
        track_names=piece.track_names,
        has_velocity=piece.has_velocity,
    )


def _period(strength: Floats) -> int | None:
    """The beat period in frames; None where no lag has any agreement."""
    lags = np.arange(round(SHORTEST / FRAME), min(round(LONGEST / FRAME) + 1, len(strength)))
    if not len(lags):
        return None
    agreement = np.array([float(strength[lag:] @ strength[:-lag]) for lag in lags])
    preference = np.exp(-0.5 * np.log2(lags * FRAME / PREFERRED) ** 2)
    weighed = agreement * preference
    return int(lags[np.argmax(weighed)]) if weighed.max() > 0 else None


def _position(seconds: Floats, beats: Floats) -> Floats:
    """Times as numbers of beats from the first, going on beyond both ends at the last gap."""
    at = np.interp(seconds, beats, np.arange(len(beats), dtype=np.float64))
    early, late = seconds < beats[0], seconds > beats[-1]
    at[early] = (seconds[early] - beats[0]) / (beats[1] - beats[0])
    at[late] = len(beats) - 1 + (seconds[late] - beats[-1]) / (beats[-1] - beats[-2])
    return at


@compiled
def _beats(strength: Floats, period: int, tightness: float) -> Ints:
    n = len(strength)
    score = np.empty(n)
    came = np.full(n, -1, np.int64)
    low, high = max(1, period // 2), 2 * period
    cost = np.empty(high + 1)
    for gap in range(low, high + 1):
        cost[gap] = tightness * np.log(gap / period) ** 2
    for t in range(n):
        best = 0.0  # a first beat may stand anywhere within the first period
        if t >= period:
            best = -np.inf
        for gap in range(low, min(high, t) + 1):
            value = score[t - gap] - cost[gap]
            if value > best:
                best = value
                came[t] = t - gap
        score[t] = strength[t] + best
    last = n - 1
    for t in range(max(0, n - period), n):
        if score[t] > score[last]:
            last = t
    count, t = 0, last
    while t >= 0:
        count += 1
        t = came[t]
    beats = np.empty(count, np.int64)
    t = last
    for i in range(count - 1, -1, -1):
        beats[i] = t
        t = came[t]
    return beats
