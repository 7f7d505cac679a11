"""Whether this installation can do what Concours promises, part by part."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from concours.eval.cache import cache_folder
from concours.eval.manifest import versions

OPTIONAL = {
    "ray": "concours run --executor ray; pip install 'concours[ray]'",
    "psycopg": "PostgreSQL as the store; pip install 'concours[postgres]'",
    "torch": "embeddings from checkpoints; pip install 'concours[torch]'",
    "transformers": "embeddings from checkpoints; pip install 'concours[torch]'",
    "onnxruntime": "embeddings from ONNX files; pip install 'concours[onnx]'",
}
TOOLS = {"ffmpeg": "reads m4a audio; apt-get install ffmpeg"}

State = Literal["ok", "missing", "broken"]


@dataclass(frozen=True)
class Check:
    """``missing`` is an option that is not there, ``broken`` a need that fails."""

    name: str
    state: State
    found: str


def examine() -> Iterator[Check]:
    """The checks, one after the other."""
    for name, found in versions().items():
        yield Check(name, "broken" if found == "not installed" else "ok", found)
    for name, check in NEEDS.items():
        try:
            yield Check(name, "ok", check())
        except Exception as error:  # whatever is wrong is what the user must see
            yield Check(name, "broken", f"{type(error).__name__}: {error}")
    for package, use in OPTIONAL.items():
        there = find_spec(package) is not None
        yield Check(package, "ok" if there else "missing", "installed" if there else use)
    for tool, use in TOOLS.items():
        path = shutil.which(tool)
        yield Check(tool, "ok" if path else "missing", path or use)


# a type-0 file: one quarter note on middle C at 480 ticks a quarter
MIDI = b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\0\x0d\0\x90\x3c\x40\x83\x60\x80\x3c\0\0\xff\x2f\0"


def _reads_midi() -> str:
    from concours.eval.load import load

    return f"{load(Path('a.mid'), MIDI).piece.n_notes} note read"


def _reads_abc() -> str:
    from concours.eval.load import load

    loaded = load(Path("a.abc"), b"X:1\nT:a\nM:4/4\nL:1/4\nK:C\nCDEF|\n")
    return f"{loaded.piece.n_notes} notes read"


def _soundfont() -> str:
    from concours.eval.render import soundfont

    return f"{soundfont().stat().st_size} bytes"


def _chorales() -> str:
    from concours.eval.corpora import corpus_files

    return f"{len(corpus_files('bach-chorales', 'all'))} chorales"


def _cache() -> str:
    with tempfile.TemporaryDirectory(dir=cache_folder()):
        return str(cache_folder())


def _database() -> str:
    from concours.eval.store import open_store

    with tempfile.TemporaryDirectory() as folder, open_store("sqlite:///a.db", Path(folder)):
        return f"SQLite {sqlite3.sqlite_version}"


def _parquet() -> str:
    try:
        import pyarrow
    except ImportError as error:  # the newest one has no word for pip about an older numpy
        raise ImportError(f"{error}; with numpy 1.26: pip install 'concours[numpy1]'") from error
    return f"pyarrow {pyarrow.__version__}"


def _kernels() -> str:
    from concours.metrics.piece import make_piece
    from concours.metrics.texture import polyphony

    third = make_piece(onset=[0, 0], end=[1, 1], pitch=[60, 64])
    return f"the polyphony of a third is {polyphony(third)}"


NEEDS: dict[str, Callable[[], str]] = {
    "MIDI": _reads_midi,
    "ABC": _reads_abc,
    "compiled kernels": _kernels,
    "soundfont": _soundfont,
    "Parquet": _parquet,
    "Bach chorales": _chorales,
    "cache": _cache,
    "database": _database,
}
