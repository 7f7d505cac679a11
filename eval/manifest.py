"""What a run must record so that somebody else can repeat it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from concours.eval.cache import digest
from concours.eval.plan import HALF_SAMPLES, Plan

PACKAGES = (
    "concours",
    "numpy",
    "scipy",
    "numba",
    "symusic",
    "muspy",
    "music21",
    "librosa",
    "soundfile",
    "sqlalchemy",
)


def manifest(plan: Plan, folder: Path) -> dict[str, Any]:
    """Versions, commits, config and its hash, seeds, contents, hardware, command line.

    ``folder`` is where the config lies: its repository's commit is recorded beside Concours's own.
    Times are not here but in the store's log, so that a repeated run has the same manifest.
    """
    return {
        "run": plan.run_id,
        "config": dict(plan.config),
        "config_hash": plan.config_hash,
        "seeds": {"intervals": plan.seed},
        "intervals": {
            "confidence": plan.confidence,
            "bootstrap_resamples": plan.resamples,
            "half_samples": HALF_SAMPLES,
        },
        "metrics": {r.key: r.spec.version for r in plan.requests},
        "contents": {
            s.name: {"items": len(s.items), "hash": digest([i.sha256 for i in s.items])}
            for s in plan.systems
        },
        "versions": versions(),
        "code": {
            "concours": repository(Path(__file__).resolve().parent),
            "config": repository(folder),
        },
        "hardware": {
            "machine": platform.machine(),
            "system": platform.system(),
            "processors": os.cpu_count(),
        },
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def versions() -> dict[str, str]:
    """The Python and the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def repository(folder: Path) -> dict[str, Any] | None:
    """Commit and dirty flag of the git repository around a folder; None outside of one."""

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    commit = git("rev-parse", "HEAD")
    if commit is None:
        return None
    changes = git("status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": bool(changes)}
