"""Corpora of real music that an installed package brings along, ready to be named in a config.

Conventions
-----------
- A corpus is a list of files on disk; nothing is copied or downloaded.
- Splits go by *group*: all files that hold the same music belong to one group, and a group lies
  wholly in ``reference`` or wholly in ``held-out``.
- The same name, split, seed and limit give the same files in the same order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from concours.eval.corpora import bach_chorales
from concours.eval.errors import UsageError

SPLITS = ("reference", "held-out", "all")
HELD_OUT_SHARE = 0.25


class CorpusError(UsageError):
    """A corpus or split that does not exist, or whose files are not installed."""


class Corpus(NamedTuple):
    """``groups`` maps each file name to its group; ``folder`` finds the files."""

    groups: Callable[[], dict[str, str]]
    folder: Callable[[], Path]


CORPORA = {"bach-chorales": Corpus(bach_chorales.groups, bach_chorales.folder)}


def corpus_files(
    name: str, split: str = "all", seed: int = 0, limit: int | None = None
) -> list[Path]:
    """The files of one split of a corpus, sorted by name.

    Groups are dealt out in an order drawn from ``seed`` until a quarter of the files is held
    out; the rest is the reference. ``limit`` keeps that many files, drawn from the same seed.

    Raises:
        CorpusError: no such corpus or split, a limit below 1, or files that are not installed.

    >>> held_out, reference = (corpus_files("bach-chorales", s) for s in ("held-out", "reference"))
    >>> len(held_out), len(reference), set(held_out) & set(reference)
    (92, 272, set())
    """
    if name not in CORPORA:
        raise CorpusError(f"no corpus is called {name!r}; there are: {', '.join(CORPORA)}")
    if split not in SPLITS:
        raise CorpusError(f"{name}: no split is called {split!r}; there are: {', '.join(SPLITS)}")
    if limit is not None and limit < 1:
        raise CorpusError(f"{name}: limit must be at least 1, not {limit}")
    corpus = CORPORA[name]
    group_of = corpus.groups()
    chosen = _split(group_of, split, seed)
    if limit is not None and limit < len(chosen):
        order = np.random.default_rng([seed, 1]).permutation(len(chosen))
        chosen = sorted(chosen[i] for i in order[:limit])
    folder = corpus.folder()
    paths = [folder / f for f in chosen]
    missing = [p.name for p in paths if not p.is_file()]
    if missing:
        raise CorpusError(
            f"{name}: {len(missing)} files are not in {folder} ({missing[0]} first); "
            "install the music21 release that constraints.txt names"
        )
    return paths


def _split(group_of: dict[str, str], split: str, seed: int) -> list[str]:
    files = sorted(group_of)
    if split == "all":
        return files
    held_out: set[str] = set()
    n_held_out = 0
    for group in sorted(set(group_of.values()), key=lambda g: _drawn(seed, g)):
        if n_held_out >= HELD_OUT_SHARE * len(files):
            break
        held_out.add(group)
        n_held_out += sum(g == group for g in group_of.values())
    return [f for f in files if (group_of[f] in held_out) == (split == "held-out")]


def _drawn(seed: int, group: str) -> bytes:
    """The place of a group in the draw: its own hash, so that a change of one group moves few."""
    return hashlib.sha256(f"{seed}:{group}".encode()).digest()
