"""The window of a pooling: which sizes it may have, where it lies, and which cells it holds.

Layers, measurements and the pages that draw windows all take their geometry from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import index as as_integer
from typing import Any, NamedTuple, SupportsIndex

import torch
import torch.nn.functional as F
from torch import Tensor

#: One integer for height and width, alone or in a sequence, or two; also integers of NumPy.
Size2d = SupportsIndex | Sequence[SupportsIndex]


class ImpossibleWindowError(ValueError):
    """A window that PyTorch refuses.

    Attributes:
        reason: ``"padding"`` if the padding is more than half of the window, ``"size"`` if the
            window fits nowhere.

    Example:
        >>> ImpossibleWindowError("It fits nowhere.", "size").reason
        'size'
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Span(NamedTuple):
    """Neighbouring cells along one axis, from the first to before `stop`."""

    first: int
    stop: int


@dataclass(frozen=True)
class Axis:
    """The windows along one axis of a map. Positions count from the map's first cell, 0.

    Args:
        size: Cells of the map.
        kernel: Cells of the window.
        stride: Step of the window.
        padding: Cells added at each end.
        ceil_mode: Whether a last window that reaches beyond the map counts.

    Example:
        >>> axis = Axis(size=5, kernel=2, stride=2, padding=0, ceil_mode=False)
        >>> axis.count, axis.starts, axis.dropped
        (2, (0, 2), (4,))
    """

    size: int
    kernel: int
    stride: int
    padding: int
    ceil_mode: bool

    @property
    def span(self) -> int:
        """n + 2p - k, the cells that a window can move along."""
        return self.size + 2 * self.padding - self.kernel

    @property
    def formula(self) -> int:
        """floor((n + 2p - k) / s) + 1, or with ceil in ceil mode."""
        return _formula(self.size, self.kernel, self.stride, self.padding, self.ceil_mode)

    @property
    def trimmed(self) -> bool:
        """Whether ceil mode's last window would start in the padding behind the map.

        Example:
            >>> Axis(size=4, kernel=1, stride=2, padding=0, ceil_mode=True).trimmed
            True
        """
        return self.count < self.formula

    @property
    def count(self) -> int:
        """How many windows there are: the size of the pooled map."""
        return _count(self.size, self.kernel, self.stride, self.padding, self.ceil_mode)

    @property
    def starts(self) -> tuple[int, ...]:
        """Where each window begins, in the padding below 0."""
        return tuple(i * self.stride - self.padding for i in range(self.count))

    @property
    def reach(self) -> int:
        """The position behind the last cell of the last window."""
        return (self.count - 1) * self.stride - self.padding + self.kernel

    @property
    def end(self) -> int:
        """The position behind the last cell of the padding, or of a window that reaches further."""
        return max(self.size + self.padding, self.reach)

    @property
    def dropped(self) -> tuple[int, ...]:
        """Cells of the map where one more window would begin, but does not fit."""
        return tuple(cell for cell in self._missed if cell >= self.starts[-1] + self.stride)

    @property
    def skipped(self) -> tuple[int, ...]:
        """Cells of the map that a stride larger than the window steps over.

        Example:
            >>> Axis(size=4, kernel=1, stride=3, padding=0, ceil_mode=False).skipped
            (1, 2)
        """
        return tuple(cell for cell in self._missed if cell < self.starts[-1] + self.stride)

    @property
    def _missed(self) -> list[int]:
        reached = {start + step for start in self.starts for step in range(self.kernel)}
        return [cell for cell in range(self.size) if cell not in reached]

    def inside(self, index: int) -> range:
        """The cells of the map in window `index`."""
        start = index * self.stride - self.padding
        return range(max(start, 0), min(start + self.kernel, self.size))

    def counted(self, index: int, count_include_pad: bool) -> int:
        """How many cells of window `index` the average counts: never those beyond the padding.

        Example:
            >>> Axis(size=3, kernel=2, stride=2, padding=0, ceil_mode=True).counted(1, True)
            1
        """
        if not count_include_pad:
            return len(self.inside(index))
        start = index * self.stride - self.padding
        return min(start + self.kernel, self.size + self.padding) - start

    def seeing(self, cells: Span) -> Span:
        """The windows that hold any of these cells, which may lie in the padding.

        Example:
            >>> Axis(size=16, kernel=3, stride=2, padding=1, ceil_mode=False).seeing(Span(3, 4))
            Span(first=1, stop=3)
        """
        if cells.first >= cells.stop:
            return Span(0, 0)
        first = max(0, -((self.kernel - 1 - self.padding - cells.first) // self.stride))
        stop = min(self.count, (cells.stop - 1 + self.padding) // self.stride + 1)
        return Span(first, stop) if first < stop else Span(0, 0)


class Window(NamedTuple):
    """The options of a pooling, in the order of `torch.nn.functional.avg_pool2d`.

    `check_window` makes a window from the arguments of a layer and refuses an impossible one. A
    window that is made directly is not checked.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    ceil_mode: bool = False
    count_include_pad: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """The window as the keyword arguments of `hybridpool.hybrid_pool2d`."""
        return {
            "kernel_size": self.kernel,
            "stride": self.stride,
            "padding": self.padding,
            "ceil_mode": self.ceil_mode,
            "count_include_pad": self.count_include_pad,
        }

    def axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """The windows on a map of this size, downwards and across."""
        kernel, stride, padding, ceil_mode, _ = self
        return (
            Axis(height, kernel[0], stride[0], padding[0], ceil_mode),
            Axis(width, kernel[1], stride[1], padding[1], ceil_mode),
        )

    def out_size(self, height: int, width: int) -> tuple[int, int]:
        """The height and width of the pooled map."""
        kernel, stride, padding, ceil_mode, _ = self
        return (
            _count(height, kernel[0], stride[0], padding[0], ceil_mode),
            _count(width, kernel[1], stride[1], padding[1], ceil_mode),
        )

    def check(self) -> None:
        """Refuse more padding than PyTorch takes.

        Raises:
            ImpossibleWindowError: If the padding is more than half of the window.
        """
        kernel, padding = self.kernel, self.padding
        if 2 * padding[0] > kernel[0] or 2 * padding[1] > kernel[1]:
            raise ImpossibleWindowError(
                f"padding must be at most half of kernel_size {kernel}, but got {padding}.",
                "padding",
            )

    def check_fits(self, height: int, width: int) -> None:
        """Refuse a map that is too small for the window.

        Raises:
            ImpossibleWindowError: If no window fits into the map with its padding.
        """
        if min(self.out_size(height, width)) < 1:
            raise ImpossibleWindowError(
                f"kernel_size {self.kernel} does not fit into an input of {height} by {width} "
                f"cells with padding {self.padding}: use a smaller kernel or a larger input.",
                "size",
            )

    def tiles(self, height: int, width: int) -> bool:
        """Whether the windows lie side by side and none reaches beyond the map."""
        if self.kernel != self.stride or self.padding != (0, 0):
            return False
        rows, columns = self.out_size(height, width)
        return rows * self.kernel[0] <= height and columns * self.kernel[1] <= width

    def divisor(self, height: int, width: int) -> Tensor:
        """The divisor of each average, of shape (H_out, W_out), on the CPU."""
        return _divisor(self, height, width)

    def padded(self, feature_map: Tensor, fill: float = 0.0) -> Tensor:
        """The map with its padding, cut or continued to where the last window ends."""
        rows, columns = self.axes(*feature_map.shape[-2:])
        across = (columns.padding, columns.reach - columns.size)
        down = (rows.padding, rows.reach - rows.size)
        return F.pad(feature_map, (*across, *down), value=fill)

    def cells(self, feature_map: Tensor, fill: float = 0.0) -> Tensor:
        """Lay out the cells of each window: (..., H, W) to (..., H_out, W_out, cells).

        Args:
            feature_map: The map.
            fill: The value where a window reaches beyond the map.
        """
        cells = self.padded(feature_map, fill)
        for kernel, stride in zip(self.kernel, self.stride, strict=True):
            cells = cells.unfold(-2, kernel, stride)
        return cells.flatten(-2)

    def inside(self, feature_map: Tensor) -> Tensor:
        """Which cells of each window lie on the map: bool, of shape (H_out, W_out, cells)."""
        size, device = feature_map.shape[-2:], feature_map.device
        return self.cells(torch.ones(size, dtype=torch.bool, device=device))

    def average(self, input: Tensor) -> Tensor:
        """PyTorch's average pooling."""
        return F.avg_pool2d(input, *self)

    def maximum(self, input: Tensor) -> Tensor:
        """PyTorch's max pooling."""
        return F.max_pool2d(input, self.kernel, self.stride, self.padding, ceil_mode=self.ceil_mode)

    def maximum_with_indices(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """PyTorch's max pooling, and the index in the map of each maximum."""
        return F.max_pool2d_with_indices(
            input, self.kernel, self.stride, self.padding, ceil_mode=self.ceil_mode
        )


def _formula(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    return (size + 2 * padding - kernel + (stride - 1 if ceil_mode else 0)) // stride + 1


def _count(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> int:
    count = _formula(size, kernel, stride, padding, ceil_mode)
    # PyTorch leaves out a window that would start in the padding behind the map.
    return count - 1 if ceil_mode and (count - 1) * stride >= size + padding else count


def check_window(
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Window:
    """Read the options of a pooling and refuse an impossible window in one sentence.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> check_window(3, stride=2, padding=1).out_size(8, 6)
        (4, 3)
    """
    kernel = _pair("kernel_size", kernel_size, least=1)
    step = kernel if stride is None else _pair("stride", stride, least=1)
    sides = _pair("padding", padding, least=0)
    window = Window(kernel, step, sides, ceil_mode, count_include_pad)
    window.check()
    return window


def plain_size(size: Size2d) -> int | tuple[int, ...]:
    """A size in Python's own integers.

    Raises:
        TypeError: If it is neither an integer nor several.

    Example:
        >>> plain_size(torch.Size([3, 2]))
        (3, 2)
    """
    if isinstance(size, int):
        return size
    if isinstance(size, tuple) and all(isinstance(number, int) for number in size):
        return tuple(size)
    if isinstance(size, Iterable):
        try:
            return tuple(as_integer(number) for number in size)
        except TypeError:  # an array of NumPy with one number and no dimension
            pass
    return as_integer(size)  # type: ignore[arg-type]


def _pair(name: str, value: Size2d, least: int) -> tuple[int, int]:
    if isinstance(value, int) and value >= least:
        return value, value
    try:
        size = plain_size(value)
    except TypeError:
        size = ()
    pair = (size, size) if isinstance(size, int) else size
    pair = pair * 2 if len(pair) == 1 else pair
    if len(pair) != 2 or min(pair) < least:
        raise ValueError(
            f"{name} must be one integer or two, each at least {least}, but got {value!r}."
        )
    return pair[0], pair[1]


@lru_cache(maxsize=64)
def _divisor(window: Window, height: int, width: int) -> Tensor:
    rows, columns = (
        torch.tensor(
            [axis.counted(i, window.count_include_pad) for i in range(axis.count)], device="cpu"
        )
        for axis in window.axes(height, width)
    )
    return rows[:, None] * columns
