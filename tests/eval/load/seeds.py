"""Small pieces of music, built here, that the loader tests share."""

from __future__ import annotations

import struct
from pathlib import Path

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
END = b"\x00\xff\x2f\x00"
TUNE = "X:1\nT:t\nM:3/4\nL:1/4\nK:C\nG|c2e|d2f|e3|]\n"  # a pickup and three bars


def time(n: int) -> bytes:
    out = [n & 127]
    while n := n >> 7:
        out.append((n & 127) | 128)
    return bytes(reversed(out))


def note(pitch: int, length: int, wait: int = 0, velocity: int = 80, channel: int = 0) -> bytes:
    on, off = bytes([0x90 | channel, pitch, velocity]), bytes([0x80 | channel, pitch, 0])
    return time(wait) + on + time(length) + off


def meter(numerator: int, power: int, wait: int = 0) -> bytes:
    return time(wait) + bytes([0xFF, 0x58, 4, numerator, power, 24, 8])


def tempo(micros: int, wait: int = 0) -> bytes:
    return time(wait) + b"\xff\x51\x03" + micros.to_bytes(3, "big")


def smf(*tracks: bytes, kind: int = 1, division: int = 480) -> bytes:
    out = b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), division)
    for track in tracks:
        out += b"MTrk" + struct.pack(">I", len(track)) + track
    return out


def tune_as_midi() -> bytes:
    pitches = [(67, 1), (72, 2), (76, 1), (74, 2), (77, 1), (76, 3)]
    notes = b"".join(note(p, 480 * n) for p, n in pitches)
    return smf(meter(1, 2) + meter(3, 2, 480) + END, notes + END)


def xml_note(step: str, octave: int, length: int, more: str = "") -> str:
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{pitch}<duration>{length}</duration>{more}</note>"


def score(*measures: str, head: str = "") -> bytes:
    attributes = (
        "<attributes><divisions>2</divisions>"
        f"<time><beats>3</beats><beat-type>4</beat-type></time>{head}</attributes>"
    )
    body = "".join(
        f"<measure number='{i}'>{attributes if i == 0 else ''}{m}</measure>"
        for i, m in enumerate(measures)
    )
    return (
        "<?xml version='1.0'?><score-partwise><part-list><score-part id='P1'>"
        "<part-name>Flute</part-name></score-part></part-list>"
        f"<part id='P1'>{body}</part></score-partwise>"
    ).encode()


def tune_as_xml() -> bytes:
    return score(
        xml_note("G", 4, 2),
        xml_note("C", 5, 4) + xml_note("E", 5, 2),
        xml_note("D", 5, 4) + xml_note("F", 5, 2),
        xml_note("E", 5, 6),
    )


KERN = "**kern\n*M3/4\n=1-\n4c\n4d\n4e\n=2\n2.f\n==\n*-\n"
