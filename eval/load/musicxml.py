"""MusicXML scores as they are played.

Conventions
-----------
- Repeats, endings and jumps are unfolded. Pitches sound as heard: transposing parts are moved.
- Tied notes are one note. Grace and cue notes take no written time and are left out.
- A measure lasts as long as its fullest part; its bar lines are the piece's bars.
- ``has_velocity`` is true only where the file gives sounding dynamics.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from concours.eval.load.barlines import Ticks, counted_bars
from concours.eval.load.loaded import Loaded, LoadError
from concours.eval.load.xml_file import score_of
from concours.eval.load.xml_measure import Instrument, Measure, Reader, Tempo
from concours.eval.load.xml_order import played_order
from concours.metrics.grid import GridError
from concours.metrics.piece import Piece, make_piece

MAX_TICKS_PER_QUARTER = 1_000_000


class _Row(NamedTuple):
    onset: int
    end: int
    pitch: int
    velocity: int
    track: int
    program: int
    drum: bool


def read_musicxml(data: bytes) -> Loaded:
    """The piece in the bytes of a MusicXML or MXL file.

    Raises:
        LoadError: not a readable partwise score, no sensible times, or repeats without end.
    """
    root = score_of(data)
    remarks: Counter[str] = Counter()
    try:
        piece = _piece(root, remarks)
    except LoadError:
        raise
    except GridError as error:
        raise LoadError(str(error)) from error
    except (ValueError, OverflowError, ArithmeticError) as error:
        raise LoadError(f"the score states an impossible value: {error}") from error
    if not piece.n_notes:
        remarks["no notes"] = -1
    texts = (f"{n} {what}" if n > 0 else what for what, n in remarks.items() if n)
    return Loaded(piece, tuple(texts), "musicxml")


def _piece(root: Element, remarks: Counter[str]) -> Piece:
    parts = root.findall("part")
    divisions = {int(float(d.text or 1)) for d in root.iter("divisions")} or {1}
    if min(divisions) <= 0:
        raise LoadError("divisions per quarter are not positive: export the score again")
    tpq = math.lcm(*divisions)
    if tpq > MAX_TICKS_PER_QUARTER:
        raise LoadError(f"divisions {sorted(divisions)[:4]}… have no sensible common grid")
    names: list[str] = []
    read: list[list[Measure]] = []
    for part in parts:
        names.append(_name(root, part.get("id", "")))
        reader = Reader(tpq, _instruments(root, part.get("id", "")), remarks)
        read.append([reader.read(measure) for measure in part.findall("measure")])
    if not read:
        return make_piece(onset=[], end=[], pitch=[], ticks_per_quarter=tpq, has_velocity=False)
    order = played_order(parts[0].findall("measure"))
    if any(len(measures) != len(read[0]) for measures in read):
        remarks["the parts differ in their number of measures"] = -1
    lengths = [
        max((m[i].length for m in read if i < len(m)), default=0) for i in range(len(read[0]))
    ]
    starts = np.concatenate([[0], np.cumsum([lengths[i] for i in order], dtype=np.int64)])
    meters, keys, tempos = _maps(read, order, starts.tolist())
    rows = [r for t, measures in enumerate(read) for r in _rows(t, measures, order, starts)]
    columns = np.array(rows, np.int64).reshape(-1, 7)
    return make_piece(
        onset=columns[:, 0],
        end=columns[:, 1],
        pitch=columns[:, 2],
        velocity=columns[:, 3],
        track=columns[:, 4],
        program=columns[:, 5],
        is_drum=columns[:, 6].astype(np.bool_),
        ticks_per_quarter=tpq,
        tempos=tempos,
        meters=meters,
        keys=keys,
        bar_edges=counted_bars(starts, meters, tpq),
        track_names=names,
        has_velocity=any(m.states_dynamics for measures in read for m in measures),
    )


def _rows(track: int, measures: list[Measure], order: list[int], starts: Ticks) -> list[_Row]:
    rows: list[_Row] = []
    # Voices may hold the same pitch at once, so a tie goes on where a held note ends, in any voice.
    open_ties: dict[tuple[int, str, int], list[int]] = {}
    for start, index in zip(starts.tolist(), order, strict=False):
        for note in measures[index].notes if index < len(measures) else ():
            onset, end = start + note.onset, start + note.onset + note.duration
            waiting = open_ties.get((note.pitch, note.instrument.name, onset))
            if note.tie_stop and waiting:
                held = waiting.pop(0)
                rows[held] = rows[held]._replace(end=end)
            else:
                held = len(rows)
                program, drum = note.instrument.program, note.drum
                rows.append(_Row(onset, end, note.pitch, note.velocity, track, program, drum))
            if note.tie_start:
                open_ties.setdefault((note.pitch, note.instrument.name, end), []).append(held)
    return rows


def _maps(
    read: list[list[Measure]], order: list[int], starts: list[int]
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, bool]], list[tuple[int, float]]]:
    """Meters and keys of the first part, tempos of all, on played time."""
    meters: list[tuple[int, int, int]] = []
    keys: list[tuple[int, int, bool]] = []
    tempos: list[tuple[int, float]] = []
    everyone: list[list[Tempo]] = [
        sorted({t for m in read if i < len(m) for t in m[i].tempos}) for i in range(len(read[0]))
    ]
    before: list[float | None] = []
    current: float | None = None
    for here in everyone:
        before.append(current)
        current = here[-1][1] if here else current
    for start, i in zip(starts, order, strict=False):
        measure = read[0][i]
        if measure.meter and (not meters or meters[-1][1:] != measure.meter):
            meters.append((start, *measure.meter))
        if measure.key and (not keys or keys[-1][1:] != measure.key):
            keys.append((start, *measure.key))
        opening = before[i]
        if opening is not None and (not tempos or tempos[-1][1] != opening):
            tempos.append((start, opening))
        tempos += [(start + at, qpm) for at, qpm in everyone[i]]
    return meters, keys, tempos


def _name(root: Element, part_id: str) -> str:
    for element in root.findall("part-list/score-part"):
        if element.get("id") == part_id:
            return (element.findtext("part-name") or "").strip()
    return ""


def _instruments(root: Element, part_id: str) -> dict[str, Instrument]:
    found: dict[str, Instrument] = {}
    for part in root.findall("part-list/score-part"):
        if part.get("id") != part_id:
            continue
        for element in part.findall("midi-instrument"):
            name = element.get("id", "")
            program = int(element.findtext("midi-program") or 1) - 1
            unpitched = int(element.findtext("midi-unpitched") or 0) - 1
            found[name] = Instrument(
                name,
                program if 0 <= program <= 127 else 0,
                element.findtext("midi-channel") == "10",
                unpitched if 0 <= unpitched <= 127 else None,
            )
    return found
