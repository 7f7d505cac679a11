"""The content-addressed cache on disk: fitted references and generated baselines.

An entry's name is a hash of everything that made it (contents, parameters, versions), never a path
or a time, so an entry is right wherever it is found, and deleting the folder costs only time.
Entries appear whole or not at all: they are written beside their place and then renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALL = 4096


def cache_folder() -> Path:
    """``$CONCOURS_CACHE``, or the user's cache folder; made if missing."""
    from platformdirs import user_cache_path

    folder = Path(os.environ.get("CONCOURS_CACHE") or user_cache_path("concours"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*parts: object) -> str:
    """Hash of JSON-ready values, 32 hex digits."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def stored_folder(kind: str, key: str, fill: Callable[[Path], None]) -> Path:
    """The cache's folder ``kind/key``, filled by ``fill(folder)`` where it is not there yet."""
    place = cache_folder() / kind / key
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
        try:
            fill(fresh)
            fresh.rename(place)
        except OSError:
            if not place.is_dir():  # else somebody else was faster, with the same content
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return place


def store_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """One ``.npy`` file for each array, so that each can be memory-mapped."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def open_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a folder, by name; the large ones memory-mapped."""
    found = {}
    for file in sorted(folder.glob("*.npy")):
        large = file.stat().st_size > SMALL
        # copy-on-write and as a plain array: kernels would be compiled again for arrays that can't
        # be written and for numpy's memmap type; nothing writes, and the file would stay as it is
        array = np.load(file, mmap_mode="c" if large else None, allow_pickle=False)
        found[file.stem] = np.asarray(array)
    return found
