"""What every test folder shares: where the shared data is, a cache of the tests' own, databases."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from concours.eval.store import Store, open_store

settings.register_profile("untimed", deadline=None)  # the first example may compile a kernel
settings.load_profile("untimed")

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"
POSTGRES = "CONCOURS_TEST_POSTGRES"
TUNE_RATE = 11_025


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONCOURS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real corpora beside the repository; without it the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is not there")
    return SHARED


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind; PostgreSQL where CONCOURS_TEST_POSTGRES names a server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/study.db"
        return
    server = os.environ.get(POSTGRES)
    if not server:
        pytest.skip(f"{POSTGRES} is not set; start a server with .ci/postgres")
    import psycopg

    name = f"concours_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield f"{server.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """The same, opened."""
    with open_store(store_url) as opened:
        yield opened


def _tune(seed: int, seconds: float = 12.0, semitones: float = 0.0, tempo: float = 1.0,
         partials: int = 6) -> np.ndarray:  # fmt: skip
    """A wandering melody over a wandering bass, each tone with partials and a decay; each tune
    with a tuning of its own, since tones of one synthesizer are the same sound."""
    random = np.random.default_rng(seed)
    tuning = random.uniform(-0.3, 0.3)
    sound = np.zeros(int(seconds * TUNE_RATE) + TUNE_RATE)
    for low, step in ((57, 0.25), (40, 0.8)):
        scale = np.array([0, 2, 4, 5, 7, 9, 11])[random.permutation(7)[:6]]
        t = 0.0
        while t < seconds * tempo:
            length = step * random.choice([1, 1, 2, 3])
            pitch = low + random.choice(scale) + 12 * random.integers(0, 2) + semitones
            start, n = int(t / tempo * TUNE_RATE), int(length / tempo * TUNE_RATE)
            time = np.arange(n) / TUNE_RATE
            hertz = 440 * 2 ** ((pitch + tuning - 69) / 12)
            tone = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, partials + 1))
            end = min(len(sound), start + n)
            if end > start:
                sound[start:end] += (tone * np.exp(-2 * time))[: end - start]
            t += length
    sound = sound[: int(seconds * TUNE_RATE)]
    return (0.2 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="session")
def tune() -> Callable[..., np.ndarray]:
    """``tune(seed, seconds, semitones, tempo, partials)``: a tune as sound at 11,025 Hz."""
    return _tune
