"""How fast notes are read and measured, beside muspy, in one process and warm.

    python tests/benchmarks/symbolic_speed.py [FOLDER] [--files N] [--peer-files N]

Prints CPU time a file, since other programs on the machine then disturb it less, for

- reading, with our loader and with symusic alone (the bare parse),
- reading and the eleven metrics that muspy has too, ours and under muspy's own conventions,
- reading and the whole catalogue of clip metrics, with the costliest ones,
- muspy, on every k-th file so that it takes a minute and not an hour.

Figures depend on the machine and the files: quote ratios, with the line that this prints first.
"""

import argparse
import math
import os
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one process, one thread

from concours.eval.load import LoadError, load
from concours.metrics.compat import compat_catalogue
from concours.metrics.registry import catalogue
from concours.metrics.spec import MetricSpec, Undefined

ELEVEN = (
    *("pitch_range", "n_pitches_used", "n_pitch_classes_used", "polyphony", "polyphony_rate"),
    *("scale_consistency", "pitch_entropy", "pitch_class_entropy", "empty_beat_rate"),
    *("empty_measure_rate", "groove_consistency"),
)
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "symbolic"


def seconds_a_file(
    work: Callable[[Path, bytes], object], files: Sequence[tuple[Path, bytes]]
) -> float:
    """CPU seconds a file, once everything is compiled."""
    for path, data in files:
        work(path, data)
    start = time.process_time()
    for path, data in files:
        work(path, data)
    return (time.process_time() - start) / len(files)


def measure(specs: Sequence[MetricSpec]) -> Callable[[Path, bytes], object]:
    def work(path: Path, data: bytes) -> object:
        piece = load(path, data).piece
        return [spec.function(piece) for spec in specs]

    return work


def muspy_values(path: Path) -> dict[str, float]:
    import muspy

    music = muspy.read_midi(str(path))
    measure_length = {"measure_resolution": 4 * music.resolution}
    return {
        name: float(
            getattr(muspy, name)(
                music,
                **(measure_length if name in ("empty_measure_rate", "groove_consistency") else {}),
            )
        )
        for name in ELEVEN
    }


def disagreements(paths: Sequence[Path]) -> int:
    """How many of the eleven numbers differ by more than 1e-9 from muspy's own."""
    ours = compat_catalogue("muspy")
    wrong = 0
    for path in paths:
        piece = load(path).piece
        for name, want in muspy_values(path).items():
            got = ours[name].function(piece)
            same = math.isnan(want) if isinstance(got, Undefined) else abs(got - want) <= 1e-9
            wrong += not same
    return wrong


def readable(folder: Path, limit: int) -> list[tuple[Path, bytes]]:
    files = []
    for path in sorted([*folder.rglob("*.mid"), *folder.rglob("*.midi")]):
        try:
            load(path)
        except LoadError:
            continue
        files.append((path, path.read_bytes()))
    step = max(1, len(files) // limit) if limit else 1
    return files[::step]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--files", type=int, default=0, help="about so many of them (0: all)")
    parser.add_argument("--peer-files", type=int, default=60)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    import symusic

    files = readable(given.folder, given.files)
    few = files[:: max(1, len(files) // max(1, given.peer_files))]
    size = sum(len(data) for _, data in files) / len(files)
    print(
        f"{len(files)} MIDI files, mean {size / 1000:.1f} kB, muspy on {len(few)} of them; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores"
    )

    def parse(_: Path, data: bytes) -> object:
        return [track.notes.numpy() for track in symusic.Score.from_midi(data).tracks]

    clips = [s for s in catalogue().values() if s.level == "clip" and s.inputs == "symbolic"]
    ours = [catalogue()[name] for name in ELEVEN]
    theirs = [compat_catalogue("muspy")[name] for name in ELEVEN]
    bare = seconds_a_file(parse, files)
    reading = seconds_a_file(load, files)
    rows = {
        "symusic, arrays": bare,
        "our reading": reading,
        "our reading + 11 metrics": seconds_a_file(measure(ours), files),
        "our reading + 11 metrics as muspy's": seconds_a_file(measure(theirs), files),
        f"our reading + all {len(clips)} clip metrics": seconds_a_file(measure(clips), files),
    }
    few_ours = seconds_a_file(measure(ours), few)
    few_theirs = seconds_a_file(measure(theirs), few)
    muspy_values(few[0][0])
    start = time.process_time()
    for path, _ in few:
        muspy_values(path)
    peer = (time.process_time() - start) / len(few)
    for name, value in rows.items():
        print(f"{name:42s}{1e3 * value:9.3f} ms a file {value / reading:8.1f} x our reading")
    print(f"{'muspy: reading + 11 metrics':42s}{1e3 * peer:9.3f} ms a file")
    print(f"on the same {len(few)} files muspy takes {peer / few_ours:.0f} times as long as ours, ")
    print(f"  {peer / few_theirs:.0f} times as long as ours under its own conventions;")
    print(f"  {disagreements([p for p, _ in few])} of {len(few) * 11} numbers differ by over 1e-9")
    costs = {s.name: seconds_a_file(measure([s]), few) - reading for s in clips}
    print("costliest alone, ms beyond reading:")
    for name in sorted(costs, key=lambda n: -costs[n])[:8]:
        print(f"  {name:40s}{1e3 * costs[name]:9.3f}")


if __name__ == "__main__":
    main()
