"""``engine: laion-clap`` and ``engine: frechet-audio-distance``: the packages themselves, on real
clips, beside our engines with the same random weights.

They run in processes of their own, without a network setting that would keep them offline: that is
what the engines must do. torchvision, of which laion_clap needs names that it never calls here, is
stood in for where it is missing, since PyPI's has no build for torch's CPU build.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

soundfile = pytest.importorskip("soundfile")

import peers_session  # noqa: E402

pytestmark = pytest.mark.torch

# asked before a fixture of other tests puts stand-ins among the modules
ABSENT = [p for p in ("laion_clap", "frechet_audio_distance", "torchvggish") if not find_spec(p)]
HAS_VISION = find_spec("torchvision") is not None
# torchvision as far as laion_clap imports it; transformers, which would use it, is told before that
# there is none
STAND_IN = {
    "torchvision/__init__.py": "",
    "torchvision/datasets.py": "",
    "torchvision/transforms.py": """
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})
""",
    "torchvision/ops/__init__.py": "",
    "torchvision/ops/misc.py": "class FrozenBatchNorm2d:\n    pass\n",
    "sitecustomize.py": """
import sys
from importlib.machinery import PathFinder
from pathlib import Path

class OfLaionClap:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "torchvision":
            return None
        frame = sys._getframe(1)
        while "importlib" in frame.f_globals["__name__"]:
            frame = frame.f_back
        if frame.f_globals["__name__"].partition(".")[0] not in ("laion_clap", "clap_module"):
            return None
        from transformers.utils import import_utils

        import_utils.is_torchvision_available(), import_utils.is_torchvision_v2_available()
        return PathFinder.find_spec(name, [str(Path(__file__).parent / "only")])

sys.meta_path.insert(0, OfLaionClap)
""",
}


class World:
    """The places that the processes read, and how to call one."""

    def __init__(self, root: Path, shared: Path) -> None:
        self.root = root
        self.clips = root / "clips"
        real = sorted((shared / "audio" / "reference" / "real_clips").glob("*.flac"))
        generated = sorted((shared / "audio" / "systems" / "mrcqtdiff_fma").glob("*/*.wav"))
        _write(self.clips, [real[0], real[20], generated[0]], 48_000)
        _write(root / "others", [real[10], generated[20], generated[40]], 48_000)
        self.environment = {k: v for k, v in os.environ.items() if "OFFLINE" not in k} | {
            "HF_HOME": str(root / "world" / "hf"),
            "CONCOURS_WEIGHTS": str(root / "world" / "weights"),
            "CONCOURS_CACHE": str(root / "cache"),
        }
        if not HAS_VISION:
            for name, text in STAND_IN.items():
                folder = "stands-in/only" if name.startswith("torchvision") else "stands-in"
                file = root / folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            self.environment["PYTHONPATH"] = str(root / "stands-in")

    def call(self, *command: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, check=False,
            env={**self.environment, **more}, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout


def _write(folder: Path, files: list[Path], rate: int) -> None:
    """Mono WAV files at a model's own rate, so that no resampler stands between the two."""
    from concours.eval.load.audio import load_audio

    folder.mkdir()
    for i, file in enumerate(files):
        clip = load_audio(file).clip
        soundfile.write(folder / f"{i}.wav", clip.mono("mix", rate), rate, subtype="FLOAT")


@pytest.fixture(scope="module")
def world(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    pytest.importorskip("torch")
    if ABSENT:
        pytest.skip(f"the peers' own packages: {', '.join(ABSENT)} not installed")
    made = World(tmp_path_factory.mktemp("peers"), shared_data)
    session = peers_session.__file__
    made.call(session, "make", str(made.root / "world"), HF_HUB_OFFLINE="1")
    made.call(session, "run", str(made.root / "world"), str(made.clips))
    return made


@pytest.fixture(scope="module")
def found(world: World) -> dict[str, Any]:
    with np.load(world.root / "world" / "found.npz") as opened:
        return dict(opened)


@pytest.mark.parametrize("name", list(peers_session.CLAPS))
def test_laion_clap_gives_our_frames_and_texts(found: dict[str, Any], name: str) -> None:
    for what in ("0", "1", "2", "texts", "text"):
        ours, theirs = found[f"clap:{name} {what}"], found[f"laion-clap/clap:{name} {what}"]
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert found[f"clap:{name} texts"].shape == (3, 512)
    np.testing.assert_allclose(
        found[f"clap:{name} text"], found[f"clap:{name} texts"][:1], atol=1e-6
    )
    # else the test says nothing
    assert np.abs(found[f"clap:{name} 0"] - found[f"clap:{name} 2"]).max() > 1e-3
    texts = found[f"clap:{name} texts"]
    assert np.abs(texts[0] - texts[1]).max() > 1e-3


def test_frechet_audio_distance_gives_our_frames(found: dict[str, Any]) -> None:
    for clip in ("0", "1", "2"):
        ours, theirs = found[f"vggish {clip}"], found[f"frechet-audio-distance/vggish {clip}"]
        assert len(ours) > 1
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        # without laion_clap's rounding to 16 bits, which this package leaves out
        theirs = found[f"frechet-audio-distance/clap:630k {clip}"]
        assert theirs.shape == (1, 512)
        np.testing.assert_allclose(found[f"clap:630k {clip}"], theirs, atol=2e-3)


def test_scores_agree_and_standard_output_is_theirs_alone(world: World) -> None:
    """The command line with both engines of each embedding: FAD to 1e-5."""
    pairs = (("clap:630k", "laion-clap"), ("vggish", "frechet-audio-distance"))
    asked = [f"fad:embedding={e},fad:embedding={e},engine={engine}" for e, engine in pairs]
    # a worker on a busy machine may need more than a task's time to open a package; clips that were
    # lost so are tried again, and the frames of the others lie in the cache
    for _ in range(3):
        shown = world.call(
            "-c", "from concours.eval.cli import main; main()", "score", str(world.clips),
            "--reference", str(world.root / "others"), "--metrics", ",".join(asked),
            "--format", "json", "--workers", "1",
        )  # fmt: skip
        found = json.loads(shown)
        scores = found["sets"][0]["scores"]
        heard = [s["detail"].get("clips_without_frames") for s in scores.values()]
        if heard == [0] * 4:
            break
    assert heard == [0] * 4, found["items"]
    for embedding, engine in pairs:
        theirs, ours = (
            next(s for name, s in scores.items() if embedding in name and (engine in name) is peer)
            for peer in (True, False)
        )
        for count in ("clips", "frames", "reference_frames"):
            assert theirs["detail"][count] == ours["detail"][count], found["items"]
        assert theirs["value"] == pytest.approx(ours["value"], rel=1e-5)
        assert theirs["value"] > 1e-6
        assert theirs["detail"]["model"].startswith(f"{engine} ")
