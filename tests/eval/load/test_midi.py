"""MIDI: repairs, refusals, conventions, and agreement with mido on real files."""

import io
from collections import defaultdict, deque
from pathlib import Path

import mido
import pytest
import seeds
from seeds import END, meter, note, smf, tempo

from concours.eval.load import Loaded, LoadError, load


def read(data: bytes) -> Loaded:
    return load(Path("x.mid"), data)


def test_notes_program_drums_and_tracks() -> None:
    first = b"\x00\xc0\x05" + note(60, 480) + note(36, 240, channel=9) + END
    piece = read(smf(first, note(64, 100) + END)).piece
    rows = zip(piece.onset, piece.end, piece.pitch, piece.program, piece.is_drum, strict=True)
    assert [tuple(r) for r in rows] == [
        (0, 480, 60, 5, False),
        (0, 100, 64, 0, False),
        (480, 720, 36, 0, True),
    ]
    assert len(set(piece.track.tolist())) == 3
    assert piece.has_velocity


def test_an_endless_note_ends_with_its_track() -> None:
    loaded = read(smf(b"\x00\x90\x3c\x40" + note(62, 480) + END))
    assert loaded.piece.end.tolist() == [480, 480]
    assert loaded.warnings == ("1 notes never switched off: ended with their track",)


def test_overlaps_pair_first_on_first_off() -> None:
    on, off = b"\x64\x90\x3c\x40", b"\x64\x80\x3c\x00"
    piece = read(smf(on + on + off + off + END)).piece
    assert list(zip(piece.onset, piece.end, strict=True)) == [(100, 300), (200, 400)]


def test_running_status_survives_sysex_and_velocity_0_is_off() -> None:
    track = b"\x00\x90\x3c\x40" + b"\x10\xf0\x02\x01\xf7" + b"\x10\x3c\x00" + END
    assert read(smf(track)).piece.end.tolist() == [32]


def test_type_2_patterns_follow_each_other_from_bar_lines() -> None:
    loaded = read(smf(note(60, 480) + END, note(62, 480) + END, kind=2))
    assert loaded.piece.onset.tolist() == [0, 1920]
    assert "type-2" in loaded.warnings[0]


def test_zero_length_notes_stay_and_lie_in_a_bar() -> None:
    loaded = read(smf(note(60, 1920) + note(62, 0) + END))
    assert loaded.piece.bar_edges.tolist() == [0, 1920, 3840]
    assert "no length" in loaded.warnings[0]


def test_riff_and_no_notes() -> None:
    data = smf(note(60, 480) + END)
    size = len(data).to_bytes(4, "little")
    assert read(b"RIFF" + size + b"RMIDdata" + size + data).piece.n_notes == 1
    assert read(smf(END)).warnings == ("no notes",)


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (tempo(0), "tempo"),
        (meter(0, 2), "time signature"),
        (meter(4, 30), "time signature"),
        (b"\x00\xff\x59\x02\x50\x07", "key signature"),
        (b"\x00\xff\x58\x00", "time signature"),
    ],
)
def test_impossible_maps_are_ignored_with_a_warning(event: bytes, what: str) -> None:
    loaded = read(smf(event + note(60, 480) + END))
    assert loaded.warnings == (f"1 impossible {what}s ignored",)
    assert loaded.piece.bar_edges.tolist() == [0, 1920]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (smf(note(60, 1) + END, division=0), "0 ticks per quarter"),
        (smf(note(60, 1) + END, division=0xE728), "SMPTE"),
        (smf(note(60, 1) + END, kind=3), "type 3"),
        (smf(note(60, 1) + END)[:-2], "cut short"),
        (smf(b"\x00\x90\xff\x40" + END), "over 127"),
        (smf(b"\x00\x3c\x40" + END), "status byte must stand"),
        (smf(b"\x00\xf4" + END), "undefined status"),
        (smf(b"\x00\xff\x03\x50ab"), "inside an event"),
        (smf(note(60, 2**28 - 1) + END, division=1), "beats"),
        (b"MThd\x00", "header"),
        (smf(*[END] * 5000), "5000 tracks"),
        (b"MThd" + bytes(17 << 20), "16 MiB"),
    ],
)
def test_refusals_name_the_cause(data: bytes, cause: str) -> None:
    with pytest.raises(LoadError, match=cause):
        read(data)


def test_a_very_long_delta_builds_no_huge_grid() -> None:
    piece = read(smf(note(60, 2**28 - 1) + END)).piece
    assert len(piece.beat_edges) == 559245


def by_mido(data: bytes) -> list[tuple[int, int, int, int]]:
    """Notes as mido's messages pair, first on first off; endless notes left out."""
    found = []
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        tick = 0
        sounding: dict[tuple[int, int], deque[tuple[int, int]]] = defaultdict(deque)
        for message in track:
            tick += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            open_ = sounding[message.channel, message.note]
            if message.type == "note_on" and message.velocity:
                open_.append((tick, message.velocity))
            elif open_:
                onset, velocity = open_.popleft()
                found.append((onset, tick, message.note, velocity))
    return sorted(found)


def test_real_files_agree_with_mido_note_for_note() -> None:
    files = sorted((seeds.SHARED / "symbolic").rglob("*.mid"))[::9]
    if not files:
        pytest.skip("0 real MIDI files: no shared data")
    for path in files:
        loaded = load(path)
        p = loaded.piece
        ours = sorted(
            zip(
                p.onset.tolist(),
                p.end.tolist(),
                p.pitch.tolist(),
                p.velocity.tolist(),
                strict=True,
            )
        )
        theirs = by_mido(path.read_bytes())
        endless = sum(int(w.split()[0]) for w in loaded.warnings if "never switched" in w)
        assert len(ours) == len(theirs) + endless, path.name
        assert not set(theirs) - set(ours), path.name
