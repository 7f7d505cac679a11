"""What the loader door hands back, and the one error that it raises."""

from __future__ import annotations

from dataclasses import dataclass

from concours.metrics.piece import Piece


class LoadError(ValueError):
    """A file that can't be read as music: one line, what is wrong and what to do."""


@dataclass(frozen=True)
class Loaded:
    """A piece, what was noticed while reading it, and the format its content showed.

    ``format`` is "midi", "musicxml", "abc" or "kern".
    """

    piece: Piece
    warnings: tuple[str, ...]
    format: str
