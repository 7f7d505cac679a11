"""A served study in a process of its own, and raters without a browser who take it."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

RATE = 22050


class Served:
    """One study: created, invited to and served from the command line."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "serve.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"

    def create(self, **config: Any) -> None:
        import soundfile

        draw = np.random.default_rng(0)
        t = np.arange(RATE) / RATE
        for n, system in enumerate(("alpha", "beta")):
            (self.folder / system).mkdir()
            for i in range(3):
                tone = np.sin(2 * np.pi * 220 * (n + 1) * 2 ** (i / 12) * t) * np.exp(-t)
                sound = 0.3 * np.stack([tone, tone], 1) + 0.01 * draw.normal(size=(RATE, 2))
                soundfile.write(self.folder / system / f"piece{i}.wav", sound, RATE)
        settings = {
            "name": "pilot",
            "systems": {"alpha": {"path": "alpha"}, "beta": {"path": "beta"}},
            "items_per_system": 2,
            "seed": 1,
            "audio": {"seconds": 0.6, "rate": RATE, "channels": 1},
            "level": False,
            "training": 0,
            **config,
        }
        YAML().dump(settings, self.folder / "STUDY.yaml")
        self.call("study", "create", "STUDY.yaml", "--store", self.url)

    def call(self, *arguments: str) -> str:
        """A command, run in this process: a new one would spend seconds on imports."""
        from click.testing import CliRunner

        from concours.eval.cli import cli

        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def invite(self, raters: int = 1) -> list[str]:
        return self.call(
            "study", "invite", "pilot", "--raters", str(raters), "--store", self.url,
            "--base-url", self.base,
        ).split()  # fmt: skip

    def start(self, *options: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "concours.eval.cli", "study", "serve", "pilot",
                 "--port", str(self.port), "--store", self.url, *options],
                cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"{self.base}/_stcore/health", timeout=2):
                    return
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def rows(self, table: str) -> list[dict[str, Any]]:
        from concours.eval.store import open_store, study

        reader: Callable[..., Any] = getattr(study, f"{table}_rows")
        with open_store(self.url, self.folder) as store:
            return [dict(r) for r in reader(store, study.find_study(store, "pilot").id)]


@pytest.fixture
def served(tmp_path: Path, store_url: str) -> Iterator[Served]:
    """On SQLite and on PostgreSQL."""
    running = Served(tmp_path, store_url)
    yield running
    running.kill()


@pytest.fixture
def sqlite_served(tmp_path: Path) -> Iterator[Served]:
    """On SQLite."""
    running = Served(tmp_path, f"sqlite:///{tmp_path}/study.db")
    yield running
    running.kill()


@pytest.fixture(scope="session")
def _wire_module() -> Any:
    # folders of tests are no packages
    spec = spec_from_file_location("wire", Path(__file__).with_name("wire.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["wire"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wire(_wire_module: Any) -> Iterator[Any]:
    """The module ``wire.py`` beside this file; its devices are closed afterwards."""
    yield _wire_module
    while _wire_module.DEVICES:
        _wire_module.DEVICES.pop().close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A small MOS study, served for all tests of a module with generous limits."""
    folder = tmp_path_factory.mktemp("running")
    served = Served(folder, f"sqlite:///{folder}/study.db")
    served.create(method="mos", items_per_system=1)
    served.start("--rate-limit", "100")
    yield served
    served.kill()
