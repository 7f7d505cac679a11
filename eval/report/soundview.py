"""Sound as drawings: a waveform as an SVG path, a spectrogram as a PNG image in a data URI."""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

WIDTH, HEIGHT = 1000, 100
COLUMNS = 500
FRAMES, BANDS = 320, 72
LOWEST, HIGHEST = 40.0, 10_000.0
RANGE_DB = 70.0
WINDOW_SECONDS = 0.046
# Dark blue to pale yellow: lightness rises all the way, so grey print and colour-blind eyes agree.
_ANCHORS = ((13, 8, 45), (59, 15, 112), (140, 41, 129), (222, 73, 104), (254, 159, 109),
            (252, 253, 191))  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """A frequency at a percentage of the height, from the top."""

    at: float
    text: str


@dataclass(frozen=True)
class Spectrogram:
    """``image`` is a data URI; time runs to the right, frequency upwards on a logarithmic axis."""

    image: str
    marks: tuple[Mark, ...]


def mixed(samples: NDArray[np.floating]) -> Floats:
    """One channel, shape (n,), of samples of shape (n,) or (n, channels).

    Raises:
        ValueError: another shape, or a sample that is not finite.
    """
    sound = np.asarray(samples, dtype=np.float64)
    if sound.ndim == 2:
        sound = sound.mean(axis=1)
    if sound.ndim != 1:
        raise ValueError(f"samples must have shape (n,) or (n, channels), not {sound.shape}")
    if not np.isfinite(sound).all():
        raise ValueError("samples hold a value that is not finite")
    return sound


def waveform(samples: NDArray[np.floating]) -> str:
    """The lowest and the highest sample of each of 500 slices, as an SVG path.

    The path fills a box of 1000 by 100 units and is scaled to the loudest sample; silence is a
    flat line, and no samples give "".

    >>> waveform(np.array([0.0, 0.5, -0.5, 0.0])).startswith("M0 50V50M")
    True
    """
    sound = mixed(samples)
    if not len(sound):
        return ""
    count = min(COLUMNS, len(sound))
    edges = np.linspace(0, len(sound), count + 1).astype(int)[:-1]
    high, low = np.maximum.reduceat(sound, edges), np.minimum.reduceat(sound, edges)
    peak = max(float(np.abs(sound).max()), 1e-9)
    top = np.rint(HEIGHT / 2 * (1 - high / peak)).astype(int)
    bottom = np.rint(HEIGHT / 2 * (1 - low / peak)).astype(int)
    x = np.rint(np.arange(count) * WIDTH / count).astype(int)
    return "".join(f"M{a} {t}V{b}" for a, t, b in zip(x, top, bottom, strict=True))


def spectrogram(samples: NDArray[np.floating], sample_rate: int) -> Spectrogram | None:
    """Power over time and frequency, 70 dB down from the loudest; None under 46 ms of sound.

    Bands are equally wide in pitch from 40 Hz to 10 kHz (or to half the sample rate); each holds
    the greatest power of a Hann-windowed spectrum of 46 ms within it.
    """
    sound = mixed(samples)
    size = round(WINDOW_SECONDS * sample_rate)
    if len(sound) < size:
        return None
    highest = min(HIGHEST, sample_rate / 2)
    starts = np.linspace(0, len(sound) - size, FRAMES).astype(int)
    frames = np.stack([sound[s : s + size] for s in starts]) * np.hanning(size)
    padded = 4 * (1 << (size - 1).bit_length())
    power = np.abs(np.fft.rfft(frames, padded, axis=1)) ** 2
    edges = np.geomspace(LOWEST, highest, BANDS + 1) * padded / sample_rate
    bins = np.clip(np.rint(edges[:-1]).astype(int), 0, power.shape[1] - 1)
    bands = np.maximum.reduceat(power[:, : int(edges[-1]) + 1], bins, axis=1)
    level = 10 * np.log10(np.maximum(bands / max(float(bands.max()), 1e-12), 1e-12))
    shade = np.rint(255 * np.clip(1 + level / RANGE_DB, 0, 1)).astype(np.uint8)
    span = np.log(highest / LOWEST)
    marks = tuple(
        Mark(round(100 * float(1 - np.log(f / LOWEST) / span), 2), text)
        for f, text in ((100, "100 Hz"), (1000, "1 kHz"), (5000, "5 kHz"))
        if f < highest
    )
    image = base64.b64encode(png(shade.T[::-1])).decode()
    return Spectrogram(f"data:image/png;base64,{image}", marks)


def png(shade: Bytes) -> bytes:
    """A PNG of one palette index a pixel, shape (rows, columns).

    Its data are stored, not compressed: libraries compress alike pictures to unlike bytes.
    """
    rows, columns = shade.shape
    lines = np.zeros((rows, columns + 1), np.uint8)
    lines[:, 1:] = shade
    raw = lines.tobytes()
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", _stored(raw)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _stored(raw: bytes) -> bytes:
    """A zlib stream of stored blocks."""
    blocks = [raw[i : i + 65535] for i in range(0, len(raw), 65535)]
    out = b"\x78\x01"
    for i, block in enumerate(blocks):
        out += struct.pack("<BHH", i == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
    return out + struct.pack(">I", zlib.adler32(raw))


def _palette() -> bytes:
    at = np.linspace(0, len(_ANCHORS) - 1, 256)
    steps = np.arange(len(_ANCHORS))
    channels = [np.interp(at, steps, column) for column in zip(*_ANCHORS, strict=True)]
    return cast(bytes, np.rint(np.stack(channels, axis=1)).astype(np.uint8).tobytes())
