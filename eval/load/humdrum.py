"""Humdrum ``**kern`` through music21."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

from concours.eval.load.barlines import counted_bars
from concours.eval.load.loaded import Loaded, LoadError
from concours.metrics.grid import GridError
from concours.metrics.piece import Piece, make_piece

MAX_BYTES = 1 << 20
TICKS = 10080  # divides every common tuplet


def read_kern(data: bytes) -> Loaded:
    """The piece in the bytes of a ``**kern`` file, as written (repeats are not unfolded).

    Raises:
        LoadError: over 1 MiB, or music21 can't read it.
    """
    if len(data) > MAX_BYTES:
        raise LoadError(f"a kern file of {len(data)} bytes: over {MAX_BYTES}; split it")
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    printed = io.StringIO()
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("always")
        try:
            from music21 import converter

            piece = _piece(converter.parseData(text, format="humdrum"))
        except GridError as error:
            raise LoadError(str(error)) from error
        except Exception as error:  # music21 raises any kind on text it can't follow
            cause = " ".join(str(error).split())[:200]
            raise LoadError(f"music21 can't read this kern file: {cause}") from error
    said = [line.strip()[:300] for line in printed.getvalue().split("\n") if line.strip()]
    noted = [f"music21: {x}" for x in dict.fromkeys([*said, *(str(w.message) for w in caught)])]
    return Loaded(piece, (*noted[:20], *(() if piece.n_notes else ("no notes",))), "kern")


def _piece(score: Any) -> Piece:
    parts = list(score.parts) or [score]
    onset, end, pitch, track = [], [], [], []
    for index, part in enumerate(parts):
        for element in part.stripTies().flatten().notes:
            if element.duration.isGrace:
                continue
            start = round(element.offset * TICKS)
            stop = round((element.offset + element.quarterLength) * TICKS)
            for p in element.pitches:
                onset.append(start)
                end.append(stop)
                pitch.append(round(p.ps))
                track.append(index)
    first = parts[0]
    meters = [
        (round(m.getOffsetInHierarchy(first) * TICKS), int(m.numerator), int(m.denominator))
        for m in first.recurse().getElementsByClass("TimeSignature")
    ]
    keys = [
        (round(k.getOffsetInHierarchy(first) * TICKS), int(k.sharps), False)
        for k in first.recurse().getElementsByClass("KeySignature")
    ]
    tempos = [
        (round(t.getOffsetInHierarchy(score) * TICKS), float(t.getQuarterBPM()))
        for t in score.recurse().getElementsByClass("MetronomeMark")
        if t.getQuarterBPM()
    ]
    import numpy as np

    lines = np.array([round(m.offset * TICKS) for m in first.getElementsByClass("Measure")], int)
    return make_piece(
        onset=onset,
        end=end,
        pitch=pitch,
        track=track,
        ticks_per_quarter=TICKS,
        tempos=tempos,
        meters=meters,
        keys=keys,
        bar_edges=counted_bars(lines, meters, TICKS) if len(lines) else None,
        track_names=[str(p.partName or "") for p in parts],
        has_velocity=False,
    )
