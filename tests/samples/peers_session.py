"""Processes in which the peers' own packages run, with seeded random weights at their places.

``python peers_session.py make WORLD`` makes a Hugging Face cache, checkpoints in the official
formats and a torch hub under WORLD, where ``HF_HOME`` and ``CONCOURS_WEIGHTS`` point;
``python peers_session.py run WORLD CLIPS`` writes to ``WORLD/found.npz`` what each engine makes of
the WAV files in CLIPS. They are processes of their own because Hugging Face's packages read where
their cache is when they are imported.
"""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

TEXTS = ["a slow waltz", "heavy metal", "birdsong at dawn"]
REVISION = "0" * 40
CLAPS = {"630k": "630k-audioset-best.pt", "630k-fusion": "630k-audioset-fusion-best.pt"}
EMBEDDINGS = (
    *(f"{engine}clap:{name}" for name in CLAPS for engine in ("", "laion-clap/")),
    "frechet-audio-distance/clap:630k", "vggish", "frechet-audio-distance/vggish",
)  # fmt: skip
# what torch.hub has from VGGish's repository: the network and front end of the package on PyPI in a
# class that takes sound; this is that class, since the package lacks it
HUB = """
import torch
from torch import hub
from torchvggish.torchvggish import VGG, make_layers
from torchvggish.vggish_input import waveform_to_examples

dependencies = ["torch"]
HOME = "https://vggish.invalid/"

class Vggish(VGG):
    def __init__(self):
        super().__init__(make_layers(), False)
        self.load_state_dict(hub.load_state_dict_from_url(HOME + "vggish-10086976.pth"))
        hub.load_state_dict_from_url(HOME + "vggish_pca_params-970ea276.pth")

    def forward(self, audio, rate):
        return super().forward(waveform_to_examples(audio, rate))

def vggish():
    return Vggish()
"""


def _snapshot(home: Path, repository: str) -> Path:
    place = home / "hub" / f"models--{repository.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(REVISION)
    folder = place / "snapshots" / REVISION
    folder.mkdir(parents=True)
    return folder


def hugging_face(home: Path, weights: Path) -> None:
    """The tokenizers that laion_clap's import asks for, and RoBERTa with random weights; the
    tokenizer also as ours reads it."""
    import transformers
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    for repository, count in (("roberta-base", 50_265), ("facebook/bart-base", 300)):
        folder = _snapshot(home, repository)
        tokens = ["<s>", "<pad>", "</s>", "<unk>", *bytes_to_unicode().values()]
        tokens += [f"unused{i}" for i in range(count - 1 - len(tokens))] + ["<mask>"]
        (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
        (folder / "merges.txt").write_text("#version: 0.2\n")
        if repository == "roberta-base":
            named = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512}
            shutil.copytree(folder, weights / "roberta-base")
            (weights / "roberta-base" / "tokenizer_config.json").write_text(json.dumps(named))
            settings = {"vocab_size": count, "max_position_embeddings": 514, "type_vocab_size": 1}
            settings["layer_norm_eps"] = 1e-5  # as in its config.json; the class default is another
            model = transformers.RobertaModel(transformers.RobertaConfig(**settings))
            model.save_pretrained(folder)
    bert = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])
    (_snapshot(home, "bert-base-uncased") / "vocab.txt").write_text(bert)


def checkpoints(weights: Path) -> None:
    """CLAP in LAION's format, made by laion_clap itself; VGGish for us and for torch's hub."""
    import torch

    laion_clap: Any = importlib.import_module("laion_clap")
    place = weights / "clap"
    place.mkdir()
    for name, file in CLAPS.items():
        torch.manual_seed(7)
        made = laion_clap.CLAP_Module(enable_fusion="fusion" in name, device="cpu").model
        for buffer in (b for n, b in made.named_buffers() if "running_mean" in n):
            buffer.copy_(torch.randn_like(buffer) * 0.1)  # as after training
        state = {f"module.{k}": v for k, v in made.state_dict().items()}
        state["module.text_branch.embeddings.position_ids"] = torch.arange(514)[None]
        torch.save({"epoch": 1, "name": "random", "state_dict": state}, place / file)

    network: Any = importlib.import_module("torchvggish.torchvggish")
    hub = weights / "torch-hub"
    for folder in (hub / "checkpoints", hub / "harritaylor_torchvggish_master", weights / "vggish"):
        folder.mkdir(parents=True)
    (hub / "harritaylor_torchvggish_master" / "hubconf.py").write_text(HUB)
    kept = hub / "checkpoints" / "vggish-10086976.pth"
    torch.save(network.VGG(network.make_layers(), False).state_dict(), kept)
    shutil.copy(kept, weights / "vggish")
    torch.save({"pca_means": torch.zeros(128)}, kept.with_name("vggish_pca_params-970ea276.pth"))


def make(world: Path) -> None:
    """Everything that the engines read."""
    weights = world / "weights"
    weights.mkdir(parents=True)
    hugging_face(world / "hf", weights)
    checkpoints(weights)


def run(world: Path, clips: Path) -> None:
    """Every engine's frames of the clips and its vectors of the texts."""
    from concours.eval.embeddings.catalogue import open_embedding
    from concours.eval.load.audio import load_audio
    from concours.metrics.embeddings.protocol import embed

    found = {}
    for name in EMBEDDINGS:
        opened: Any = open_embedding(name)
        for file in sorted(clips.glob("*.wav")):
            found[f"{name} {file.stem}"] = embed(opened, load_audio(file).clip)
        if hasattr(opened, "embed_texts"):
            found[f"{name} texts"] = opened.embed_texts(TEXTS)
            found[f"{name} text"] = opened.embed_texts(TEXTS[:1])
        open_embedding.cache_clear()  # each holds half a gigabyte
    np.savez(world / "found.npz", **found)


if __name__ == "__main__":
    step, *places = sys.argv[1:]
    del sys.argv[1:]  # laion_clap reads the command line when it is imported
    {"make": make, "run": run}[step](*map(Path, places))
