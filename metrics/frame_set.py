"""The frames of a set of clips, what is known about them, and the songs that the clips come from.

Clips that are cut from one song depend on each other, so intervals draw whole songs. Of a set too
large for memory, ``frames`` is a sample of whole clips, and ``blocks`` are the statistics of all
frames, dealt by song into blocks that are drawn like songs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from concours.metrics.embeddings.protocol import Frames
from concours.metrics.gaussians import GaussianStats, merge_all

Integers = NDArray[np.int64]
Engine = Literal["concours", "laion-clap", "frechet-audio-distance"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


class FrameSet(NamedTuple):
    """``frames`` (n, d), and ``clip`` (n,), the number of each frame's clip.

    ``clips`` is the number of clips that gave frames, ``left_out`` how many gave none (too short,
    unreadable), ``note`` the embedding's warning to readers. ``song`` (clips,) numbers each
    clip's song, or the block that it was dealt to where there are ``blocks``. ``facts`` say what
    made the frames (checkpoint, preprocessing) and what the set is called, ``names`` the songs or
    blocks by number. A reference that is
    known by its statistics alone has one block and no frames.
    """

    frames: Frames
    clip: Integers
    clips: int
    left_out: int = 0
    note: str = ""
    song: Integers | None = None
    blocks: tuple[GaussianStats, ...] = ()
    facts: Mapping[str, Any] = NOTHING
    names: tuple[str, ...] = ()

    @property
    def d(self) -> int:
        return self.blocks[0].d if self.blocks else int(self.frames.shape[1])

    @property
    def n(self) -> int:
        """How many frames there are, those that are only counted in the statistics included."""
        return sum(b.n for b in self.blocks) if self.blocks else len(self.frames)

    @property
    def is_statistics(self) -> bool:
        return bool(self.blocks) and not len(self.frames)

    @property
    def units(self) -> int:
        """How many songs, or blocks of songs, an interval can draw from."""
        return len(self.blocks) or len(self.names) or self.clips

    @property
    def gaussian(self) -> Frames | GaussianStats:
        """What a Fréchet distance takes of the set: all of its frames, or their statistics."""
        return merge_all(self.blocks) if self.blocks else self.frames

    def of_units(self, chosen: Integers) -> FrameSet:
        """The frames of the chosen songs or blocks, given by number."""
        song = np.arange(self.clips) if self.song is None else self.song
        kept = np.isin(song, chosen)
        rows = kept[self.clip] if len(self.clip) else np.zeros(0, np.bool_)
        return self._replace(
            frames=self.frames[rows],
            clip=self.clip[rows],
            clips=int(np.count_nonzero(kept)),
            blocks=tuple(self.blocks[i] for i in chosen) if self.blocks else (),
        )

    def of_clip(self, number: int) -> Frames:
        """The frames of one clip."""
        frames: Frames = self.frames[self.clip == number]
        return frames


def frame_set(
    parts: Sequence[Frames],
    left_out: int = 0,
    note: str = "",
    songs: Sequence[str] | None = None,
    facts: Mapping[str, Any] = NOTHING,
) -> FrameSet:
    """A set from the frames of its clips, in order; ``songs`` names each clip's song.

    >>> two = frame_set([np.zeros((2, 3), np.float32), np.ones((1, 3), np.float32)])
    >>> two.frames.shape, two.clip.tolist(), two.clips
    ((3, 3), [0, 0, 1], 2)
    """
    at = [i for i, p in enumerate(parts) if len(p)]
    held = [parts[i] for i in at]
    frames = np.concatenate(held) if held else np.zeros((0, 1), np.float32)
    clip = np.repeat(np.arange(len(held)), [len(p) for p in held]).astype(np.int64)
    named = [songs[i] if songs is not None else f"{i:09d}" for i in at]
    names, song = np.unique(np.array(named, dtype=np.str_), return_inverse=True)
    missing = left_out + len(parts) - len(held)
    return FrameSet(
        frames, clip, len(held), missing, note, song.astype(np.int64), (), facts,
        tuple(str(n) for n in names),
    )  # fmt: skip
