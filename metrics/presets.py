"""Lists of metrics named after the papers whose settings they reproduce.

A preset stands for metrics with every setting spelled out: embedding, activation, direction. What a
preset cannot bring is the paper's data: its reference, its prompts and its target recordings are
for the user to give, and its checkpoints for the user to get.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Preset(NamedTuple):
    """``metrics`` as a config writes them, ``paper``, and ``needs``, what the user must bring."""

    metrics: tuple[str, ...]
    paper: str
    needs: str


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "musicgen": Preset(
            (
                "fad:embedding=vggish",
                "kl_reference_to_generated:embedding=passt,activation=softmax",
                "clap_score:embedding=clap:music-speech",
            ),
            "Copet et al. 2023 (MusicGen), arXiv:2306.05284",
            "MusicCaps as the reference and the targets, its captions as the prompts",
        ),
        "stable-audio": Preset(
            (
                "fad:embedding=openl3",
                "kl_reference_to_generated:embedding=passt,activation=softmax",
                "clap_score:embedding=clap:630k-fusion",
            ),
            "Evans et al. 2024 (Stable Audio), arXiv:2402.04825",
            "MusicCaps or Song Describer as the reference and the targets, its captions as prompts",
        ),
        "gui2023": Preset(
            (
                "fad_infinity:embedding=clap:music",
                "fad:embedding=clap:music",
                "clip_fad:embedding=clap:music",
            ),
            "Gui et al. 2023, arXiv:2311.01616",
            "FMA-Pop as the reference",
        ),
    }
)
