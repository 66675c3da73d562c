"""Pooling by hand: a small grid of numbers, the windows over it, and every number on the way.

`pool_by_hand` gives the pooled values, the winners and the gradients; `attend_by_hand` gives every
step of the attention layer. PyTorch computes all values through the library, and
`hybridpool.window` says where the windows lie.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.functional import hybrid_pool2d
from hybridpool.layers import HybridPoolingWithAttention
from hybridpool.window import Axis, Window

SIDES = (2, 8)
MAX_KERNEL = 8
MAX_PADDING = 4
#: The preset grids of `preset_grid`, the article's own first.
PRESETS = ("ramp", "checkerboard", "bright", "noise", "ties", "negative")
#: How many channels `derived_channels` makes of a grid.
CHANNELS = 4


@dataclass(frozen=True)
class ByHand:
    """A grid, its pooled values, and the gradient of each of them. Windows are in reading order.

    Attributes:
        grid: (H, W) the numbers.
        window: The window that was moved over them.
        rows: The windows downwards.
        columns: The windows across.
        max: (h, w) the largest number of each window.
        average: (h, w) their average.
        tied: For each window the places (row, column) of its largest number. The first of them is
            the winner, to which PyTorch sends the gradient.
        divisors: For each window the number that its average divides by.
        max_gradient: (h * w, H, W) derivative of each pooled value by each number, for max.
        average_gradient: (h * w, H, W) the same for average; hybrid's is their blend.
        weight_gradient: (h, w) derivative of each hybrid value by the blend weight.
    """

    grid: Tensor
    window: Window
    rows: Axis
    columns: Axis
    max: Tensor
    average: Tensor
    tied: tuple[tuple[tuple[int, int], ...], ...]
    divisors: tuple[int, ...]
    max_gradient: Tensor
    average_gradient: Tensor
    weight_gradient: Tensor


@dataclass(frozen=True)
class AttentionByHand:
    """Every step of the attention layer on the channels of one grid; C channels, D hidden values.

    Attributes:
        channels: (C, H, W) from `derived_channels`.
        means: (C,) the mean of each channel.
        first_weight: (D, C) the first matrix.
        first_bias: (D,) the bias that is added to its result.
        sums: (D,) first matrix times means, plus bias.
        hidden: (D,) the same after ReLU.
        second_weight: (C, D) the second matrix.
        second_bias: (C,) the bias that is added to its result.
        logits: (C,) second matrix times hidden values, plus bias.
        values: (C,) sigmoid of the logits: the attention value, each channel's blend weight.
        max: (C, h, w) max pooling of the channels.
        average: (C, h, w) average pooling of the channels.
        pooled: (C, h, w) the output of the layer.
    """

    channels: Tensor
    means: Tensor
    first_weight: Tensor
    first_bias: Tensor
    sums: Tensor
    hidden: Tensor
    second_weight: Tensor
    second_bias: Tensor
    logits: Tensor
    values: Tensor
    max: Tensor
    average: Tensor
    pooled: Tensor


def preset_grid(name: str, rows: int, columns: int, seed: int = 0) -> Tensor:
    """One of `PRESETS` as a grid of shape (rows, columns), in double precision.

    Args:
        name: ``"ramp"`` counts from 1 as in the article, ``"checkerboard"`` alternates 0 and 8,
            ``"bright"`` is 0 but for one 9, ``"noise"`` is normal with mean 5 and standard
            deviation 3, ``"ties"`` is 5 everywhere, ``"negative"`` counts up to -1.
        rows: Rows of the grid.
        columns: Columns of the grid.
        seed: The seed of the noise; the other presets do not use it.

    Raises:
        ValueError: If there is no preset of that name.

    Example:
        >>> preset_grid("negative", 2, 2).tolist()
        [[-4.0, -3.0], [-2.0, -1.0]]
    """
    cells = rows * columns
    place = torch.arange(cells, dtype=torch.float64).reshape(rows, columns)
    if name == "ramp":
        return place + 1
    if name == "checkerboard":
        down, across = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        return ((down + across) % 2 * 8).double()
    if name == "bright":
        return ((place == (rows - 1) // 2 * columns + (columns - 1) // 2) * 9).double()
    if name == "noise":
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
        return (5 + 3 * noise).round(decimals=1) + 0.0
    if name == "ties":
        return torch.full_like(place, 5)
    if name == "negative":
        return place - cells
    raise ValueError(f"There is no preset grid {name!r}: choose one of {', '.join(PRESETS)}.")


def pool_by_hand(grid: Tensor, window: Window) -> ByHand:
    """Max and average of every window, and where their gradients go.

    Args:
        grid: The numbers, of shape (H, W).
        window: The window that moves over them.

    Raises:
        ImpossibleWindowError: If PyTorch refuses this window for this grid.

    Example:
        >>> from hybridpool.window import check_window
        >>> work = pool_by_hand(preset_grid("ramp", 4, 4), check_window(2))
        >>> work.max.tolist(), work.average.tolist()
        ([[6.0, 8.0], [14.0, 16.0]], [[3.5, 5.5], [11.5, 13.5]])
    """
    window.check()
    window.check_fits(*grid.shape)
    rows, columns = window.axes(*grid.shape)
    maximum = hybrid_pool2d(grid[None], 1.0, **window.arguments)[0]
    windows = [(i, j) for i in range(rows.count) for j in range(columns.count)]
    tied = tuple(
        tuple(
            (row, column)
            for row in rows.inside(i)
            for column in columns.inside(j)
            if grid[row, column] == maximum[i, j]
        )
        for i, j in windows
    )
    max_gradient, weight_gradient = _gradients(grid, window, 1.0)
    average_gradient, _weight_gradient = _gradients(grid, window, 0.0)
    counting = window.count_include_pad
    return ByHand(
        grid=grid,
        window=window,
        rows=rows,
        columns=columns,
        max=maximum,
        average=hybrid_pool2d(grid[None], 0.0, **window.arguments)[0],
        tied=tied,
        divisors=tuple(
            rows.counted(i, counting) * columns.counted(j, counting) for i, j in windows
        ),
        max_gradient=max_gradient,
        average_gradient=average_gradient,
        weight_gradient=weight_gradient,
    )


def derived_channels(grid: Tensor) -> Tensor:
    """Four channels made of one grid, as a few filters of a network might.

    The first holds the numbers themselves, the second the numbers turned over (lowest + highest -
    number), the third the absolute difference from the left neighbour, the fourth the absolute
    difference from the neighbour above. Where there is no neighbour the difference is 0.

    Shape:
        (H, W) to (4, H, W).

    Example:
        >>> derived_channels(torch.tensor([[1.0, 4.0]])).tolist()
        [[[1.0, 4.0]], [[4.0, 1.0]], [[0.0, 3.0]], [[0.0, 0.0]]]
    """
    across = F.pad(grid.diff(dim=1).abs(), (1, 0))
    down = F.pad(grid.diff(dim=0).abs(), (0, 0, 1, 0))
    return torch.stack([grid, grid.min() + grid.max() - grid, across, down])


def attend_by_hand(
    grid: Tensor, window: Window, *, seed: int = 0, hidden: int = 2
) -> AttentionByHand:
    """Every step of `HybridPoolingWithAttention` on the derived channels of a grid.

    The parameters are drawn as `torch.nn.Linear` draws them, but from `seed` alone, and rounded to
    two decimals so that a person can follow with a pencil. Nothing trained them.

    Args:
        grid: The numbers, of shape (H, W).
        window: The window that moves over them.
        seed: The seed of the parameters.
        hidden: Hidden values between the two matrices; the article's ``C // 4`` is 1 here.

    Raises:
        ImpossibleWindowError: If PyTorch refuses this window for this grid.

    Example:
        >>> from hybridpool.window import check_window
        >>> steps = attend_by_hand(preset_grid("ramp", 4, 4), check_window(2))
        >>> steps.means.tolist(), steps.values.shape
        ([8.5, 8.5, 0.75, 3.0], torch.Size([4]))
    """
    window.check()
    window.check_fits(*grid.shape)
    with torch.device("meta"):  # elsewhere nn.Linear would draw from the global generator
        layer = HybridPoolingWithAttention(
            CHANNELS, reduction=CHANNELS // hidden, **window.arguments
        )
    layer.to_empty(device="cpu").double().requires_grad_(False)
    first, relu, second, sigmoid = layer.fc
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    generator = torch.Generator().manual_seed(seed)
    for linear in (first, second):
        bound = 1 / math.sqrt(linear.in_features)
        for parameter in (linear.weight, linear.bias):
            drawn = torch.empty_like(parameter).uniform_(-bound, bound, generator=generator)
            parameter.copy_(drawn.round(decimals=2) + 0.0)
    channels = derived_channels(grid.double())
    means = channels.mean(dim=(-2, -1))
    sums = first(means)
    logits = second(relu(sums))
    return AttentionByHand(
        channels=channels,
        means=means,
        first_weight=first.weight,
        first_bias=first.bias,
        sums=sums,
        hidden=relu(sums),
        second_weight=second.weight,
        second_bias=second.bias,
        logits=logits,
        values=sigmoid(logits),
        max=hybrid_pool2d(channels, 1.0, **window.arguments),
        average=hybrid_pool2d(channels, 0.0, **window.arguments),
        pooled=layer(channels),
    )


def _gradients(grid: Tensor, window: Window, blend_weight: float) -> tuple[Tensor, Tensor]:
    """The derivatives of each pooled value by every number and by the blend weight."""
    shape = hybrid_pool2d(grid[None], 0.0, **window.arguments).shape
    count = shape.numel()
    with torch.enable_grad():
        # Each value gets its own copy of grid and weight, so that one backward pass serves all.
        copies = grid.expand(count, 1, *grid.shape).clone().requires_grad_()
        weights = torch.full((count, 1), blend_weight, dtype=grid.dtype).requires_grad_()
        pooled = hybrid_pool2d(copies, weights, **window.arguments)
        one_each = torch.eye(count, dtype=grid.dtype).reshape(pooled.shape)
        by_number, by_weight = torch.autograd.grad(pooled, (copies, weights), one_each)
    return by_number[:, 0], by_weight.reshape(shape[1:])
