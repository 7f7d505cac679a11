"""MusicXML: ties, voices, repeats, transposition, bombs; agreement with music21 on chorales."""

import io
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import seeds
from seeds import score, xml_note

from concours.eval.load import Loaded, LoadError, load

BAR = xml_note("C", 4, 6)


def read(data: bytes) -> Loaded:
    return load(Path("x.musicxml"), data)


def pack(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


def repeat(direction: str, ending: str = "") -> str:
    return f"<barline>{ending}<repeat direction='{direction}'/></barline>"


def ending(number: int, kind: str) -> str:
    return f"<barline><ending number='{number}' type='{kind}'/></barline>"


def test_chords_voices_and_ties() -> None:
    first = xml_note("C", 4, 6, "<tie type='start'/>") + "<backup><duration>6</duration></backup>"
    second = xml_note("E", 4, 2)
    piece = read(score(first + second, xml_note("C", 4, 2, "<tie type='stop'/>"))).piece
    assert sorted(zip(piece.onset, piece.end, piece.pitch, strict=True)) == [
        (0, 2, 64),
        (0, 8, 60),
    ]
    assert piece.bar_edges.tolist() == [0, 6, 8]


def test_repeats_with_endings_of_several_measures() -> None:
    one = ending(1, "start") + xml_note("D", 4, 6)
    one_b = xml_note("E", 4, 6) + repeat("backward", "<ending number='1' type='stop'/>")
    two = ending(2, "start") + xml_note("F", 4, 6) + ending(2, "stop")
    piece = read(score(repeat("forward") + BAR, one, one_b, two)).piece
    assert piece.pitch.tolist() == [60, 62, 64, 60, 65]


def test_a_measure_that_is_a_whole_repeat() -> None:
    both = repeat("forward") + xml_note("D", 4, 6) + repeat("backward")
    assert read(score(BAR, both, BAR)).piece.pitch.tolist() == [60, 62, 62, 60]


def test_da_capo_al_fine() -> None:
    fine = BAR + "<sound fine='yes'/>"
    jump = xml_note("D", 4, 6) + "<sound dacapo='yes'/>"
    assert read(score(fine, jump)).piece.pitch.tolist() == [60, 62, 60]


def test_transposing_parts_sound() -> None:
    head = "<transpose><chromatic>-2</chromatic></transpose>"
    assert read(score(BAR, head=head)).piece.pitch.tolist() == [58]


def test_velocity_is_known_only_where_stated() -> None:
    assert not read(score(BAR)).piece.has_velocity
    loud = read(score("<sound dynamics='100'/>" + BAR)).piece
    assert loud.has_velocity
    assert loud.velocity.tolist() == [90]


def test_mxl_and_wrong_suffix_inside() -> None:
    assert load(Path("x.mxl"), pack(a_xml=score(BAR))).piece.n_notes == 1


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><score-partwise>&b;</score-partwise>", "entities"),
        (b"<html></html>", "not a MusicXML score"),
        (b"<score-timewise/>", "partwise"),
        (b"<score-partwise><part>", "well-formed"),
        (pack(a_txt=b"x"), "holds no MusicXML"),
        (pack(a_xml=b" " * (17 << 20)), "16 MiB"),
        (pack(a_xml=score(BAR))[:60], "damaged MXL"),
        (score(BAR + "<barline><repeat direction='backward' times='999999'/></barline>"), "repeat"),
        (score(xml_note("C", 4, -6)), "impossible value"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a zip's bytes hold the clock
)
def test_refusals(data: bytes, cause: str) -> None:
    with pytest.raises(LoadError, match=cause):
        read(data)


def test_bach_chorales_agree_with_music21_note_for_note() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from music21 import converter, corpus

        paths = [p for p in corpus.getComposer("bach") if str(p).endswith(".mxl")][::60]
        assert paths
        for path in paths:
            score_ = converter.parse(path).expandRepeats().toSoundingPitch()
            theirs = Counter(
                (round(float(n.offset), 3), round(float(n.offset + n.quarterLength), 3), int(p.ps))
                for part in score_.parts
                for n in part.stripTies().flatten().notes
                if not n.duration.isGrace
                for p in n.pitches
            )
            piece = load(Path(path)).piece
            quarter = piece.ticks_per_quarter
            columns = ((piece.onset / quarter).round(3), (piece.end / quarter).round(3))
            ours = Counter(zip(*(c.tolist() for c in columns), piece.pitch.tolist(), strict=True))
            assert ours == theirs, path


def test_lieder_load() -> None:
    files = sorted((seeds.SHARED / "symbolic" / "reference").glob("musicxml_lieder*/*"))
    if not files:
        pytest.skip("0 lieder: no shared data")
    pieces = {f: load(f).piece for f in files}
    for path, piece in pieces.items():
        assert piece.n_notes > 100, path
        twin = next((p for f, p in pieces.items() if f.stem == path.stem), piece)
        assert twin.onset.tolist() == piece.onset.tolist()
