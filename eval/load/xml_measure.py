"""One written measure of one part of a MusicXML score, on integer ticks from its start."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element

Tempo = tuple[int, float]
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
UNITS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25}


class Instrument(NamedTuple):
    """A ``score-instrument`` as MIDI sees it; ``unpitched`` is its drum note."""

    name: str = ""
    program: int = 0
    drum: bool = False
    unpitched: int | None = None


class Note(NamedTuple):
    """A written note; ``onset`` from the start of its measure."""

    onset: int
    duration: int
    pitch: int
    velocity: int
    tie_start: bool
    tie_stop: bool
    instrument: Instrument
    drum: bool


@dataclass
class Measure:
    """``length`` is what the fullest voice fills; ``meter`` and ``key`` are those in force."""

    notes: list[Note] = field(default_factory=list)
    tempos: list[Tempo] = field(default_factory=list)
    length: int = 0
    meter: tuple[int, int] | None = None
    key: tuple[int, bool] | None = None
    states_dynamics: bool = False


class Reader:
    """Reads the measures of a part in written order; keeps what one measure leaves to the next."""

    def __init__(self, tpq: int, instruments: dict[str, Instrument], remarks: Counter[str]) -> None:
        self._tpq = tpq
        self._instruments = instruments
        self._default = next(iter(instruments.values()), Instrument())
        self._remarks = remarks
        self._divisions = 1
        self._transpose = 0
        self._velocity = 64
        self._meter: tuple[int, int] | None = None
        self._key: tuple[int, bool] | None = None

    def read(self, element: Element) -> Measure:
        measure = Measure()
        at = chord_at = 0
        for child in element:
            if child.tag == "note":
                if child.find("grace") is not None:
                    self._remarks["grace notes left out"] += 1
                    continue
                silent = child.find("cue") is not None
                self._remarks["cue notes left out"] += silent
                duration = self._ticks(child)
                onset = chord_at if child.find("chord") is not None else at
                if child.find("rest") is None and not silent:
                    self._add_note(measure, child, onset, duration)
                chord_at, at = onset, max(at, onset + duration)
            elif child.tag == "forward":
                at += self._ticks(child)
            elif child.tag == "backup":
                at = max(0, at - self._ticks(child))
            elif child.tag == "attributes":
                self._attributes(child)
            elif child.tag in ("direction", "sound"):
                self._direction(measure, child, at)
            measure.length = max(measure.length, at)
        measure.meter, measure.key = self._meter, self._key
        if not measure.length and self._meter:
            measure.length = self._meter[0] * 4 * self._tpq // self._meter[1]
        return measure

    def _ticks(self, element: Element) -> int:
        duration = float(element.findtext("duration") or 0)
        if duration < 0:
            raise ValueError(f"a duration of {duration}")
        return round(duration * self._tpq / self._divisions)

    def _add_note(self, measure: Measure, element: Element, onset: int, duration: int) -> None:
        stated = element.find("instrument")
        instrument = self._default
        if stated is not None:
            instrument = self._instruments.get(stated.get("id", ""), self._default)
        pitch = self._pitch(element, instrument)
        if pitch is None:
            return
        velocity = self._velocity
        dynamics = element.get("dynamics")
        if dynamics is not None:
            velocity, measure.states_dynamics = _velocity(dynamics), True
        ties = {tie.get("type") for tie in element.findall("tie")}
        drum = instrument.drum or element.find("unpitched") is not None
        measure.notes.append(
            Note(
                onset, duration, pitch, velocity, "start" in ties, "stop" in ties, instrument, drum
            )
        )

    def _pitch(self, element: Element, instrument: Instrument) -> int | None:
        unpitched = element.find("unpitched") is not None
        if unpitched and instrument.unpitched is not None:
            return instrument.unpitched
        prefix = "unpitched/display-" if unpitched else "pitch/"
        step = (element.findtext(prefix + "step") or "").strip()
        octave = element.findtext(prefix + "octave")
        if step not in STEPS or octave is None:
            self._remarks["notes without a pitch left out"] += 1
            return None
        alter = float(element.findtext("pitch/alter") or 0)
        if alter != round(alter):
            self._remarks["microtones rounded to a semitone"] += 1
        pitch = 12 * (int(octave) + 1) + STEPS[step] + round(alter)
        pitch += 0 if unpitched else self._transpose
        if not 0 <= pitch <= 127:
            self._remarks["notes outside the MIDI range left out"] += 1
            return None
        return pitch

    def _attributes(self, element: Element) -> None:
        divisions = element.findtext("divisions")
        if divisions:
            self._divisions = int(float(divisions))
        fifths = element.findtext("key/fifths")
        if fifths and abs(int(fifths)) <= 7:
            self._key = (int(fifths), element.findtext("key/mode") == "minor")
        transpose = element.find("transpose")
        if transpose is not None:
            self._transpose = round(float(transpose.findtext("chromatic") or 0))
            self._transpose += 12 * int(transpose.findtext("octave-change") or 0)
        beats, unit = element.findtext("time/beats"), element.findtext("time/beat-type")
        if beats and unit:
            numerator, denominator = sum(int(n) for n in beats.split("+")), int(unit)
            if 0 < numerator <= 255 and denominator in (1, 2, 4, 8, 16, 32, 64, 128):
                self._meter = (numerator, denominator)
            else:
                self._remarks["impossible time signatures ignored"] += 1

    def _direction(self, measure: Measure, element: Element, at: int) -> None:
        sound = element if element.tag == "sound" else element.find("sound")
        qpm: float | None = None
        if sound is not None:
            if sound.get("dynamics") is not None:
                self._velocity = _velocity(sound.get("dynamics", ""))
                measure.states_dynamics = True
            if sound.get("tempo") is not None:
                qpm = float(sound.get("tempo", ""))
        metronome = element.find("direction-type/metronome")
        if qpm is None and metronome is not None:
            unit = UNITS.get(metronome.findtext("beat-unit") or "")
            rate = metronome.findtext("per-minute") or ""
            if unit and rate.strip().replace(".", "", 1).isdigit():
                dots = len(metronome.findall("beat-unit-dot"))
                qpm = float(rate) * unit * (2 - 0.5**dots)
        if qpm is not None and 0 < qpm < 1e6:
            measure.tempos.append((at, qpm))
        elif qpm is not None:
            self._remarks["impossible tempos ignored"] += 1


def _velocity(dynamics: str) -> int:
    """MusicXML counts dynamics in per cent of velocity 90."""
    return min(127, max(1, round(float(dynamics) * 0.9)))
