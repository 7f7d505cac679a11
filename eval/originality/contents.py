"""The table of contents of an index on disk: what it holds, and whether that is as it was written.

Conventions
-----------
- One JSON file in the index's folder: the versions that its arrays are written by, the entries
  (pieces or clips, each with its name, the sha256 of its content and its shard), the files that
  were skipped with the cause, bytes and sha256 of every array file, and the calibration.
- Content that is there is not added again; a name that is taken gets the beginning of its hash.
- It is written last and by renaming, so that a build that was interrupted leaves the index as it
  was. Adding entries empties the calibration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from concours.eval.cache import store_arrays
from concours.eval.errors import UsageError
from concours.eval.items import Item


@dataclass(frozen=True)
class Form:
    """What one kind of index calls its table's ``file`` and its ``entries``, and the ``versions``
    that it can read; ``called`` names it in messages."""

    file: str
    entries: str
    versions: Mapping[str, Any]
    called: str


class Contents:
    """An open table of contents; ``stated`` is what the file says."""

    def __init__(self, folder: Path, form: Form, stated: dict[str, Any]) -> None:
        self.folder, self.form, self.stated = folder, form, stated
        self.changed = False
        self._hashes = {e["sha256"] for e in self.entries}
        self._names = {e["name"] for e in self.entries}

    @classmethod
    def read(cls, folder: Path, form: Form) -> Contents:
        """Opens the table of the index in ``folder``.

        Raises:
            UsageError: no index there, a damaged one, or one of another version.
        """
        path = folder / form.file
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
            versions = {key: stated[key] for key in form.versions}
        except FileNotFoundError as error:
            raise UsageError(f"{folder}: no {form.called} there (no {form.file})") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}: damaged; build the index again in a new folder") from error
        if versions != form.versions:
            raise UsageError(
                f"{folder}: made by another version of Concours; build the index again in a new "
                "folder"
            )
        return cls(folder, form, stated)

    @classmethod
    def begin(
        cls, folder: Path, form: Form, states: Mapping[str, Any], *, beside: str = ""
    ) -> Contents:
        """Opens the table of the index in ``folder``, or begins one that ``states`` this too.

        ``beside`` is the name of what else may lie in the folder of a new index.

        Raises:
            UsageError: the folder holds something else, or an index that can't be opened.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / form.file).exists():
            return cls.read(folder, form)
        if any(p.name != beside for p in folder.iterdir()):
            raise UsageError(f"{folder}: not empty and no index; give an empty or a new folder")
        stated = {**form.versions, **states, form.entries: [], "skipped": [], "files": {},
                  "calibration": {}}  # fmt: skip
        return cls(folder, form, stated)

    @property
    def entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stated[self.form.entries]
        return found

    @property
    def n_shards(self) -> int:
        return 1 + max((e["shard"] for e in self.entries), default=-1)

    @property
    def bytes(self) -> int:
        """The size of all array files."""
        return sum(f["bytes"] for f in self.stated["files"].values())

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """Path and cause of the files that could not be indexed."""
        return tuple((s["name"], s["reason"]) for s in self.stated["skipped"])

    def check(self, verify: bool) -> None:
        """Holds every array file against its size and, with ``verify``, its hash.

        Raises:
            UsageError: a file is missing, cut short or changed.
        """
        for name, stated in self.stated["files"].items():
            path = self.folder / name
            size = path.stat().st_size if path.exists() else None
            if size is None:
                cause = "is missing"
            elif size != stated["bytes"]:
                cause = f"has {size} bytes instead of {stated['bytes']}"
            elif verify and hash_file(path) != stated["sha256"]:
                cause = "has changed since it was written"
            else:
                continue
            raise UsageError(f"{path} {cause}; build the index again in a new folder")

    def holds(self, sha256: str | None) -> bool:
        """Whether this content is in the index or about to be."""
        return sha256 in self._hashes

    def take(self, item: Item) -> str:
        """The name under which an item comes into the index; its content and name are taken now."""
        assert item.sha256 is not None
        taken = item.path in self._names
        name = f"{item.path} ({item.sha256[:8]})" if taken else item.path
        self._hashes.add(item.sha256)
        self._names.add(name)
        return name

    def skip(self, path: str, reason: str) -> None:
        others = [s for s in self.stated["skipped"] if s["name"] != path]
        self.stated["skipped"] = [*others, {"name": path, "reason": reason}]
        self.changed = True

    def store(self, place: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Writes arrays into the folder ``place`` and states their sizes and hashes."""
        place.mkdir(parents=True, exist_ok=True)
        store_arrays(place, arrays)
        for file in sorted(place.glob("*.npy")):
            self.stated["files"][file.relative_to(self.folder).as_posix()] = {
                "bytes": file.stat().st_size,
                "sha256": hash_file(file),
            }

    def append(self, entries: Iterable[dict[str, Any]]) -> None:
        """Adds the entries of a shard whose arrays are stored."""
        self.entries.extend(entries)
        self.changed = True

    def finish(self, none_read: str) -> None:
        """Writes the table where something was added or skipped.

        Raises:
            UsageError: the index is empty: ``none_read``, with the first file's cause.
        """
        if not self.entries:
            cause = next((f" ({name}: {reason})" for name, reason in self.skipped), "")
            raise UsageError(f"{none_read}{cause}")
        if self.changed:
            self.calibrate({})

    def calibrate(self, calibration: dict[str, Any]) -> None:
        """Puts the calibration in and writes the table."""
        self.stated["calibration"] = calibration
        fresh = self.folder / f".{self.form.file}.new"
        text = json.dumps(self.stated, indent=1, ensure_ascii=False)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.folder / self.form.file)


def corpus_hash(hashes: Iterable[str]) -> str:
    """Hash of the contents of all entries, whatever their names and order."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def hash_file(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
