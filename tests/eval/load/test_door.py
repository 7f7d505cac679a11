"""The door itself: dispatch, parts, encodings, and what can't be opened."""

from pathlib import Path

import pytest
import seeds

from concours.eval.load import LoadError, kind_of, load, part_bytes, parts, read_part

MIDI, XML = seeds.tune_as_midi(), seeds.tune_as_xml()
TWO = b"%abc\nX:1\nM:3/4\nL:1/4\nK:C\nceg|\n\nX:1\nM:3/4\nL:1/4\nK:C\nfff|\n"


def test_one_tune_in_three_formats_is_one_piece() -> None:
    pieces = [
        load(Path("t.mid"), MIDI).piece,
        load(Path("t.xml"), XML).piece,
        load(Path("t.abc"), seeds.TUNE.encode()).piece,
    ]
    for p in pieces:
        quarter = p.ticks_per_quarter
        assert p.pitch.tolist() == [67, 72, 76, 74, 77, 76]
        assert (p.onset / quarter).tolist() == [0, 1, 3, 4, 6, 7]
        assert (p.end / quarter).tolist() == [1, 3, 4, 6, 7, 10]
        assert (p.bar_edges / quarter).tolist() == [0, 1, 4, 7, 10]
        assert (p.beat_edges / quarter).tolist() == list(range(11))
    assert [p.has_velocity for p in pieces] == [True, False, False]


def test_content_decides_and_the_suffix_is_remarked() -> None:
    loaded = load(Path("t.abc"), MIDI)
    assert loaded.format == "midi"
    assert "suffix .abc says abc" in loaded.warnings[0]


def test_tunes_of_a_file_are_parts_with_unique_names() -> None:
    path = Path("two.abc")
    assert parts(path, TWO) == ["X:1", "X:1-2"]
    assert load(path, TWO, "X:1").piece.pitch.tolist() == [72, 76, 79]
    assert load(path, TWO, "X:1-2").piece.pitch.tolist() == [77, 77, 77]
    assert part_bytes(TWO, "X:1") != part_bytes(TWO, "X:1-2")
    with pytest.raises(LoadError, match="2 tunes in one file"):
        load(path, TWO)
    with pytest.raises(LoadError, match="no tune X:9"):
        load(path, TWO, "X:9")
    assert parts(Path("t.mid"), MIDI) == [""]
    assert part_bytes(MIDI) == MIDI


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + seeds.TUNE.encode(),
        seeds.TUNE.replace("\n", "\r\n").encode(),
        seeds.TUNE.replace("\n", "\r").encode(),
        seeds.TUNE.replace("T:t", "T:caf\xe9").encode("latin-1"),
        seeds.TUNE.replace("T:t", "T:caf\xe9 \u266d").encode("utf-8"),
    ],
)
def test_encodings_and_line_ends_of_abc(text: bytes) -> None:
    assert load(Path("t.abc"), text).piece.pitch.tolist() == [67, 72, 76, 74, 77, 76]


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    for data, cause in ((b"", "empty file"), (b"hello", "not MIDI"), (b"\x00" * 99, "not MIDI")):
        with pytest.raises(LoadError, match=cause):
            load(Path("x.mid"), data)
    with pytest.raises(LoadError, match="a folder"):
        load(tmp_path)
    with pytest.raises(LoadError, match="can't be opened"):
        load(tmp_path / "gone.mid")
    with pytest.raises(LoadError, match="only ABC"):
        load(Path("t.mid"), MIDI, "X:1")


def test_kinds_by_suffix() -> None:
    symbolic = ["mid", "midi", "kar", "rmi", "musicxml", "xml", "mxl", "abc", "krn"]
    audio = ["wav", "flac", "ogg", "mp3", "aiff", "aif", "m4a", "opus"]
    assert {kind_of(Path("a." + s)) for s in symbolic} == {"symbolic"}
    assert {kind_of(Path("a." + s.upper())) for s in audio} == {"audio"}
    assert kind_of(Path("a.txt")) is None


def test_kern_reads_notes_and_bars(capfd: pytest.CaptureFixture[str]) -> None:
    piece = load(Path("t.krn"), seeds.KERN.encode()).piece
    assert piece.pitch.tolist() == [60, 62, 64, 65]
    assert (piece.bar_edges / piece.ticks_per_quarter).tolist() == [0, 3, 6]
    assert capfd.readouterr() == ("", "")


def test_one_tune_of_a_book_is_read_again_once_the_book_changes(tmp_path: Path) -> None:
    path = tmp_path / "book.abc"
    path.write_bytes(TWO)
    assert read_part(path, "X:1") == part_bytes(TWO, "X:1")
    changed = TWO + b"\nX:7\nK:C\nE|\n"
    path.write_bytes(changed)
    assert read_part(path, "X:7") == part_bytes(changed, "X:7")
    with pytest.raises(LoadError, match="no tune X:9"):
        read_part(path, "X:9")


def test_only_symbolic_files_have_a_largest_size(tmp_path: Path) -> None:
    for name in ("long.wav", "long.mid"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(17 << 20)
    assert len(read_part(tmp_path / "long.wav")) == 17 << 20
    with pytest.raises(LoadError, match="no symbolic piece"):
        read_part(tmp_path / "long.mid")
