"""What each pooling costs, counted without a clock: parameters, operations, memory traffic.

One comparison, addition, subtraction, product, quotient or sigmoid is one operation. Only cells on
the map are counted; padding costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hybridpool.cost.settings import DTYPES, CostSettings
from hybridpool.window import Window

_BLUR = 3


@dataclass(frozen=True)
class Counts:
    """What one pooling needs for the forward pass of one batch.

    Attributes:
        parameters: Numbers that are learned.
        operations: Operations for the whole batch.
        outputs: Values that come out.
        bytes_fused: The fewest bytes that are read and written, in one pass over the map.
        bytes_stepwise: Bytes read and written if every step of the formula reads and writes its
            maps, as in PyTorch's eager mode without what it remembers for the backward pass.
    """

    parameters: int
    operations: int
    outputs: int
    bytes_fused: int
    bytes_stepwise: int

    @property
    def operations_per_output(self) -> float:
        """Operations for each value that comes out."""
        return self.operations / self.outputs


@dataclass(frozen=True)
class _Sizes:
    """N maps of C channels: cells that come in, values that go out, cells of all windows."""

    maps: int
    channels: int
    cells: int
    outputs: int
    covered: int
    window: Window
    size: tuple[int, int]


def count_cost(name: str, settings: CostSettings) -> Counts:
    r"""Count what one pooling needs for one batch.

    With :math:`n` the cells that come in, :math:`m` the values that go out, :math:`k` the cells of
    all windows together (each counted as often as a window covers it), :math:`N` maps of :math:`C`
    channels and :math:`h = \max(1, \lfloor C / 4 \rfloor)`:

    ============== ================== =============================================
    pooling        parameters         operations
    ============== ================== =============================================
    copy           0                  0
    max            0                  k - m comparisons
    average        0                  k - m additions, m quotients
    article        1                  max, average, 2 m products, m additions; 2 sigmoids, 1 - s
    hybrid         1                  the same with 1 sigmoid
    hybrid_channel C                  the same with C sigmoids and C times 1 - s
    attention      2 C h + C + h      max, average, blend; N (n / N + 4 C h + h + 2 C) for the means
                                      and the two linear layers with their activations
    blur           0                  max at stride 1; 9 products and 8 additions for each output
    ============== ================== =============================================

    In one pass a pooling reads each cell and each parameter once and writes each output once;
    attention reads the map twice, because its blend weights are known only after the first pass.
    Step by step the blend reads the map twice, for max and for average, and then reads and writes
    pooled maps: two products (2 m read, 2 m written) and a sum (2 m read, m written).

    Args:
        name: A key of `CONTESTANTS`.
        settings: The map and the window.

    Raises:
        ValueError: If the name is not known.

    Example:
        >>> one = CostSettings(batch=1, channels=1, height=2, width=2)
        >>> count_cost("hybrid", one)  # 3 comparisons, 3 additions, 1 quotient, the blend and s
        Counts(parameters=1, operations=12, outputs=1, bytes_fused=24, bytes_stepwise=76)
    """
    if name not in _COUNTERS:
        raise ValueError(f"name must be one of {', '.join(_COUNTERS)}, but got {name!r}.")
    sizes = _sizes(settings)
    parameters, operations, fused, stepwise = _COUNTERS[name](sizes)
    width = DTYPES[settings.dtype].itemsize
    outputs = sizes.cells if name == "copy" else sizes.outputs
    return Counts(parameters, operations, outputs, width * fused, width * stepwise)


def covered_cells(size: int, kernel: int, stride: int, padding: int) -> int:
    """How many cells all windows along one axis cover, each counted as often as it is covered.

    Example:
        >>> covered_cells(4, kernel=3, stride=2, padding=1)  # windows of 2 and 3 cells on the map
        5
    """
    starts = range(-padding, size + padding - kernel + 1, stride)
    return sum(min(start + kernel, size) - max(start, 0) for start in starts)


def _sizes(settings: CostSettings) -> _Sizes:
    window, maps = settings.window, settings.batch * settings.channels
    size = settings.height, settings.width
    covered = maps * math.prod(
        covered_cells(size[axis], window.kernel[axis], window.stride[axis], window.padding[axis])
        for axis in (0, 1)
    )
    outputs = maps * math.prod(window.out_size(*size))
    cells = maps * math.prod(size)
    return _Sizes(settings.batch, settings.channels, cells, outputs, covered, window, size)


_Row = tuple[int, int, int, int]


def _copy(at: _Sizes) -> _Row:
    return 0, 0, 2 * at.cells, 2 * at.cells


def _max(at: _Sizes) -> _Row:
    return 0, at.covered - at.outputs, at.cells + at.outputs, at.cells + at.outputs


def _average(at: _Sizes) -> _Row:
    return 0, at.covered, at.cells + at.outputs, at.cells + at.outputs


def _blend(at: _Sizes, weights: int, operations: int) -> _Row:
    """Max, average, two products and a sum, with so many weights and operations on them."""
    pooled = 2 * at.covered - at.outputs + 3 * at.outputs
    fused = at.cells + at.outputs + weights
    return weights, pooled + operations, fused, 2 * at.cells + 9 * at.outputs + 2 * weights


def _attention(at: _Sizes) -> _Row:
    hidden = max(1, at.channels // 4)
    parameters = 2 * at.channels * hidden + at.channels + hidden
    layers = 4 * at.channels * hidden + hidden + 2 * at.channels
    _, operations, fused, stepwise = _blend(at, 0, at.cells + at.maps * layers)
    # Means, hidden values and blend weights go through memory once each way.
    values = 2 * at.maps * (2 * at.channels + hidden) + parameters
    return parameters, operations, fused + at.cells + parameters, stepwise + at.cells + values


def _blur(at: _Sizes) -> _Row:
    dense, covered = at.maps * at.channels, at.maps * at.channels
    for size, kernel, padding in zip(at.size, at.window.kernel, at.window.padding, strict=True):
        dense *= size + 2 * padding - kernel + 1
        covered *= covered_cells(size, kernel, 1, padding)
    operations = covered - dense + (2 * _BLUR**2 - 1) * at.outputs
    return 0, operations, at.cells + at.outputs, at.cells + 2 * dense + at.outputs


_COUNTERS: Mapping[str, Callable[[_Sizes], _Row]] = {
    "copy": _copy,
    "max": _max,
    "average": _average,
    "article": lambda at: _blend(at, 1, 3),
    "hybrid": lambda at: _blend(at, 1, 2),
    "hybrid_channel": lambda at: _blend(at, at.channels, 2 * at.channels),
    "attention": _attention,
    "blur": _blur,
}
