"""Reports: pure functions from :mod:`concours.eval.report.model` to text.

The same report gives the same bytes, in every format: nothing here reads a clock, a folder, the
environment or the order of a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from concours.eval.report.model import Item, Report, System

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from concours.metrics.piece import Piece

Format = Literal["terminal", "html", "md", "csv", "json", "latex"]
PieceOf = Callable[[System, Item], "Piece | None"]
"""Finds the notes of an item; None where there are none to show (audio, a lost file)."""


class Sound(NamedTuple):
    """A recording: ``samples`` of shape (n,) or (n, channels), in -1..1."""

    samples: NDArray[np.floating]
    sample_rate: int


Keep = Callable[[str, Callable[[], bytes]], str]
"""Keeps a sound and returns its address: gets a file name, which stands for one content, and a
function that makes the MP3 file, to be called where nothing of that name is kept yet."""

SoundOf = Callable[[System, Item], "Sound | None"]
"""Finds the recording of an item; None where it has none (notes, a lost file)."""


def render(
    report: Report,
    format: Format,
    *,
    pieces: PieceOf | None = None,
    sounds: SoundOf | None = None,
    audio: bool | Keep = True,
    originality: Mapping[str, str] | None = None,
    width: int = 100,
) -> str:
    """The report in one format, as text that ends with a line break.

    ``pieces`` gives the HTML page the notes of the items that it shows, for piano rolls and
    sound; ``sounds`` gives it recordings, for waveforms, spectrograms and sound. Where neither
    knows an item, the page only names it. Sound is embedded, as much as a page of 5 MB holds;
    ``audio=False`` leaves it out, and a function keeps it elsewhere (:data:`Keep`).
    ``originality`` holds the address of a system's originality report, by its
    name. ``width`` is that of the terminal, in columns.

    Raises:
        ValueError: no such format.
    """
    if format == "html":
        from concours.eval.report.html import to_html

        return to_html(report, pieces=pieces, sounds=sounds, audio=audio, originality=originality)
    if format == "terminal":
        from concours.eval.report.leaderboard import to_text

        return to_text(report, width=width)
    if format == "md":
        from concours.eval.report.markdown import to_markdown

        return to_markdown(report)
    if format == "csv":
        from concours.eval.report.csvtable import to_csv

        return to_csv(report)
    if format == "json":
        from concours.eval.report.jsonreport import to_json

        return to_json(report)
    if format == "latex":
        from concours.eval.report.latex import to_latex

        return to_latex(report)
    raise ValueError(
        f"no report format is called {format!r}: take one of {', '.join(get_args(Format))}"
    )
