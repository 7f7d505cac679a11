"""A SoundFont 2 file as regions: which samples sound for a key, and how.

Conventions
-----------
- Generators of a preset add to those of its instrument; global zones give defaults (SoundFont 2.01,
  section 9.4).
- Modulators are left out; velocity acts through the standard's default curve.
- ``initialAttenuation`` counts 0.4 times, as the hardware that the format was made for has it and
  as soundfonts expect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Generators = dict[int, int]

_START, _END, _LOOP_START, _LOOP_END = 0, 1, 2, 3
_START_COARSE, _END_COARSE, _LOOP_START_COARSE, _LOOP_END_COARSE = 4, 12, 45, 50
_FILTER_CUTOFF, _FILTER_Q, _PAN = 8, 9, 17
_DELAY, _ATTACK, _HOLD, _DECAY, _SUSTAIN, _RELEASE, _KEY_HOLD, _KEY_DECAY = range(33, 41)
_INSTRUMENT, _KEY_RANGE, _VELOCITY_RANGE, _FIXED_KEY, _FIXED_VELOCITY = 41, 43, 44, 46, 47
_ATTENUATION, _COARSE, _FINE, _SAMPLE, _LOOPS, _SCALE, _CLASS, _ROOT = (
    48,
    51,
    52,
    53,
    54,
    56,
    57,
    58,
)
_ONLY_INSTRUMENT = {_START, _END, _LOOP_START, _LOOP_END, _START_COARSE, _END_COARSE,
                    _LOOP_START_COARSE, _LOOP_END_COARSE, _FIXED_KEY, _FIXED_VELOCITY, _LOOPS,
                    _CLASS, _ROOT, _KEY_RANGE, _VELOCITY_RANGE}  # fmt: skip
_DEFAULTS: Generators = {_FILTER_CUTOFF: 13500, _SCALE: 100, _ROOT: -1, _FIXED_KEY: -1,
                         _FIXED_VELOCITY: -1, _DELAY: -12000, _ATTACK: -12000, _HOLD: -12000,
                         _DECAY: -12000, _RELEASE: -12000}  # fmt: skip
_EVERYTHING = 0 | 127 << 8
_ATTENUATION_FACTOR = 0.4
_ROM = 0x8000

_HEADERS = {
    b"phdr": [("name", "S20"), ("preset", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("_", "V12")],
    b"inst": [("name", "S20"), ("bag", "<u2")],
    b"shdr": [("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"),
              ("loop_end", "<u4"), ("rate", "<u4"), ("key", "u1"), ("correction", "i1"),
              ("link", "<u2"), ("kind", "<u2")],
    b"pbag": [("generator", "<u2"), ("modulator", "<u2")],
    b"ibag": [("generator", "<u2"), ("modulator", "<u2")],
    b"pgen": [("kind", "<u2"), ("amount", "<i2")],
    b"igen": [("kind", "<u2"), ("amount", "<i2")],
}  # fmt: skip


class SoundFontError(ValueError):
    """A file that is not a whole SoundFont 2."""


class Voice(NamedTuple):
    """One sample for one note. Positions count samples; times are seconds; ``sustain`` and
    ``loudness`` are in decibels (0 or less); ``speed`` is in samples a second."""

    start: int
    end: int
    loop_start: int
    loop_end: int
    loops: int
    speed: float
    loudness: float
    pan: float
    delay: float
    attack: float
    hold: float
    decay: float
    sustain: float
    release: float
    cutoff: float
    resonance: float
    exclusive: int


@dataclass(frozen=True, eq=False)
class SoundFont:
    """``samples`` are all waveforms, shape (n,), float32 in -1..1."""

    samples: NDArray[np.float32]
    _presets: dict[tuple[int, int], list[tuple[Generators, list[Generators]]]]
    _headers: NDArray[Any]

    def voices(self, bank: int, program: int, key: int, velocity: int) -> list[Voice]:
        """What sounds for a key of a General MIDI program; bank 128 holds drum kits.

        A bank or program that the file lacks falls back to the first bank, then to program 0.
        """
        wanted = [(bank, program), (bank, 0)] if bank == 128 else [(bank, program), (0, program)]
        zones = next((self._presets[w] for w in [*wanted, (0, 0)] if w in self._presets), [])
        return [
            self._voice(_sum(preset, instrument), key, velocity)
            for preset, instruments in zones
            if _covers(preset, key, velocity)
            for instrument in instruments
            if _covers(instrument, key, velocity)
        ]

    def _voice(self, g: Generators, key: int, velocity: int) -> Voice:
        header = self._headers[g[_SAMPLE]]
        key = g[_FIXED_KEY] if g[_FIXED_KEY] >= 0 else key
        velocity = g[_FIXED_VELOCITY] if g[_FIXED_VELOCITY] >= 0 else velocity
        root = g[_ROOT] if g[_ROOT] >= 0 else int(header["key"])
        root = 60 if root > 127 else root
        cents = (key - root) * g[_SCALE] + 100 * g.get(_COARSE, 0) + g.get(_FINE, 0)
        cents += int(header["correction"])

        def at(name: str, fine: int, coarse: int) -> int:
            moved = int(header[name]) + g.get(fine, 0) + 32768 * g.get(coarse, 0)
            return max(0, min(len(self.samples) - 1, moved))

        return Voice(
            start=at("start", _START, _START_COARSE),
            end=at("end", _END, _END_COARSE),
            loop_start=at("loop_start", _LOOP_START, _LOOP_START_COARSE),
            loop_end=at("loop_end", _LOOP_END, _LOOP_END_COARSE),
            loops=g.get(_LOOPS, 0) & 3,
            speed=float(header["rate"]) * 2.0 ** (cents / 1200),
            loudness=40 * float(np.log10(max(1, velocity) / 127))
            - _ATTENUATION_FACTOR * max(0, g.get(_ATTENUATION, 0)) / 10,
            pan=max(-500, min(500, g.get(_PAN, 0))) / 1000,
            delay=_seconds(g[_DELAY]),
            attack=_seconds(g[_ATTACK]),
            hold=_seconds(g[_HOLD] + (60 - key) * g.get(_KEY_HOLD, 0)),
            decay=_seconds(g[_DECAY] + (60 - key) * g.get(_KEY_DECAY, 0)),
            sustain=-max(0, min(1000, g.get(_SUSTAIN, 0))) / 10,
            release=_seconds(g[_RELEASE]),
            cutoff=8.176 * 2.0 ** (min(13500, max(1500, g[_FILTER_CUTOFF])) / 1200),
            resonance=max(0, min(960, g.get(_FILTER_Q, 0))) / 10,
            exclusive=g.get(_CLASS, 0),
        )


def read_soundfont(path: Path) -> SoundFont:
    """The soundfont in a file.

    Raises:
        SoundFontError: the file is no SoundFont 2, or it is cut short.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    try:
        chunks = dict(_chunks(data))
        tables = {k: np.frombuffer(chunks[k], np.dtype(v)) for k, v in _HEADERS.items()}
        samples = np.frombuffer(chunks[b"smpl"], "<i2").astype(np.float32) / np.float32(32768)
    except (KeyError, ValueError) as error:
        raise SoundFontError(f"{path.name} is not a whole SoundFont 2 file: {error}") from error
    headers = tables[b"shdr"]
    instruments = [
        [z for z in zones if _SAMPLE in z and not headers[z[_SAMPLE]]["kind"] & _ROM]
        for zones in _zones(tables[b"inst"], tables[b"ibag"], tables[b"igen"], _SAMPLE, _DEFAULTS)
    ]
    presets: dict[tuple[int, int], list[tuple[Generators, list[Generators]]]] = {}
    every = _zones(tables[b"phdr"], tables[b"pbag"], tables[b"pgen"], _INSTRUMENT, {})
    for row, zones in zip(tables[b"phdr"], every, strict=False):
        found = [(z, instruments[z[_INSTRUMENT]]) for z in zones if _INSTRUMENT in z]
        presets.setdefault((int(row["bank"]), int(row["preset"])), found)
    return SoundFont(samples, presets, headers)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file, those inside its lists included."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("it does not begin as one")
    yield from _inside(data, 12, len(data))


