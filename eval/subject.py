"""What a metric sees of a file: its notes, where it has any, and its sound."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from concours.eval.load import LoadError, load, read_part
from concours.eval.load.audio import load_audio
from concours.eval.render import RENDER_RATE, RenderError, render_audio
from concours.metrics.clip import Clip, make_clip
from concours.metrics.piece import Piece


@dataclass(frozen=True, eq=False)
class Subject:
    """An item that has been read."""

    piece: Piece | None
    sound: Clip | None
    format: str
    warnings: tuple[str, ...]

    @cached_property
    def clip(self) -> Clip:
        """The sound; notes are played by the bundled soundfont.

        Raises:
            RenderError: there is nothing to play, or nothing to play it with.
        """
        if self.sound is not None:
            return self.sound
        assert self.piece is not None
        samples = render_audio(self.piece, RENDER_RATE)
        if len(samples) == 0:
            raise RenderError("no notes, so nothing to hear")
        return make_clip(samples, RENDER_RATE, {"codec": "rendered"})


def read_subject(kind: str, fragment: str, path: Path, sha256: str) -> Subject:
    """The content of a file, or of the tune ``fragment`` in it, if it is still the one meant.

    Raises:
        LoadError: it cannot be read, or has changed.
    """
    data = read_part(path, fragment)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise LoadError("changed while the run was reading it; run again")
    try:
        if kind == "audio":
            audio = load_audio(path, data)
            return Subject(None, audio.clip, audio.format, audio.warnings)
        loaded = load(path, data)
    except RecursionError as error:
        raise LoadError("nested too deeply to be read") from error
    except MemoryError as error:
        raise LoadError("does not fit into memory") from error
    return Subject(loaded.piece, None, loaded.format, loaded.warnings)
