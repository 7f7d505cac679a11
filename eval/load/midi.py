"""Standard MIDI files of type 0, 1 and 2, karaoke files and RIFF-wrapped ones.

Conventions
-----------
- A Piece's track is one channel of one MIDI track. Channel 10 is drums.
- Overlapping notes of one pitch pair first on, first off. A note never switched off ends with
  its track. A note of no length stays.
- Type 2 holds separate patterns: they are laid one after another, each from a bar line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from concours.eval.load.loaded import Loaded, LoadError
from concours.eval.load.smf import FAULTS, MAX_TICK, TrackEvents, read_track
from concours.metrics.grid import GridError
from concours.metrics.piece import Piece, make_piece

MAX_DENOMINATOR_POWER = 7
MAX_TRACKS = 4096
FIRST_CONTROL = 256  # a controller is a meta event of type 256 + its number


@dataclass
class _Score:
    """Columns under construction."""

    notes: list[NDArray[np.int64]] = field(default_factory=list)
    tracks: list[NDArray[np.int64]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    tempos: list[tuple[int, float]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, int, bool]] = field(default_factory=list)
    endless: int = 0
    stray: int = 0
    last_control: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


def read_midi(data: bytes) -> Loaded:
    """The piece in the bytes of a MIDI file.

    Raises:
        LoadError: not MIDI, cut short, damaged, timed in SMPTE frames, or of absurd length.
    """
    start = data.find(b"MThd", 0, 4096)
    if start < 0 or len(data) < start + 14:
        raise LoadError("no complete MIDI header: the file is empty, cut short or not MIDI")
    kind, n_tracks, division = (
        int.from_bytes(data[start + i : start + i + 2], "big") for i in (8, 10, 12)
    )
    if kind > 2:
        raise LoadError(f"MIDI type {kind} does not exist: the header is damaged")
    if division == 0:
        raise LoadError("0 ticks per quarter: no time can be read; export the file again")
    if division >= 0x8000:
        raise LoadError("times are in SMPTE frames, not in ticks per quarter: no beats to measure")
    warnings: list[str] = []
    spans = _track_spans(data, start, warnings)
    if len(spans) > MAX_TRACKS:
        raise LoadError(f"{len(spans)} tracks: no piece has over {MAX_TRACKS}")
    if len(spans) != n_tracks:
        warnings.append(f"the header says {n_tracks} tracks, the file has {len(spans)}")
    if kind == 0 and len(spans) > 1:
        warnings.append(f"a type-0 file with {len(spans)} tracks: read as type 1")
    array = np.frombuffer(data, np.uint8)
    score = _Score()
    try:
        if kind == 2 and len(spans) > 1:
            warnings.append(f"a type-2 file: its {len(spans)} patterns are laid one after another")
            offset = 0
            for index, span in enumerate(spans):
                alone = _Score()
                _add(alone, data, _events(array, span, warnings), index, 0)
                _add(score, data, _events(array, span, []), index, offset)
                edges = _piece(alone, division).bar_edges
                offset += int(edges[-1])
        else:
            for index, span in enumerate(spans):
                _add(score, data, _events(array, span, warnings), index, 0)
        piece = _piece(score, division)
    except GridError as error:
        raise LoadError(str(error)) from error
    return Loaded(piece, (*warnings, *_remarks(score, piece)), "midi")


def control_ticks(data: bytes, number: int) -> NDArray[np.int64]:
    """The ticks of control ``number`` in the track that sends it for longest."""
    array = np.frombuffer(data, np.uint8)
    longest: NDArray[np.int64] = np.empty(0, np.int64)
    for span in _track_spans(data, 0, []):
        metas = read_track(array, *span).metas
        ticks = metas[metas[:, 1] == FIRST_CONTROL + number, 0]
        if len(ticks) and (not len(longest) or ticks[-1] > longest[-1]):
            longest = ticks
    return longest


def _track_spans(data: bytes, start: int, warnings: list[str]) -> list[tuple[int, int]]:
    at = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
    limit = len(data)
    if start:  # inside RIFF: the data chunk may be followed by others
        limit = min(limit, start + int.from_bytes(data[start - 4 : start], "little"))
    spans: list[tuple[int, int]] = []
    foreign = 0
    while at + 8 <= limit:
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        stop = at + 8 + size
        is_track = data[at : at + 4] == b"MTrk"
        if stop > limit:
            if not is_track and spans:
                break
            raise LoadError(
                f"cut short: a chunk of {size} bytes at byte {at} has only {limit - at - 8}"
            )
        if is_track:
            spans.append((at + 8, stop))
        else:
            foreign += 1
        at = stop
    if foreign:
        warnings.append(f"{foreign} unknown chunks skipped")
    if at < limit:
        warnings.append(f"{limit - at} bytes after the last track ignored")
    return spans


def _events(array: NDArray[np.uint8], span: tuple[int, int], warnings: list[str]) -> TrackEvents:
    events = read_track(array, *span)
    if events.fault > 1:
        raise LoadError(
            f"damaged: {FAULTS[events.fault]} at byte {events.fault_at}; export the file again"
        )
    if events.fault == 1:
        warnings.append(FAULTS[1])
    return events


def _add(score: _Score, data: bytes, events: TrackEvents, index: int, offset: int) -> None:
    notes = events.notes
    name = ""
    metas = events.metas
    kinds = metas[:, 1]
    known = (kinds == 3) | (kinds == 0x51) | (kinds == 0x58) | (kinds == 0x59)
    for tick, kind, at, size in metas[known].tolist():
        content = data[at : at + size]
        if kind == 3:
            name = name or content.decode("utf-8", "replace").strip("\x00 ")
        elif not _add_map(score, tick + offset, kind, content):
            what = {0x51: "tempo", 0x58: "time signature", 0x59: "key signature"}[kind]
            score.dropped[what] = score.dropped.get(what, 0) + 1
    controls = metas[kinds >= FIRST_CONTROL, 0]
    score.last_control = max(score.last_control, int(controls.max(initial=-offset)) + offset)
    endless = notes[:, 1] < 0
    if endless.any():
        notes[endless, 1] = np.maximum(events.end_tick, notes[endless, 0])
        score.endless += int(endless.sum())
    score.stray += events.stray_offs
    if offset:
        notes[:, :2] += offset
    if not len(notes):
        return
    channels = notes[:, 2]
    low = int(channels.min())
    if low == int(channels.max()):
        score.tracks.append(np.full(len(notes), len(score.names)))
        score.names.append(name or f"track {index + 1}")
    else:
        used, inverse = np.unique(channels, return_inverse=True)
        score.tracks.append(inverse.reshape(-1) + len(score.names))
        score.names += [f"{name or f'track {index + 1}'} ({c + 1})" for c in used.tolist()]
    score.notes.append(notes)


def _add_map(score: _Score, tick: int, kind: int, content: bytes) -> bool:
    """Adds a tempo, a meter or a key; False where its content makes no sense."""
    if kind == 0x51:
        micros = int.from_bytes(content[:3], "big")
        if len(content) < 3 or micros == 0:
            return False
        score.tempos.append((tick, 60e6 / micros))
    elif kind == 0x58:
        if len(content) < 2 or content[0] == 0 or content[1] > MAX_DENOMINATOR_POWER:
            return False
        score.meters.append((tick, content[0], 1 << content[1]))
    else:
        fifths = content[0] - 256 if content and content[0] > 127 else (content or b"\x7f")[0]
        if len(content) < 2 or abs(fifths) > 7 or content[1] > 1:
            return False
        score.keys.append((tick, fifths, content[1] == 1))
    return True


def _piece(score: _Score, division: int) -> Piece:
    notes = np.concatenate([np.empty((0, 6), np.int64), *score.notes])
    if len(notes) and int(notes[:, 1].max()) > MAX_TICK:
        raise LoadError("damaged: " + FAULTS[6])
    return make_piece(
        onset=notes[:, 0],
        end=notes[:, 1],
        pitch=notes[:, 3],
        velocity=notes[:, 4],
        program=notes[:, 5],
        is_drum=notes[:, 2] == 9,
        track=np.concatenate([np.empty(0, np.int64), *score.tracks]),
        ticks_per_quarter=division,
        tempos=score.tempos,
        meters=score.meters,
        keys=score.keys,
        track_names=score.names,
        has_velocity=True,
        events_end=score.last_control,
    )


def _remarks(score: _Score, piece: Piece) -> list[str]:
    zero = int((piece.onset == piece.end).sum())
    remarks = [f"{n} impossible {what}s ignored" for what, n in sorted(score.dropped.items())]
    if score.endless:
        remarks.append(f"{score.endless} notes never switched off: ended with their track")
    if score.stray:
        remarks.append(f"{score.stray} note-offs without a note ignored")
    if zero:
        remarks.append(f"{zero} notes of no length kept")
    if not piece.n_notes:
        remarks.append("no notes")
    return remarks
