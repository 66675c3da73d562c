"""Which cells of a feature map and of its pooled maps see a part of the picture."""

from __future__ import annotations

from typing import NamedTuple

import torch

from hybridpool.measure import window_contrast
from hybridpool.stem import ConvStem
from hybridpool.trace import Settings


class Box(NamedTuple):
    """A rectangle of cells; its height or width is 0 where it has none."""

    top: int
    left: int
    height: int
    width: int


class Span(NamedTuple):
    """Neighbouring cells along one axis, from the first to before `stop`."""

    first: int
    stop: int


class Window(NamedTuple):
    """A sliding window along one axis: cell i sees from ``i * stride - padding`` on."""

    kernel: int
    stride: int
    padding: int

    def seeing(self, seen: Span, cells: int) -> Span:
        """Those of so many cells whose window meets what is seen.

        Example:
            >>> Window(kernel=3, stride=2, padding=1).seeing(Span(3, 4), cells=8)
            Span(first=1, stop=3)
        """
        if seen.first >= seen.stop:
            return Span(0, 0)
        first = max(0, -((self.kernel - 1 - self.padding - seen.first) // self.stride))
        stop = min(cells, (seen.stop - 1 + self.padding) // self.stride + 1)
        return Span(first, stop) if first < stop else Span(0, 0)


class Axis(NamedTuple):
    """Rows, or columns, of a picture, its feature map and its pooled maps.

    Attributes:
        pixels: How many pixels there are.
        cells: How many cells of the feature map.
        pooled: How many cells of the pooled map.
        stem: The filter, over pixels.
        window: The pooling window, over cells of the feature map.
        repeats: Whether the stem repeats the picture's border in its padding; else zeros are there.
    """

    pixels: int
    cells: int
    pooled: int
    stem: Window
    window: Window
    repeats: bool

    def seeing(self, start: int, side: int) -> tuple[Span, Span]:
        """The cells of the feature map and of the pooled map that see these pixels."""
        first, stop = max(0, start), min(self.pixels, start + side)
        if first < stop and self.repeats:
            # A border pixel is seen through all of the padding that repeats it.
            first -= self.stem.padding * (first == 0)
            stop += self.stem.padding * (stop == self.pixels)
        cells = self.stem.seeing(Span(first, stop), self.cells)
        return cells, self.window.seeing(cells, self.pooled)


def axes_of(image_size: tuple[int, ...], stem: ConvStem, settings: Settings) -> tuple[Axis, Axis]:
    """Rows and columns of a picture on its way through the stem and the pooling.

    Raises:
        ValueError: If the window does not fit the feature map.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> rows, columns = axes_of((64, 48), load_stem("filters"), Settings())
        >>> rows.cells, rows.pooled, columns.cells, columns.pooled
        (32, 16, 24, 12)
    """
    filters = Window(*stem.receptive_field)
    cells = [(n + 2 * filters.padding - filters.kernel) // filters.stride + 1 for n in image_size]
    window = Window(settings.kernel_size, settings.stride, settings.padding)
    repeats = stem.conv.padding_mode == "replicate"
    rows, columns = (
        Axis(*sizes, filters, window, repeats)
        for sizes in zip(image_size, cells, pooled_size(tuple(cells), settings), strict=True)
    )
    return rows, columns


def pooled_size(size: tuple[int, ...], settings: Settings) -> tuple[int, int]:
    """Rows and columns of the pooled map of a feature map of this size.

    Raises:
        ValueError: If the window does not fit the feature map.

    Example:
        >>> pooled_size((5, 8), Settings(kernel_size=2, stride=2, ceil_mode=True))
        (3, 4)
    """
    contrast = window_contrast(
        torch.zeros(size),
        settings.kernel_size,
        settings.stride,
        settings.padding,
        settings.ceil_mode,
    )
    return contrast.shape[0], contrast.shape[1]


def receptive_field_box(
    image_size: tuple[int, int],
    stem: ConvStem,
    settings: Settings,
    top: int,
    left: int,
    height: int,
    width: int,
) -> Box:
    """The pooled cells whose receptive field meets a rectangle of pixels.

    No other cell sees anything of it: outside this box the max, average and hybrid maps cannot
    change. Attention changes them through its weights.

    Args:
        image_size: Height and width of the picture.
        stem: The stem.
        settings: The window.
        top: First row of the rectangle, may lie outside the picture.
        left: First column, likewise.
        height: Its rows.
        width: Its columns.

    Raises:
        ValueError: If the window does not fit the feature map.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> stem = load_stem("filters")  # a pooled cell of 2 x 2 sees 9 x 9 pixels, 4 a step
        >>> receptive_field_box((64, 64), stem, Settings(), 16, 8, height=1, width=1)
        Box(top=3, left=1, height=2, width=2)
    """
    rows, columns = axes_of(image_size, stem, settings)
    _, down = rows.seeing(top, height)
    _, across = columns.seeing(left, width)
    if down.first == down.stop or across.first == across.stop:
        return Box(0, 0, 0, 0)
    return Box(down.first, across.first, down.stop - down.first, across.stop - across.first)
