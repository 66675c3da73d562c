"""Which cells of a feature map and of its pooled maps see a part of the picture."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from hybridpool.stem import ConvStem
from hybridpool.trace import Settings
from hybridpool.window import Axis, Span, Window, check_window


class PictureAxis(NamedTuple):
    """Rows, or columns, of a picture on their way through the stem and the pooling.

    Attributes:
        stem: The filter, over pixels.
        window: The pooling window, over cells of the feature map.
        repeats: Whether the stem repeats the picture's border in its padding; else zeros are there.
    """

    stem: Axis
    window: Axis
    repeats: bool

    def seeing(self, start: int, side: int) -> tuple[Span, Span]:
        """The cells of the feature map and of the pooled map that see these pixels."""
        first, stop = max(0, start), min(self.stem.size, start + side)
        if first < stop and self.repeats:
            # A border pixel is seen through all of the padding that repeats it.
            first -= self.stem.padding * (first == 0)
            stop += self.stem.padding * (stop == self.stem.size)
        cells = self.stem.seeing(Span(first, stop))
        return cells, self.window.seeing(cells)

    def inside(self) -> tuple[Span, Span]:
        """The cells of both maps that see pixels of the picture alone, and nothing of a border."""
        cells = _wholly_within(self.stem, Span(0, self.stem.size))
        return cells, _wholly_within(self.window, cells)

    def pixels(self, pooled: Span) -> Span:
        """All pixels that some cells of the pooled map see."""
        start, step, side = self._sees()
        return Span(pooled.first * step + start, (pooled.stop - 1) * step + start + side)

    def _sees(self) -> tuple[int, int, int]:
        """Where the pixels of the first pooled cell start, the step to the next, and how many."""
        stem, window = self.stem, self.window
        side = (window.kernel - 1) * stem.stride + stem.kernel
        start = -window.padding * stem.stride - stem.padding
        return start, window.stride * stem.stride, side


def axes_of(
    image_size: tuple[int, ...], receptive_field: tuple[int, int, int], settings: Settings
) -> tuple[PictureAxis, PictureAxis]:
    """Rows and columns of a picture on its way through the stem and the pooling.

    Args:
        image_size: Height and width of the picture.
        receptive_field: Kernel size, stride and padding of the stem.
        settings: The window.

    Raises:
        ValueError: If the window does not fit the feature map.

    Example:
        >>> rows, columns = axes_of((64, 48), (7, 2, 3), Settings())
        >>> rows.stem.count, rows.window.count, columns.stem.count, columns.window.count
        (32, 16, 24, 12)
        >>> rows.inside()  # the outermost cells see beyond the border
        (Span(first=2, stop=31), Span(first=1, stop=15))
    """
    height, width = image_size
    kernel, stride, padding = ((side, side) for side in receptive_field)
    filters = Window(kernel, stride, padding).axes(height, width)
    cells = filters[0].count, filters[1].count
    window = window_of(settings)
    window.check_fits(*cells)
    rows, columns = (
        PictureAxis(*axes, repeats=False) for axes in zip(filters, window.axes(*cells), strict=True)
    )
    return rows, columns


def axes_through(
    image_size: tuple[int, ...], stem: ConvStem, settings: Settings
) -> tuple[PictureAxis, PictureAxis]:
    """The same for a stem, which may repeat the border of the picture.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> axes_through((64, 48), load_stem("filters"), Settings())[0].repeats
        True
    """
    repeats = stem.conv.padding_mode == "replicate"
    rows, columns = axes_of(image_size, stem.receptive_field, settings)
    return rows._replace(repeats=repeats), columns._replace(repeats=repeats)


def window_of(settings: Settings) -> Window:
    """The pooling window of some settings.

    Example:
        >>> window_of(Settings(kernel_size=3)).kernel
        (3, 3)
    """
    return check_window(**settings.window)


def cells_seeing(
    pixels: Tensor, receptive_field: tuple[int, int, int], settings: Settings
) -> Tensor:
    """The pooled cells whose receptive field meets any of the marked pixels.

    No other cell sees anything of them: outside, the max, average and hybrid maps cannot change
    when they do. Attention changes them through its weights.

    Args:
        pixels: Marked pixels of the picture, bool (H, W).
        receptive_field: Kernel size, stride and padding of the stem, which is less than its kernel:
            then whoever sees a border that is repeated sees the border itself.
        settings: The window.

    Shape:
        bool, the rows and columns of the pooled map.

    Example:
        >>> import torch
        >>> marked = torch.zeros(64, 64, dtype=torch.bool)
        >>> marked[16, 8] = True  # a pooled cell of 2 x 2 sees 9 x 9 pixels, 4 a step
        >>> cells_seeing(marked, (7, 2, 3), Settings()).nonzero().tolist()
        [[3, 1], [3, 2], [4, 1], [4, 2]]
    """
    kernel, stride, padding = receptive_field
    seen = F.max_pool2d(F.pad(pixels[None, None].float(), (padding,) * 4), kernel, stride)
    return window_of(settings).maximum(seen)[0, 0] > 0


def _wholly_within(axis: Axis, part: Span) -> Span:
    """The windows that hold nothing but cells of this part."""
    first = -((-part.first - axis.padding) // axis.stride)
    stop = (part.stop + axis.padding - axis.kernel) // axis.stride + 1
    return Span(max(first, 0), max(min(stop, axis.count), first, 0))
