"""The 6-dimensional tonal space of Harte, Sandler & Gasser (2006).

A pitch-class vector v maps to its centroid Σ_k v_k φ_k / Σ_k v_k, where φ_k lies on three circles:
fifths (radius 1), minor thirds (radius 1) and major thirds (radius 0.5).
"""

from __future__ import annotations

import numpy as np

from concours.metrics.piece import Floats, Ints

RADII = (1.0, 1.0, 0.5)
STEPS = (7 / 6, 3 / 2, 2 / 3)  # of π, a semitone, on each circle


def _basis() -> Floats:
    angles = np.pi * np.outer(np.arange(12), STEPS)
    points = np.stack([np.sin(angles), np.cos(angles)], axis=-1) * np.array(RADII)[:, None]
    flat: Floats = points.reshape(12, 6)
    return flat


BASIS = _basis()


def centroids(vectors: Ints | Floats) -> Floats:
    """The centroid of each row of 12 weights: shape (rows, 6). Rows must not be all zero.

    >>> fifth = centroids(np.eye(12))
    >>> round(float(np.linalg.norm(fifth[0] - fifth[7])), 3)
    1.737
    """
    weights = np.asarray(vectors, np.float64)
    result: Floats = weights @ BASIS / weights.sum(axis=1, keepdims=True)
    return result
