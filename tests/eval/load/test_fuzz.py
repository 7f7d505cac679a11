"""Damaged files: every mutant is loaded or refused; the process lives and keeps quiet."""

import random
from pathlib import Path

import pytest
import seeds

from concours.eval.load import LoadError, load


def mutant(rng: random.Random, seed: bytes) -> bytes:
    data = bytearray(seed)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if not data:
            break
        at = rng.randrange(len(data) if rng.random() < 0.6 else min(len(data), 120))
        match rng.randrange(5):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randrange(1, 30)]
            case 2:
                data[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 3:
                data[at] = rng.choice([0, 127, 128, 255])
            case _:
                del data[at:]
    return bytes(data)


def real(pattern: str, most: int) -> list[bytes]:
    files = sorted((seeds.SHARED / "symbolic").rglob(pattern))
    return [f.read_bytes() for f in files[:: max(1, len(files) // most)]]


SEEDS = {
    "a.mid": [seeds.tune_as_midi(), *real("*.mid", 40)],
    "a.musicxml": [seeds.tune_as_xml(), *real("*.mxl", 6)],
    "a.abc": [seeds.TUNE.encode(), *real("*.abc", 20)],
}


def outcomes(name: str, count: int) -> tuple[int, int]:
    rng = random.Random(7)
    loaded = 0
    causes: list[str] = []
    for _ in range(count):
        try:
            result = load(Path(name), mutant(rng, rng.choice(SEEDS[name])))
        except LoadError as error:
            causes.append(str(error))
        else:
            assert len(result.piece.beat_edges) <= 4_000_002
            loaded += 1
    assert not any("\n" in cause for cause in causes)
    return loaded, len(causes)


@pytest.mark.parametrize(("name", "count"), [("a.mid", 300), ("a.musicxml", 100), ("a.abc", 100)])
def test_five_hundred_mutants(name: str, count: int, capfd: pytest.CaptureFixture[str]) -> None:
    loaded, refused = outcomes(name, count)
    assert loaded
    assert refused
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count"), [("a.mid", 16000), ("a.musicxml", 2000), ("a.abc", 2000)]
)
def test_twenty_thousand_mutants(name: str, count: int) -> None:
    assert sum(outcomes(name, count)) == count
