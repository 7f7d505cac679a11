"""Standard MIDI files of type 0, 1 and 2, karaoke files and RIFF-wrapped ones.

Conventions
-----------
- A Piece's track is one channel of one MIDI track. Channel 10 is drums.
- Overlapping notes of one pitch pair first on, first off. A note never switched off ends with
  its track. A note of no length stays.
- Type 2 holds separate patterns: they are laid one after another, each from a bar line.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from concours.eval.load.loaded import Loaded, LoadError
from concours.eval.load.smf import FAULTS, MAX_TICK, Events, read_tracks
from concours.metrics.grid import GridError
from concours.metrics.piece import Piece, lay_out

MAX_DENOMINATOR_POWER = 7
MAX_TRACKS = 4096
NO_TEMPOS: NDArray[np.int64] = np.empty((0, 2), np.int64)
NO_NOTES: NDArray[np.int64] = np.empty((7, 0), np.int64)


@dataclass
class _Score:
    """A piece under construction; ``notes`` as :class:`Events` has them."""

    notes: list[NDArray[np.int64]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    tempos: list[NDArray[np.int64]] = field(default_factory=list)
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
    score = _Score()
    try:
        if kind == 2 and len(spans) > 1:
            warnings.append(f"a type-2 file: its {len(spans)} patterns are laid one after another")
            offset = 0
            for index, span in enumerate(spans):
                alone, events = _Score(), _events(data, [span], warnings)
                _add(alone, data, events, index, 0)
                edges = _piece(alone, division).bar_edges
                _add(score, data, events, index, offset)
                offset += int(edges[-1])
        elif spans:
            _add(score, data, _events(data, spans, warnings), 0, 0)
        piece = _piece(score, division)
    except GridError as error:
        raise LoadError(str(error)) from error
    return Loaded(piece, (*warnings, *_remarks(score, piece)), "midi")


def control_ticks(data: bytes, number: int) -> NDArray[np.int64]:
    """The ticks of control ``number`` in the track that sends it for longest."""
    longest: NDArray[np.int64] = np.empty(0, np.int64)
    spans = np.array(_track_spans(data, 0, []), np.int64).reshape(-1, 2)
    metas = read_tracks(np.frombuffer(data, np.uint8), spans, number).metas
    for track in range(len(spans)):
        ticks = metas[(metas[:, 1] == 256 + number) & (metas[:, 4] == track), 0]
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


def _events(data: bytes, spans: list[tuple[int, int]], warnings: list[str]) -> Events:
    events = read_tracks(np.frombuffer(data, np.uint8), np.array(spans, np.int64))
    for row in events.tracks.tolist():
        fault, at = row[4:]
        if fault > 1:
            raise LoadError(f"damaged: {FAULTS[fault]} at byte {at}; export the file again")
        if fault == 1:
            warnings.append(FAULTS[1])
    return events


def _add(score: _Score, data: bytes, events: Events, first: int, offset: int) -> None:
    """Adds the tracks, numbered from ``first``, ``offset`` ticks later."""
    names: dict[int, str] = {}
    for tick, kind, at, size, track in events.metas.tolist():
        content = data[at : at + size]
        if kind == 3:
            if not names.get(track):
                names[track] = content.decode("utf-8", "replace").strip("\x00 ")
        elif not _add_map(score, tick + offset, kind, content):
            what = {0x58: "time signature", 0x59: "key signature"}[kind]
            score.dropped[what] = score.dropped.get(what, 0) + 1
    tempos = events.tempos
    if len(tempos):
        fine = tempos[:, 1] > 0
        if not fine.all():
            score.dropped["tempo"] = score.dropped.get("tempo", 0) + int(np.count_nonzero(~fine))
            tempos = tempos[fine]
        score.tempos.append(tempos + np.array([offset, 0]))
    for _, stray, endless, control, _, _ in events.tracks.tolist():
        score.stray += stray
        score.endless += endless
        score.last_control = max(score.last_control, control + offset if control >= 0 else 0)
    notes = events.notes
    if offset or score.names:
        notes = notes.copy()
        notes[:2] += offset
        notes[4] += len(score.names)
    score.notes.append(notes)
    parts = events.parts.tolist()
    several = {t for t, count in Counter(t for t, _ in parts).items() if count > 1}
    for track, channel in parts:
        name = names.get(track) or f"track {first + track + 1}"
        score.names.append(f"{name} ({channel + 1})" if track in several else name)


def _add_map(score: _Score, tick: int, kind: int, content: bytes) -> bool:
    """Adds a meter or a key; False where its content makes no sense."""
    if kind == 0x58:
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
    parts = score.notes or [NO_NOTES]
    notes = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    if notes.shape[1] and int(notes[1].max()) > MAX_TICK:
        raise LoadError("damaged: " + FAULTS[6])
    tempos = np.concatenate([NO_TEMPOS, *score.tempos])
    return lay_out(
        notes[:6],
        notes[6] == 9,
        ticks_per_quarter=division,
        tempos=(tempos[:, 0], 60e6 / tempos[:, 1]),
        meters=score.meters,
        keys=score.keys,
        track_names=score.names,
        has_velocity=True,
        events_end=score.last_control,
    )


def _remarks(score: _Score, piece: Piece) -> list[str]:
    zero = int(np.count_nonzero(piece.onset == piece.end))
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
