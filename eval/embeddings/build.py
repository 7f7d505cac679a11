"""Statistics of a folder's frames, made once: a reference that needs not the music itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from concours.eval import compute
from concours.eval.embeddings.catalogue import open_embedding
from concours.eval.embeddings.frames import FrameFiles, frames_file, read_set
from concours.eval.embeddings.statistics import (
    ReferenceStatistics,
    write_fadtk,
    write_statistics,
)
from concours.eval.errors import UsageError
from concours.eval.execute import make_executor
from concours.eval.items import find_items
from concours.eval.plan import Plan, PlannedSystem
from concours.eval.progress import Progress, Silent
from concours.metrics.frame_set import FrameSet
from concours.metrics.gaussians import GaussianStats
from concours.metrics.kernel import median_bandwidth


def build_statistics(
    path: str,
    embedding: str,
    out: Path,
    *,
    layout: str = "concours",
    workers: int | None = None,
    progress: Progress | None = None,
) -> GaussianStats:
    """Writes the statistics of the music at ``path`` to ``out``, in the ``layout`` of ``concours``
    or ``fadtk``; the same bytes for any number of workers.

    Raises:
        UsageError: nothing at the path, no embedding of this name, or fewer than 2 frames.
    """
    spec = open_embedding(embedding).spec
    items = find_items(path)
    system = PlannedSystem("reference", tuple(items), path)
    plan = Plan("statistics", (system,), ())
    shown = progress or Silent()
    with closing(make_executor("local", workers)) as executor:
        made = compute.compute_items(
            plan, {}, lambda *_: False, set(), executor, shown, [embedding]
        )
        for _ in made:
            pass
    song = {
        str(frames_file(i.sha256, i.kind, embedding)): system.cluster(i) for i in items if i.sha256
    }
    files = tuple(sorted(song))
    frames = read_set(FrameFiles(embedding, files, tuple(song[f] for f in files)))
    if frames.n < 2:
        raise UsageError(f"{path}: {frames.n} frames of {embedding}: statistics need at least 2")
    held = frames.gaussian
    stats = held if isinstance(held, GaussianStats) else GaussianStats.from_frames(held)
    if layout == "fadtk":
        write_fadtk(stats, out, embedding)
    else:
        reference = ReferenceStatistics(stats, _bandwidth(frames), embedding, spec.identity)
        write_statistics(reference, out)
    return stats


def _bandwidth(frames: FrameSet) -> float:
    varied = len(frames.frames) > 1 and bool(np.ptp(frames.frames, axis=0).any())
    return median_bandwidth(frames.frames) if varied else 0.0
