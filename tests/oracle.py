"""What the layers are checked against: pooling by nested loops, and the article's own classes.

The loops run over single cells as Python floats. Nothing here is fast, clever or shared with the
library.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Size2d = int | Sequence[int]
Reduction = Callable[[list[float], int], float]


def pair(value: Size2d) -> tuple[int, int]:
    """Height and width, from one number for both or from two."""
    if isinstance(value, int):
        return value, value
    height, width = value
    return height, width


def starts(cells: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> list[int]:
    """Where the windows along one axis begin; the first cell of the map is 0.

    A window belongs to the result if it ends within the padded map. In ceil mode, one that reaches
    beyond does too, if the window before it left cells over and it begins before the padding at
    the far side.
    """
    end = cells + padding
    found = []
    start = -padding
    while start < end:
        fits = start + kernel <= end
        left_over = start - stride + kernel < end
        if fits or (ceil_mode and left_over and start < cells):
            found.append(start)
        start += stride
    return found


def pool(
    input: Tensor,
    reduce: Reduction,
    kernel_size: Size2d,
    stride: Size2d | None = None,
    padding: Size2d = 0,
    *,
    ceil_mode: bool = False,
    count_include_pad: bool = False,
) -> Tensor:
    """Apply ``reduce(cells of the map, how many cells count)`` to every window, in float64."""
    if input.dim() == 4:
        parts = [
            pool(
                sample,
                reduce,
                kernel_size,
                stride,
                padding,
                ceil_mode=ceil_mode,
                count_include_pad=count_include_pad,
            )
            for sample in input
        ]
        return torch.stack(parts)
    kernel = pair(kernel_size)
    step = kernel if stride is None else pair(stride)
    pad = pair(padding)
    size = (input.shape[1], input.shape[2])
    rows, columns = (starts(size[i], kernel[i], step[i], pad[i], ceil_mode) for i in (0, 1))
    planes = []
    for plane in input.tolist():
        pooled = []
        for top in rows:
            line = []
            for left in columns:
                cells, padded = [], 0
                for row in range(top, top + kernel[0]):
                    for column in range(left, left + kernel[1]):
                        if 0 <= row < size[0] and 0 <= column < size[1]:
                            cells.append(plane[row][column])
                        elif row < size[0] + pad[0] and column < size[1] + pad[1]:
                            padded += 1
                line.append(reduce(cells, len(cells) + (padded if count_include_pad else 0)))
            pooled.append(line)
        planes.append(pooled)
    return torch.tensor(planes, dtype=torch.float64).view(len(input), len(rows), len(columns))


def largest(cells: list[float], count: int) -> float:
    """The maximum of the cells of the map; NaN if one of them is."""
    best = -math.inf
    for cell in cells:
        if math.isnan(cell):
            return math.nan
        best = max(best, cell)
    return best


def mean(cells: list[float], count: int) -> float:
    """The sum of the cells of the map over how many cells count."""
    total = 0.0
    for cell in cells:
        total += cell
    return total / count


def blend(blend_weight: float) -> Reduction:
    """The hybrid of the two: all of one of them at the ends, where 0 times infinity is nothing."""

    def reduce(cells: list[float], count: int) -> float:
        if blend_weight == 1:
            return largest(cells, count)
        if blend_weight == 0:
            return mean(cells, count)
        return blend_weight * largest(cells, count) + (1 - blend_weight) * mean(cells, count)

    return reduce


def input_gradient(input: Tensor, blend_weight: float, **window: Any) -> Tensor:
    """The gradient of the sum of a hybrid map: the first largest cell of each window gets the
    weight, every cell gets its share of the rest."""
    numbered = torch.arange(input[0, 0].numel()).view(input.shape[2:])
    gradient = torch.zeros(input.shape, dtype=torch.float64)
    for sample, channel in torch.cartesian_prod(*map(torch.arange, input.shape[:2])).tolist():
        values = input[sample, channel].flatten().tolist()
        flat = gradient[sample, channel].view(-1)

        def spread(places: list[float], count: int, values=values, flat=flat) -> float:
            cells = [int(place) for place in places]
            winner = cells[0]
            for cell in cells:
                if values[cell] > values[winner]:
                    winner = cell
                flat[cell] += (1 - blend_weight) / count
            flat[winner] += blend_weight
            return 0.0

        pool(numbered[None], spread, **window)
    return gradient


class ArticleHybridPooling(nn.Module):
    """The article's example 2."""

    def __init__(self, kernel_size: int = 2, stride: int = 2) -> None:
        super().__init__()
        self.max_pool = nn.MaxPool2d(kernel_size, stride)
        self.avg_pool = nn.AvgPool2d(kernel_size, stride)
        self.weight = nn.Parameter(torch.rand(1))

    def forward(self, x: Tensor) -> Tensor:
        max_out = self.max_pool(x)
        avg_out = self.avg_pool(x)
        return self.weight.sigmoid() * max_out + (1 - self.weight.sigmoid()) * avg_out


class ArticleHybridPoolingWithAttention(nn.Module):
    """The article's example 3."""

    def __init__(self, channels: int, kernel_size: int = 2, stride: int = 2) -> None:
        super().__init__()
        self.max_pool = nn.MaxPool2d(kernel_size, stride)
        self.avg_pool = nn.AvgPool2d(kernel_size, stride)
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 4),
            nn.ReLU(),
            nn.Linear(channels // 4, channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        max_out = self.max_pool(x)
        avg_out = self.avg_pool(x)
        b, c, _, _ = x.size()
        attention = torch.mean(x, dim=[2, 3])
        attention = self.fc(attention).view(b, c, 1, 1)
        return attention * max_out + (1 - attention) * avg_out


class ArticleHybridResNetBlock(nn.Module):
    """The article's example 4."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.hybrid_pool = ArticleHybridPoolingWithAttention(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        residual = x
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += residual
        out = F.relu(out)
        return self.hybrid_pool(out)


def each_window(*shapes: tuple[int, int]) -> Iterator[tuple[tuple[int, int], dict[str, object]]]:
    """Every shape with every window that fits it, a few hundred in all."""
    for height, width in shapes:
        for kernel in (1, 2, 3, (3, 2), (1, 4), 5):
            for stride in (None, 1, 2, 3, (2, 1)):
                for padding in {0, 1, (1, 0), 2}:
                    for ceil_mode in (False, True):
                        tall, wide = pair(kernel)
                        over, beside = pair(padding)
                        step = pair(kernel if stride is None else stride)
                        fits = starts(height, tall, step[0], over, ceil_mode) and starts(
                            width, wide, step[1], beside, ceil_mode
                        )
                        if fits and 2 * over <= tall and 2 * beside <= wide:
                            window = {"kernel_size": kernel, "stride": stride, "padding": padding}
                            yield (height, width), {**window, "ceil_mode": ceil_mode}
