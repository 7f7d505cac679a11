"""ABC: pickups, repeats, chords that stay silent, repairs, isolation, the Nottingham pairs."""

from pathlib import Path

import numpy as np
import pytest
import seeds

from concours.eval.load import Loaded, LoadError, load
from concours.metrics.piece import Piece

HEAD = "X:1\nM:4/4\nL:1/4\nK:C\n"


def read(text: str) -> Loaded:
    return load(Path("t.abc"), text.encode())


def quarters(piece: Piece) -> list[float]:
    edges: list[float] = (piece.bar_edges / piece.ticks_per_quarter).tolist()
    return edges


def test_onsets_stand_on_the_written_ticks() -> None:
    piece = read(HEAD + "cdef|gabc'|\n").piece
    assert piece.onset.tolist() == list(range(0, 3840, 480))
    assert piece.end.tolist() == list(range(480, 4320, 480))
    assert not piece.has_velocity


def test_repeats_and_endings_keep_their_bar_lines() -> None:
    piece = read(HEAD + "G|:cdef|1gabc':|2gfed|c4|]\n").piece
    assert quarters(piece) == [0, 1, 5, 9, 13, 17, 21]


def test_a_bar_split_by_a_repeat_sign_is_one_bar() -> None:
    piece = read(HEAD + "|:G|cdef|gab:|\n").piece
    assert quarters(piece) == [0, 1, 5, 9, 13, 16]


def test_a_tie_over_the_bar_line_moves_no_bar() -> None:
    piece = read(HEAD + "cdef|gab2-|b2cd|e4-|e4|\n").piece
    assert quarters(piece) == [0, 4, 8, 12, 16, 20]
    assert piece.n_notes == 10


def test_a_rest_before_the_bar_line_moves_no_bar() -> None:
    assert quarters(read(HEAD + "G|cdez|cdz2|g4|\n").piece) == [0, 1, 5, 9, 13]


def test_chord_symbols_and_bars_in_text_are_silent() -> None:
    plain = read(HEAD + "cdef|gabc'|\n").piece
    with_symbols = read(HEAD + '"Gm"cd"A|B"ef|"C7"gabc\'|% |||\n').piece
    assert with_symbols.pitch.tolist() == plain.pitch.tolist()
    assert quarters(with_symbols) == quarters(plain)


def test_a_length_behind_a_space_is_read_and_remarked() -> None:
    loaded = read(HEAD + "c 2 d 2|e 4|\n")
    assert (loaded.piece.end - loaded.piece.onset).tolist() == [960, 960, 1920]
    assert loaded.warnings[0].startswith("3 note lengths stood behind a space")


def test_two_voices_share_the_bars() -> None:
    piece = read(HEAD + "V:1\nG|cdef|g4|\nV:2\nC|C4|E4|\n").piece
    assert quarters(piece) == [0, 1, 5, 9]
    assert len(set(piece.track.tolist())) == 2


def test_complaints_are_kept_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    loaded = read(HEAD + "cdefg|cd|\n" + 'c"Xyz"d]]{|\n')
    assert any(w.startswith("abc2midi: ") for w in loaded.warnings)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "cause"),
    [("X:1\nT:no key\nabc|\n", "no K:"), ("X:1\nK:C\n" + "c" * 2**20, "split it")],
)
def test_refusals(text: str, cause: str) -> None:
    with pytest.raises(LoadError, match=cause):
        read(text)


def test_the_nottingham_tunes_are_their_midi_twins() -> None:
    """The MIDI edition fills the bar of a pickup with a rest and adds the chords; else the notes
    and the bars are the same."""
    folder = seeds.SHARED / "symbolic" / "reference" / "nottingham"
    tunes = sorted(folder.glob("abc/*.abc"))
    if not tunes:
        pytest.skip("0 Nottingham pairs: no shared data")
    same_notes = same_bars = 0
    for path in tunes:
        abc, midi = load(path).piece, load(folder / "midi" / f"{path.stem}.mid").piece
        bars, twin = quarters(abc), quarters(midi)
        rest = max(0.0, twin[1] - bars[1])
        shared = min(len(bars), len(twin)) - 1  # chords of the MIDI sound on after the tune
        same_bars += bool(np.allclose(np.add(bars[1:shared], rest), twin[1:shared], atol=1e-2))
        onsets = set(zip((midi.onset / 1024).round(2), midi.pitch, strict=True))
        ours = set(zip((abc.onset / 480 + rest).round(2), abc.pitch, strict=True))
        same_notes += len(ours & onsets) > 0.9 * len(ours)
    # Measured: 207 and 178 of 212; the bounds leave a little room below that. Of the 34 whose notes
    # differ, 19 have a Y: field that abc2midi ignores and 14 a repeat sign without its partner.
    assert same_bars >= 0.94 * len(tunes)
    assert same_notes >= 0.8 * len(tunes)
