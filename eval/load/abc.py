"""ABC tunes, through the abc2midi program that symusic's wheel brings.

Conventions
-----------
- A piece is what is written: chord symbols sound nothing; repeats and endings are played.
- Bar lines come from the text, so pickups and short bars are right.
- ABC states no velocities (abc2midi invents an accent on strong beats): ``has_velocity`` is false.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from concours.eval.load.abc_text import BAR_CONTROL, decode, delays_bars, prepared
from concours.eval.load.barlines import Ticks, counted_bars
from concours.eval.load.loaded import Loaded, LoadError
from concours.eval.load.midi import control_ticks, read_midi
from concours.metrics.grid import GridError
from concours.metrics.piece import Piece, make_piece

MAX_BYTES = 1 << 20
SECONDS = 10
# abc2midi is C on untrusted text: it gets 5 s of processor time and, where the
# system can limit it, 1 GiB of memory.
_LIMITS = 'ulimit -v 1048576 2>/dev/null || :; ulimit -t 5; exec "$@"'
_CHATTER = ("writing MIDI file", "voice mapping", "File ")

_TRIVIA = re.compile(r"[0-9 ]+|[0-9.]+ .* abc2midi")  # the voice map, the version


def read_abc(data: bytes) -> Loaded:
    """The piece in the bytes of one ABC tune.

    Raises:
        LoadError: no ``K:`` field, over 1 MiB, abc2midi failed, or over four million beats.
    """
    if len(data) > MAX_BYTES:
        raise LoadError(f"an ABC tune of {len(data)} bytes: over {MAX_BYTES} is no tune; split it")
    text = decode(data)
    if not any(line.startswith("K:") for line in text.split("\n")):
        raise LoadError("no K: field ends the header of this ABC tune: add one, such as K:C")
    if not any(line.startswith("X:") for line in text.split("\n")):
        text = "X:1\n" + text
    copy, closed = prepared(text)
    midi, complaints = _abc2midi(copy)
    barred = _abc2midi(prepared(text, sounding=False)[0])[0] if delays_bars(text) else midi
    bars = control_ticks(barred, BAR_CONTROL)
    loaded = read_midi(midi)
    piece = _on_written_ticks(loaded.piece, bars)
    own = []
    if closed:
        own.append(f"{closed} note lengths stood behind a space (g 2): read as g2")
    if not piece.n_notes:
        own.append("no notes")
    return Loaded(piece, (*own, *complaints), "abc")


def _on_written_ticks(piece: Piece, bars: Ticks) -> Piece:
    """The piece with abc2midi's shift of each onset by a tick undone, on the bars of the text."""
    onset = np.maximum(piece.onset - 1, 0)
    meters = list(
        zip(
            piece.meter_tick.tolist(),
            piece.meter_numerator.tolist(),
            piece.meter_denominator.tolist(),
            strict=True,
        )
    )
    edges = None
    if len(bars):
        edges = counted_bars(bars, meters, piece.ticks_per_quarter)
    try:
        return make_piece(
            onset=onset,
            end=piece.end,
            pitch=piece.pitch,
            program=piece.program,
            track=piece.track,
            is_drum=piece.is_drum,
            ticks_per_quarter=piece.ticks_per_quarter,
            tempos=list(zip(piece.tempo_tick.tolist(), piece.tempo_qpm.tolist(), strict=True)),
            meters=meters,
            keys=list(
                zip(
                    piece.key_tick.tolist(),
                    piece.key_fifths.tolist(),
                    piece.key_minor.tolist(),
                    strict=True,
                )
            ),
            bar_edges=edges,
            track_names=piece.track_names,
            has_velocity=False,
        )
    except GridError as error:
        raise LoadError(str(error)) from error


@cache
def _program() -> str:
    import symusic

    path = Path(symusic.__file__).parent / "bin" / "abc2midi"
    if not path.exists():
        raise LoadError("symusic brings no abc2midi on this platform: convert the tune to MIDI")
    return str(path)


def _abc2midi(text: str) -> tuple[bytes, list[str]]:
    program = _program()
    with tempfile.TemporaryDirectory(prefix="concours-abc-") as folder:
        source, target = Path(folder, "tune.abc"), Path(folder, "tune.mid")
        source.write_text(text, encoding="latin-1", errors="replace")
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", _LIMITS, "sh", program, source.name, "-o", target.name],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise LoadError(f"abc2midi did not finish within {SECONDS} s") from error
        complaints = _complaints(done.stdout.decode("latin-1"))
        if done.returncode or not target.exists():
            cause = complaints[0] if complaints else f"it ended with code {done.returncode}"
            raise LoadError(f"abc2midi can't read this tune: {cause}")
        return target.read_bytes(), complaints


def _complaints(output: str, most: int = 20) -> list[str]:
    lines = [line.strip() for line in output.split("\n")]
    said = (x for x in lines if x and not x.startswith(_CHATTER) and not _TRIVIA.fullmatch(x))
    kept = list(dict.fromkeys(said))
    more = [f"{len(kept) - most} more complaints of abc2midi"] if len(kept) > most else []
    return [f"abc2midi: {line}"[:300] for line in kept[:most]] + more
