"""Samples of more than eight bits and their meaning, read band by band and reduced on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hybridpool.pictures.errors import ImageError

__all__ = ["Samples", "reduced", "rows_of"]

_BAND = 2**20  # samples that are held as floats at a time


@dataclass(frozen=True)
class Samples:
    """The samples of a picture as they are in its file, and their meaning.

    Attributes:
        size: Width and height.
        rows: Returns the rows from the first to before the second as an array (rows, width,
            samples) of any integer or float type, the colours first.
        mode: `L`, `RGB` or `CMYK`.
        alpha: The meaning of the sample after the colours: `""` for none, `"straight"`, or
            `"associated"` where the colours are already multiplied by it.
        inverted: Whether 0 is white.
        key: The grey value that is transparent, if there is one.
    """

    size: tuple[int, int]
    rows: Callable[[int, int], NDArray[Any]]
    mode: str = "L"
    alpha: str = ""
    inverted: bool = False
    key: int | None = None


def reduced(samples: Samples, size: tuple[int, int]) -> Image.Image:
    """Average the samples down to a picture of one and a half times a size or more.

    Bytes and 16-bit numbers have their white at the largest number; grey of 16 bits that uses no
    more than 12 has it at 4095. Other integers, and floats that leave [0, 1], are stretched over
    the range that they use. NaN and infinity are black.

    Args:
        samples: The samples.
        size: The width and height of the final picture.

    Raises:
        ImageError: If no sample is a finite number.

    Example:
        >>> rows = np.array([[0, 4095], [4095, 0]], np.uint16)[..., None]
        >>> picture = reduced(Samples((2, 2), lambda top, bottom: rows[top:bottom]), (2, 2))
        >>> picture.mode, np.asarray(picture).tolist()
        ('F', [[0.0, 1.0], [1.0, 0.0]])
    """
    width, height = samples.size
    factor = max(1, int(min(width / size[0], height / size[1]) / 1.5))
    low, high = _range(samples)
    bands = [
        _averaged(_meaning(samples, band, low, high), factor) for band in _bands(samples, factor)
    ]
    values = np.concatenate(bands)
    if samples.mode == "L" and not samples.alpha:
        return Image.fromarray(np.ascontiguousarray(values[..., 0]))
    levels = (values * 255).round().astype(np.uint8)
    if samples.mode == "L":
        levels = levels[..., [0, 0, 0, 1]]
    if not samples.alpha:
        return _in_mode(levels, samples.mode)
    return _in_mode(levels, "RGBa")


def rows_of(picture: Image.Image, top: int, bottom: int) -> Image.Image:
    """Some rows of a picture; ``Image.crop`` would check them against the limit of the process.

    Args:
        picture: The picture.
        top: The first row.
        bottom: The row after the last.

    Example:
        >>> rows_of(Image.new("I;16", (5, 4)), 1, 3).size
        (5, 2)
    """
    size, box = (picture.width, bottom - top), (0, top, picture.width, bottom)
    return picture.resize(size, Image.Resampling.NEAREST, box=box)


def _in_mode(levels: NDArray[np.uint8], mode: str) -> Image.Image:
    height, width = levels.shape[:2]
    return Image.frombytes(mode, (width, height), levels.tobytes())


def _bands(samples: Samples, factor: int) -> Iterator[NDArray[Any]]:
    width, height = samples.size
    rows = max(1, _BAND // (width * len(samples.mode) * factor)) * factor
    for top in range(0, height, rows):
        yield samples.rows(top, min(top + rows, height))


def _range(samples: Samples) -> tuple[float, float]:
    """The values of black and white, before the samples are inverted."""
    kind = samples.rows(0, 1).dtype
    if kind.itemsize == 1 and kind.kind == "u":
        return 0, 255
    if kind.itemsize == 2 and kind.kind == "u" and samples.mode != "L":
        return 0, 65535
    if samples.alpha == "associated" and kind.kind != "f":
        return 0, float(np.iinfo(kind).max)
    low, high = np.inf, -np.inf
    for band in _bands(samples, 1):
        known = band[..., : len(samples.mode)]
        known = known[np.isfinite(known)]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    if low > high:
        raise ImageError(
            "This picture holds no finite number in any pixel: choose a picture that does."
        )
    if kind.itemsize == 2 and kind.kind == "u":
        return 0, 4095 if high <= 4095 else 65535
    if kind.kind == "f" and low >= 0 and high <= 1:
        return 0, 1
    return low, high


def _meaning(samples: Samples, band: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """A band as floats in [0, 1], with the colours multiplied by alpha if there is one."""
    count = len(samples.mode)
    colours = band[..., :count]
    known = np.isfinite(colours)
    # Halves, because the span of the widest floats is no float.
    span = high / 2 - low / 2 or 1.0
    values = (np.where(known, colours, low).astype(np.float64) / 2 - low / 2) / span
    values = np.clip(1 - values if samples.inverted else values, 0, 1)
    values[~known] = 0
    if samples.key is not None:
        values[colours == samples.key] = 1
    if not samples.alpha:
        return values
    alpha = band[..., count : count + 1]
    if alpha.dtype.kind != "f":
        alpha = alpha / np.iinfo(alpha.dtype).max
    alpha = np.clip(np.nan_to_num(alpha.astype(np.float64), nan=1.0), 0, 1)
    values = values * alpha if samples.alpha == "straight" else np.minimum(values, alpha)
    return np.concatenate([values, alpha], axis=2)


def _averaged(values: NDArray[Any], factor: int) -> NDArray[np.float32]:
    """The means of square blocks of pixels; blocks at the right and the bottom may be smaller."""
    if factor > 1:
        height, width = values.shape[:2]
        down, across = np.arange(0, height, factor), np.arange(0, width, factor)
        values = np.add.reduceat(np.add.reduceat(values, down, axis=0), across, axis=1)
        sides = [np.diff(starts, append=end) for starts, end in ((down, height), (across, width))]
        values = values / np.multiply.outer(*sides)[..., None]
    return values.astype(np.float32)