def _inside(data: bytes, at: int, stop: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= stop:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > stop:
            raise ValueError(f"its part {name!r} is cut short")
        if name == b"LIST":
            yield from _inside(data, at + 12, at + 8 + size)
        else:
            yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _zones(
    headers: Any, bags: Any, generators: Any, last: int, defaults: Generators
) -> list[list[Generators]]:
    """The zones of each preset or instrument, each over the defaults of its global zone."""
    kinds, amounts = generators["kind"].tolist(), generators["amount"].tolist()
    starts = bags["generator"].tolist()
    found = []
    edges = headers["bag"].tolist()
    for first, end in pairwise(edges):
        base, zones = dict(defaults), []
        for i in range(first, end):
            a, b = starts[i], starts[i + 1]
            own = dict(zip(kinds[a:b], amounts[a:b], strict=True))
            if last not in own and i == first:
                base |= own
            elif last in own:
                zones.append(base | own)
        found.append(zones)
    return found


def _covers(zone: Generators, key: int, velocity: int) -> bool:
    keys, velocities = zone.get(_KEY_RANGE, _EVERYTHING), zone.get(_VELOCITY_RANGE, _EVERYTHING)
    return (keys & 255) <= key <= (keys >> 8 & 255) and (velocities & 255) <= velocity <= (
        velocities >> 8 & 255
    )


def _sum(preset: Generators, instrument: Generators) -> Generators:
    added = {
        k: instrument.get(k, 0) + v
        for k, v in preset.items()
        if k not in _ONLY_INSTRUMENT and k != _INSTRUMENT
    }
    return instrument | added


def _seconds(timecents: int) -> float:
    """Seconds of a time in timecents; the least one, -12000, is none at all.

    >>> _seconds(0), _seconds(1200), _seconds(-12000)
    (1.0, 2.0, 0.0)
    """
    return 0.0 if timecents <= -12000 else float(2.0 ** (min(timecents, 8000) / 1200))
