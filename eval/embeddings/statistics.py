"""Reference statistics on disk: what a Fréchet or kernel distance needs of a set, in one ``.npz``.

Ours holds a version, n, mean, scatter, bandwidth, and the embedding's name and identity. fadtk's
(a folder with ``mu.npy`` and ``cov.npy``, or ``.npz`` with ``mu`` and ``cov``) and the common
``mu_ref``/``sigma_ref`` hold neither n nor the embedding: they are read, with n unknown, and it is
for the user to know where they come from.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from concours.eval.errors import UsageError
from concours.metrics.gaussians import GaussianStats

VERSION = 1
# what fadtk calls the embeddings that both have
FADTK = {
    "vggish": "vggish",
    "clap": "clap-laion-music",
    "clap:music": "clap-laion-music",
    "clap:630k-fusion": "clap-laion-audio",
    "encodec": "encodec-emb",
}
FOREIGN = (("mu", "cov"), ("mu_ref", "sigma_ref"))


@dataclass(frozen=True, eq=False)
class ReferenceStatistics:
    """``stats`` of a reference; ``bandwidth`` is 0 and ``identity`` "" where the file has none.
    ``frames_known`` is false where the file does not say how many frames it was made of."""

    stats: GaussianStats
    bandwidth: float = 0.0
    embedding: str = ""
    identity: str = ""
    frames_known: bool = True


def write_statistics(reference: ReferenceStatistics, file: Path) -> None:
    """Writes our format, whole or not at all."""
    stats = reference.stats
    arrays = {
        "version": np.int64(VERSION),
        "n": np.int64(stats.n),
        "mean": stats.mean,
        "scatter": stats.scatter,
        "bandwidth": np.float64(reference.bandwidth),
        "embedding": np.str_(reference.embedding),
        "identity": np.str_(reference.identity),
    }
    _write(file, arrays)


def write_fadtk(stats: GaussianStats, file: Path, embedding: str) -> None:
    """Writes fadtk's format: ``<model>.mu`` (d,) and ``<model>.cov`` (d, d), by fadtk's name of
    the embedding where it has one."""
    model = FADTK.get(embedding, embedding)
    _write(file, {f"{model}.mu": stats.mean, f"{model}.cov": stats.covariance})


def is_statistics(path: Path) -> bool:
    """Whether a path names statistics: an ``.npz`` file, or a folder with ``mu`` and ``cov``."""
    if path.suffix == ".npz" and path.is_file():
        return True
    return (path / "mu.npy").is_file() and (path / "cov.npy").is_file()


def read_statistics(file: Path, identity: str = "", embedding: str = "") -> ReferenceStatistics:
    """Reads ours, fadtk's, or ``mu_ref``/``sigma_ref``. Of the statistics of several models in one
    file, those of ``embedding`` are taken, by fadtk's name for it.

    Raises:
        UsageError: none of them, damaged, of a newer version, or ours and made with another
            embedding, checkpoint or preprocessing than ``identity`` says.
    """
    arrays = _read(file)
    if "scatter" in arrays:
        return _ours(file, arrays, identity)
    models = sorted({k.removesuffix(".mu") for k in arrays if k.endswith(".mu")})
    model = models[0] if len(models) == 1 else FADTK.get(embedding, embedding)
    if models and model not in models:
        raise UsageError(
            f"{file}: statistics of {', '.join(models)}, and none of {embedding or 'one alone'}"
        )
    for mean, covariance in ((f"{model}.mu", f"{model}.cov"), *FOREIGN):
        if mean in arrays and covariance in arrays:
            stats = _foreign(file, arrays[mean], arrays[covariance])
            return ReferenceStatistics(stats, frames_known=False)
    held = ", ".join(arrays) or "nothing"
    raise UsageError(
        f"{file}: statistics hold mu and cov, or mu_ref and sigma_ref; this has {held}"
    )


def _ours(file: Path, arrays: dict[str, Any], identity: str) -> ReferenceStatistics:
    try:
        version = int(arrays["version"])
        found = ReferenceStatistics(
            GaussianStats(int(arrays["n"]), arrays["mean"], arrays["scatter"]),
            float(arrays["bandwidth"]),
            str(arrays["embedding"]),
            str(arrays["identity"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{file}: incomplete statistics ({error}); make them again") from error
    if version > VERSION:
        raise UsageError(f"{file}: version {version}; this Concours reads up to {VERSION}")
    _check_shape(file, found.stats.mean, found.stats.scatter)
    if identity and found.identity != identity:
        raise UsageError(
            f"{file}: made with {found.embedding or 'an unknown embedding'} of identity "
            f"{found.identity[:8]}, not {identity[:8]}: another embedding or checkpoint"
        )
    return found


def _foreign(file: Path, mean: Any, covariance: Any) -> GaussianStats:
    """Statistics with as many frames as a covariance of full rank needs, and no fewer."""
    mean = np.asarray(mean, np.float64).reshape(-1)
    covariance = np.asarray(covariance, np.float64)
    _check_shape(file, mean, covariance)
    n = len(mean) + 1
    return GaussianStats(n, mean, covariance * (n - 1))


def _check_shape(file: Path, mean: Any, matrix: Any) -> None:
    if matrix.shape != (len(mean), len(mean)):
        raise UsageError(f"{file}: a mean of {len(mean)} and a matrix of {matrix.shape}")
    if not (np.isfinite(mean).all() and np.isfinite(matrix).all()):
        raise UsageError(f"{file}: holds NaN or infinity")


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.is_dir():
            return {f.stem: np.load(f, allow_pickle=False) for f in sorted(file.glob("*.npy"))}
        with np.load(file, allow_pickle=False) as opened:
            return {k.split("/")[-1]: opened[k] for k in opened.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise UsageError(f"{file}: no statistics that can be read: {error}") from error


def _write(file: Path, arrays: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=".new-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)
        Path(fresh).replace(file)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
